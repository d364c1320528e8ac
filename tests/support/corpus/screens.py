"""What Chromium shows of files: as pictures, as films, and as documents."""

import io
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.support.corpus.entry import Entry
from tests.support.corpus.server import Served, serve

SCRIPT: Final = (Path(__file__).parent / "page.js").read_text()
SNIFFED: Final = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"\0\0\1\0")
HEAD: Final = "<!DOCTYPE html><meta charset=utf-8>"
BATCH: Final = 28  # files on one page
FILMS: Final = 14
WIDTH, MARGIN = 1360, 40
PAGES: Final = ("white", "black")
CHANGES: Final = (0.0, 0.12, 0.3, 0.55, 0.9, 1.6)  # seconds after loading, for what moves


@dataclass(frozen=True)
class Screen:
    """What Chromium showed of a file. `how`: on a white or a black page, or as a document.

    `at`: seconds after loading, or in a film.
    """

    name: str
    how: str
    at: float
    image: Image.Image


class Cinema:
    """Opens files in a browser and photographs them. Close it by leaving `open_cinema`."""

    def __init__(self, browser: Browser, root: str, files: dict[str, Served]) -> None:
        self._root, self._files = root, files
        context = browser.new_context(viewport={"width": WIDTH, "height": 2400})
        self._page: Page = context.new_page()
        self._count = 0

    def show_pictures(self, entries: Sequence[Entry]) -> list[Screen]:
        """Show still pictures on white and on black."""
        return [screen for batch in _batches(entries, BATCH) for screen in self._pictures(batch)]

    def show_animations(self, entries: Sequence[Entry]) -> list[Screen]:
        """Show animations on white and on black at several times after loading."""
        return [screen for batch in _batches(entries, FILMS) for screen in self._moving(batch)]

    def show_films(
        self, entries: Sequence[Entry], dice: np.random.Generator, times: int = 3
    ) -> list[Screen]:
        """Show films at random times, at their beginning, and at the entries' own moments."""
        return [
            screen
            for batch in _batches(entries, FILMS)
            for screen in self._films(batch, dice, times)
        ]

    def show_documents(self, entries: Sequence[Entry]) -> list[Screen]:
        """Show files as documents, those that Chromium recognises without a type or by their own.

        It downloads any other, AVIF and MP4 among them, and that is no screen.
        """
        entries = [
            entry
            for entry in entries
            if entry.data.startswith(SNIFFED) or entry.served_as == "image/svg+xml"
        ]
        return [screen for batch in _batches(entries, BATCH) for screen in self._documents(batch)]

    def _open(self, entries: Sequence[Entry], element: str) -> list[dict[str, Any] | None]:
        """Lay the files out on a new page; returns the place of each, None if it is not shown."""
        files = []
        for entry in entries:
            self._count += 1
            self._files[f"/{self._count}"] = entry.data, entry.served_as
            files.append({"url": f"/{self._count}", "element": element})
        page = f"{HEAD}<body style='margin:0'><script>files = {json.dumps(files)}</script>"
        self._files["/"] = page.encode(), "text/html; charset=utf-8"
        self._page.goto(self._root + "/")
        answer = self._page.evaluate(SCRIPT)
        self._page.set_viewport_size({"width": WIDTH, "height": max(200, int(answer["height"]))})
        return list(answer["places"])

    def _photograph(self, colour: str) -> Image.Image:
        self._page.evaluate(
            "async (colour) => { document.body.style.background = colour;"
            "await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go))) }",
            colour,
        )
        return Image.open(io.BytesIO(self._page.screenshot())).convert("RGB")

    def _cut(
        self,
        entries: Sequence[Entry],
        places: Sequence[dict[str, Any] | None],
        how: str,
        times: Sequence[float],
    ) -> Iterator[Screen]:
        """Photograph the page and cut out what is shown of each file."""
        photograph = self._photograph("white" if how == "document" else how)
        for entry, place, at in zip(entries, places, times, strict=True):
            if place is not None and (how != "document" or place["type"].startswith("image/")):
                box = (
                    place["x"],
                    place["y"],
                    place["x"] + place["width"],
                    place["y"] + place["height"],
                )
                yield Screen(entry.name, how, at, photograph.crop(box))

    def _pictures(self, entries: Sequence[Entry]) -> Iterator[Screen]:
        places = self._open(entries, "img")
        for colour in PAGES:
            yield from self._cut(entries, places, colour, [0.0] * len(entries))

    def _moving(self, entries: Sequence[Entry]) -> Iterator[Screen]:
        places, started = self._open(entries, "img"), time.monotonic()
        moments = sorted({*CHANGES, *(moment for entry in entries for moment in entry.moments)})
        for number, moment in enumerate(moments):
            time.sleep(max(0.0, started + moment - time.monotonic()))
            at = time.monotonic() - started
            yield from self._cut(entries, places, PAGES[number % 2], [at] * len(entries))
        for colour in PAGES:
            at = time.monotonic() - started
            yield from self._cut(entries, places, colour, [at] * len(entries))

    def _films(
        self, entries: Sequence[Entry], dice: np.random.Generator, times: int
    ) -> Iterator[Screen]:
        places = self._open(entries, "video")
        rounds: list[list[float | None]] = [[0.0] * len(entries)]
        rounds += [[float(dice.uniform(0, 0.99)) for _ in entries] for _ in range(times)]
        for number in range(max((len(entry.moments) for entry in entries), default=0)):
            # Below zero is a time in seconds, else a part of the film's length.
            rounds.append(
                [
                    -entry.moments[number] if number < len(entry.moments) else None
                    for entry in entries
                ]
            )
        for fractions in rounds:
            seconds = self._page.evaluate("(fractions) => seek(fractions)", fractions)
            for colour in PAGES:
                yield from self._cut(entries, places, colour, seconds)

    def _documents(self, entries: Sequence[Entry]) -> Iterator[Screen]:
        places = self._open(entries, "iframe")
        yield from self._cut(entries, places, "document", [0.0] * len(entries))


@contextmanager
def open_cinema(browser: Browser) -> Iterator[Cinema]:
    """Serve files from loopback and show them in this browser."""
    files: dict[str, Served] = {}
    with serve(files) as root:
        yield Cinema(browser, root, files)


def show_corpus(cinema: Cinema, entries: Sequence[Entry], seed: int) -> list[Screen]:
    """Show each file in each way that a page of a platform might."""
    pictures = [entry for entry in entries if entry.element == "img"]
    moving = [entry for entry in pictures if entry.moments != (0.0,)]
    still = [entry for entry in pictures if entry.moments == (0.0,)]
    films = [entry for entry in entries if entry.element == "video"]
    return [
        *cinema.show_pictures(still),
        *cinema.show_animations(moving),
        *cinema.show_films(films, np.random.default_rng(seed)),
        *cinema.show_documents(pictures),
    ]


def _batches(entries: Sequence[Entry], size: int) -> Iterator[Sequence[Entry]]:
    for at in range(0, len(entries), size):
        yield entries[at : at + size]
