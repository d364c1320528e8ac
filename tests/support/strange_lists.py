"""Lists as tools write them, for Hypothesis: what a list says, and how it is written."""

import codecs
from collections.abc import Callable
from typing import Final

import msgspec
from hypothesis import strategies as st

from kinward.matching.hashlists import ListedHash

SEPARATORS: Final = (",", ";", "\t", "|")
ENDS: Final = ("\n", "\r\n", "\r")
ENCODINGS: Final = (
    (b"", "utf-8"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"", "windows-1252"),
)
NAMES: Final = {
    "md5": ("md5", "MD5", "MD5 Hash", "md5sum", "hash_md5", "File MD5"),
    "sha1": ("sha1", "SHA-1", "SHA1", "SHA_1 hash", "sha1 checksum"),
    "sha256": ("sha256", "SHA-256", "SHA2-256"),
    "pdq": ("pdq", "PDQ hash", "HASH_PDQ"),
}
DIGITS: Final = {"md5": 32, "sha1": 40, "sha256": 64, "pdq": 64}
REMOVED: Final = ("removed", "Removed", "is_deleted", "Withdrawn")
YES: Final = ("true", "TRUE", "True", "yes", "Y", "t", "1", "1.0", "WAHR", "vrai")
NO: Final = ("false", "FALSE", "False", "no", "N", "f", "0", "0.0", "", "FALSCH", "faux")
NEITHER: Final = ("maybe", "2", "-1", "x", "on", "null", "2026-01-01", "tru", "?", "yes no")
# In every encoding above, and no separator, quote or line end. Without the euro sign, which makes
# another letter of UTF-8 together with the one before it.
_LABEL: Final = st.text("abcdefghij ÄÖÜßéñ", max_size=12).map(str.strip)


class Line(msgspec.Struct, frozen=True):
    """What one row says: a hash of some kinds, a label, and a word for whether it is removed."""

    hashes: dict[str, str]
    label: str
    word: str


class Listing(msgspec.Struct, frozen=True):
    """A list and how it is written. `header`: the column of each kind, the word and the label."""

    lines: list[Line]
    header: dict[str, str]
    separator: str
    end: str
    mark: bytes
    codec: str
    quoted: bool

    @property
    def expected(self) -> list[ListedHash]:
        """The hashes that the list names, in order."""
        return [
            ListedHash(kind, bytes.fromhex(text), "", line.label, line.word in YES)
            for line in self.lines
            for kind, text in line.hashes.items()
            if text
        ]

    def rows(self) -> list[list[str]]:
        """The cells of the header and of all rows."""
        cells = [[*line.hashes.values(), line.word, line.label] for line in self.lines]
        return [list(self.header.values()), *cells]

    def written(self, damage: Callable[[list[str]], list[str]] = lambda lines: lines) -> bytes:
        """The list as bytes. `damage` changes its lines."""
        quote = '"' if self.quoted else ""
        lines = [
            self.separator.join(f"{quote}{cell}{quote}" for cell in row) for row in self.rows()
        ]
        return self.mark + "".join(line + self.end for line in damage(lines)).encode(self.codec)


@st.composite
def hashes(draw: st.DrawFn, kinds: list[str]) -> dict[str, str]:
    """A hash of each kind, of which all but the first may be missing."""
    found = {}
    for number, kind in enumerate(kinds):
        size = DIGITS[kind] // 2
        text = draw(st.binary(min_size=size, max_size=size).filter(any)).hex()
        present = number == 0 or draw(st.booleans())
        found[kind] = (text.upper() if draw(st.booleans()) else text) if present else ""
    return found


@st.composite
def listings(draw: st.DrawFn, words: tuple[str, ...] = YES + NO) -> Listing:
    """A list that is written as a tool writes it. `words`: what stands for removed or not."""
    order = draw(st.permutations(("pdq", "md5", "sha1", "sha256")))
    kinds = sorted(order[: draw(st.integers(1, 3))], key=("pdq", "md5", "sha1", "sha256").index)
    line = st.builds(Line, hashes(kinds), _LABEL, st.sampled_from(words))
    header = {kind: draw(st.sampled_from(NAMES[kind])) for kind in kinds}
    header |= {"removed": draw(st.sampled_from(REMOVED)), "label": "label"}
    mark, codec = draw(st.sampled_from(ENCODINGS))
    return Listing(
        draw(st.lists(line, min_size=1, max_size=6)),
        header,
        draw(st.sampled_from(SEPARATORS)),
        draw(st.sampled_from(ENDS)),
        mark,
        codec,
        draw(st.booleans()),
    )
