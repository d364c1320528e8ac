"""Compares what Chromium shows, and what the generator knows, with Kinward's views."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Browser

from tests.support.corpus.entry import Entry, distance, is_among
from tests.support.corpus.reference import hash_screen
from tests.support.corpus.screens import Screen, open_cinema, show_corpus
from tests.support.corpus.views import view_hashes

WORKERS: Final = 2  # as many as there are decoders
FAR: Final = 256  # bits


@dataclass(frozen=True)
class Sight:
    """A file, the screens of it with their hashes, and the hashes of Kinward's views."""

    entry: Entry
    screens: Sequence[tuple[Screen, bytes]]  # those with structure
    shown: bool
    views: Sequence[bytes]
    truths: Sequence[bytes]

    def missed_screens(self) -> list[str]:
        """Say of each screen that no view is near to how it was shown, and the nearest."""
        missed = [
            (screen.how, round(screen.at, 2), nearest(pdq, self.views))
            for screen, pdq in self.screens
            if not is_among(pdq, self.views)
        ]
        return [f"{how} at {at:g} s: {bits} bits" for how, at, bits in dict.fromkeys(missed)]

    def missed_truths(self) -> list[int]:
        """Return, for each true picture that no view is near to, the distance of the nearest."""
        return [nearest(pdq, self.views) for pdq in self.truths if not is_among(pdq, self.views)]

    def shows_a_truth(self) -> bool:
        """Return whether a screen shows one of the true pictures."""
        return any(is_among(pdq, self.truths) for _, pdq in self.screens)


def nearest(pdq: bytes, views: Sequence[bytes]) -> int:
    """Return the bits from a hash to the nearest view; all of them if there is none."""
    return min((distance(pdq, view) for view in views), default=FAR)


def look(entries: Sequence[Entry], browser: Browser | None, seed: int) -> list[Sight]:
    """Ask Kinward, and if there is a browser Chromium, about each file at the same time."""
    screens: Mapping[str, list[Screen]] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        views = pool.map(view_hashes, [entry.data for entry in entries])
        if browser is not None:
            with open_cinema(browser) as cinema:
                screens = _by_name(show_corpus(cinema, entries, seed))
        found = list(views)
    return [
        Sight(
            entry,
            screens=_hashed(screens.get(entry.name, [])),
            shown=entry.name in screens,
            views=hashes,
            truths=entry.truth_hashes(),
        )
        for entry, hashes in zip(entries, found, strict=True)
    ]


def screen_hashes(browser: Browser, entries: Sequence[Entry], seed: int) -> dict[str, list[bytes]]:
    """Return the hashes of what Chromium shows of each file, by the file's name.

    A page that shows the same file, such as the reviewer's, can be compared with them.
    """
    with open_cinema(browser) as cinema:
        screens = _by_name(show_corpus(cinema, entries, seed))
    return {
        entry.name: list(dict.fromkeys(pdq for _, pdq in _hashed(screens.get(entry.name, []))))
        for entry in entries
    }


def print_table(sights: Sequence[Sight]) -> None:
    """Print a row for each kind: how many files are found, shown and missed."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for sight in sights:
        missed = bool(sight.missed_truths() or sight.missed_screens())
        marks = {"files": True, "shown": sight.shown, "missed": missed, "found": not missed}
        for kind in (sight.entry.kind, "all"):
            rows[kind].update({name: int(value) for name, value in marks.items()})
    print(f"\n| {'kind':12} | files | shown by Chromium | found | missed |")
    print(f"| {'-' * 12} | ----: | ----------------: | ----: | -----: |")
    rows["all"] = rows.pop("all")  # the last
    for kind, sums in rows.items():
        counts = f"{sums['files']:5} | {sums['shown']:17} | {sums['found']:5} | {sums['missed']:6}"
        print(f"| {kind:12} | {counts} |")


def print_formats(sights: Sequence[Sight]) -> None:
    """Print which endings Chromium shows: as an element, and as a document without a type."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for sight in sights:
        row = rows[sight.entry.name.rpartition(".")[2]]
        ways = {screen.how for screen, _ in sight.screens}
        row.update(["files"])
        row.update(["element"] if ways & {"white", "black"} else [])
        row.update(["document"] if "document" in ways else [])
    print("\n| ending | files | shown by an element | as a document |\n| --- | --: | --: | --: |")
    for ending, row in sorted(rows.items()):
        print(f"| {ending} | {row['files']} | {row['element']} | {row['document']} |")


def print_sights(sights: Sequence[Sight], *, all: bool) -> None:
    """Print a line for each file that is missed, or with `all` for each file."""
    for sight in sights:
        missed = [f"{bits} bits" for bits in sight.missed_truths()] + sight.missed_screens()
        if missed or all:
            answer = "MISSED " + "; ".join(missed[:4]) if missed else "found"
            print(f"{sight.entry.kind:10} {sight.entry.name:36} {sight.entry.disguise:44} {answer}")


def timed(started: float) -> str:
    """Return the seconds since then."""
    return f"{time.perf_counter() - started:.1f} s"


def _by_name(screens: Sequence[Screen]) -> Mapping[str, list[Screen]]:
    named: dict[str, list[Screen]] = defaultdict(list)
    for screen in screens:
        named[screen.name].append(screen)
    return named


def _hashed(screens: Sequence[Screen]) -> list[tuple[Screen, bytes]]:
    """Hash the screens. Of equal screens that follow each other, one is hashed."""
    hashes: dict[bytes, bytes | None] = {}
    pairs = []
    for screen in screens:
        pixels = screen.image.tobytes()
        if pixels not in hashes:
            hashes[pixels] = hash_screen(screen.image)
        pairs.append((screen, hashes[pixels]))
    return [(screen, pdq) for screen, pdq in pairs if pdq is not None]
