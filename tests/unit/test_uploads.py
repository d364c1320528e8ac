"""The page about files names each place that takes one, and the sizes that the code has."""

import re
from pathlib import Path
from typing import get_type_hints

from kinward.gate import hma
from kinward.gate.routes import ROUTES
from kinward.gate.routing import Form
from kinward.ground.config import Config
from kinward.matching import hashlists, listfiles
from kinward.media.parts import budget
from kinward.policy import sources
from kinward.web import doors

PAGE = Path("docs/reference/uploads.md")


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def size_of(where: str) -> str:
    """What a row says in its last cell, by the beginning of its first."""
    (found,) = [row[-1] for row in rows() if row[0].startswith(where)]
    return found


def test_each_endpoint_that_takes_a_file_is_named() -> None:
    named = set(re.findall(r"`((?:GET|POST|PUT) /[^`]+)`", PAGE.read_text()))
    takes = {
        route.line
        for route in ROUTES
        if not route.key_in_path
        and (isinstance(route.body, Form) or "url" in get_type_hints(route.query or int))
    }
    assert takes == named


def test_each_page_of_the_console_that_takes_a_file_is_named() -> None:
    assert {"search_banks"} == doors.TAKES_FILES, "name the page in docs/reference/uploads.md, too"
    assert f"{doors.FILE - 64 * 1024:,}" in size_of("*Banks*")


def test_no_form_takes_a_file_on_another_page() -> None:
    fields = [
        path
        for room in ("web", "portal")
        for path in Path(f"src/kinward/{room}").rglob("*.html")
        if re.search(r"type=\"?file", path.read_text())
    ]
    assert [path.parent.name + "/" + path.name for path in fields] == ["web/search_form.html"]


def test_the_sizes_are_those_of_the_code() -> None:
    whole = Config()
    for where in ("`POST /v1/media`", "`POST /h/hash`", "`GET /h/hash`"):
        assert f"{whole.max_body:,}" in size_of(where)
    lists = next(row for row in rows() if row[0] == "`bank import`")
    assert lists[2] == f"lists: {', '.join(hashlists.FORMATS)}"
    assert f"{listfiles.MAX_BYTES:,}, and {listfiles.MAX_LINE:,} characters" in lists[-1]
    assert f"{sources.MAX_FILE:,} each, and {sources.MAX_FILES} files" in size_of("`policy`")
    assert size_of("pixels of") == f"`KINWARD_MAX_PIXELS`: {whole.max_pixels:,}"
    assert size_of("files inside") == f"{budget.MAX_PARTS:,}"
    assert size_of("one packed") == f"{budget.MAX_MEMBER:,}"
    assert size_of("all packed") == f"{budget.MAX_UNPACKED:,}"
    assert f"{whole.decode_memory:,}" in size_of("memory of")
    seconds = (whole.decode_seconds, whole.video_seconds)
    assert [f"{one:g}" for one in seconds] == re.findall(r": (\d+)", size_of("time,"))
    assert hma.FILES, "the names of the part with the file"
