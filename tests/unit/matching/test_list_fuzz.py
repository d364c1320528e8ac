"""A list gives the right rows or is refused as a whole, however it is written or damaged."""

import io
import re
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.matching.hashlists import FORMATS, ListedHash, Row, Unused, read_list
from kinward.matching.listfiles import BadRow, ListRefused, encoding_of, lines_of_file
from kinward.matching.truth import TRUE
from kinward.matching.vic import read_vic
from tests.support.strange_lists import DIGITS, NEITHER, NO, Listing, listings


def read(data: bytes, format: str = "csv") -> list[Row] | None:
    """The rows of a list; None if it is refused."""
    try:
        file = io.BytesIO(data)
        encoding = encoding_of(file)
        lines = lines_of_file(file, encoding)
        rows = list(read_list(lines, format, guessed=encoding.guessed))
    except ListRefused:
        return None
    return None if any(isinstance(row, BadRow) for row in rows) else rows


@given(listings())
@settings(max_examples=150, deadline=None)
def test_a_list_is_read_as_it_was_meant(listing: Listing) -> None:
    assert read(listing.written()) == listing.expected


@given(listings((*NO, *NEITHER)), st.sampled_from(NEITHER), st.data())
@settings(max_examples=150, deadline=None)
def test_a_word_that_is_neither_yes_nor_no_refuses_the_list(
    listing: Listing, word: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(listing.lines) - 1))
    column = list(listing.header).index("removed")

    def damage(lines: list[str]) -> list[str]:
        cells = lines[at + 1].split(listing.separator)
        cells[column] = f'"{word}"' if listing.quoted else word
        return [*lines[: at + 1], listing.separator.join(cells), *lines[at + 2 :]]

    assert read(listing.written(damage)) is None


DAMAGES: dict[str, Callable[[str, str], str]] = {
    "a quote is left open": lambda line, mark: line + mark + '"open',
    "a column is missing": lambda line, mark: line.rpartition(mark)[0],
    "a column is too many": lambda line, mark: f"{line}{mark}x",
    "a number of a spreadsheet": lambda line, mark: re.sub("[0-9A-Fa-f]{32,}", "1.2E+30", line),
    "a hash is cut": lambda line, mark: re.sub("([0-9A-Fa-f]{32,})", lambda m: m[0][:-1], line),
    "a hash is longer": lambda line, mark: re.sub("([0-9A-Fa-f]{32,})", lambda m: m[0] + "0", line),
    "a NUL byte": lambda line, mark: line + "\0",
    "another separator": lambda line, mark: line.replace(mark, "~"),
    "a line break in the middle": lambda line, mark: line[:20] + "\n" + line[20:],
}


@given(listings(), st.sampled_from(sorted(DAMAGES)), st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_row_refuses_the_list(listing: Listing, name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(listing.lines)))

    def damage(lines: list[str]) -> list[str]:
        return [
            DAMAGES[name](line, listing.separator) if number == at else line
            for number, line in enumerate(lines)
        ]

    assert read(listing.written(damage)) is None, name


@given(listings(), st.data())
@settings(max_examples=150, deadline=None)
def test_no_byte_that_is_changed_makes_a_hash_or_a_removal(
    listing: Listing, data: st.DataObject
) -> None:
    whole = listing.written()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(start + 8, len(whole))))
    put = data.draw(
        st.binary(max_size=4) | st.sampled_from([b'"', b",", b";", b"\n", b"\r", b"\t"])
    )
    damaged = whole[:start] + put + whole[end:]
    for row in read(damaged) or []:
        assert isinstance(row, ListedHash | Unused)
        if isinstance(row, ListedHash):
            _require_said(row, damaged)


def _require_said(row: ListedHash, data: bytes) -> None:
    """Fail unless some line of the list has this hash, and says that it is removed if it is."""
    encoding = encoding_of(io.BytesIO(data))
    text = data[encoding.start :].decode(encoding.codec)
    lines = [line for line in re.split("\r\n|\r|\n", text) if row.value.hex() in line.casefold()]
    assert lines, "a hash that is in no line"
    assert len(row.value.hex()) == DIGITS[row.kind]
    if row.removed:
        words = {
            word.strip('" ') for line in lines for word in re.split("[,;|\t]", line.casefold())
        }
        assert words & TRUE, "a removal that no line says"


@given(st.binary(max_size=300), st.sampled_from(FORMATS))
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_a_reader(data: bytes, format: str) -> None:
    if format != "vic":
        read(data, format)
        return
    for row in read_vic(io.BytesIO(data), {1}):
        assert isinstance(row, BadRow), "noise is no list"
