"""What differs between scripts: marks that are letters, variants of a letter, words without spaces.

Pure. In most scripts a mark on a letter is an accent, which does not matter. In those of India and
South-East Asia it is a vowel: without it `Ram` and `Rome` are one word. In kana it makes a `ka` a
`ga`. Such a mark counts only after a letter of its script, since on others it only disguises.
"""

import re
import unicodedata
from typing import Final

_BLOCKS: Final = (
    *((first, first + 0x7F) for first in range(0x0900, 0x0F00, 0x80)),  # Devanagari to Lao
    *((0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF)),  # Tibetan, Myanmar, Khmer
    (0x3040, 0x30FF),  # kana
)
# Combining classes of marks that are accents also here: nuktas, tones, and signs above and below.
_ACCENTS: Final = (7, 107, 122, 216, 220, 230)
# Letters that are one to their readers: of Arabic and Persian, and of Hebrew at the end of a word.
VARIANTS: Final = (
    *(("\u06a9", "\u0643"), ("\u06cc", "\u064a"), ("\u0649", "\u064a"), ("\u0629", "\u0647")),
    *(("\u06c1", "\u0647"), ("\u06be", "\u0647"), ("\u06d5", "\u0647")),
    *(("\u05da", "\u05db"), ("\u05dd", "\u05de"), ("\u05df", "\u05e0"), ("\u05e3", "\u05e4")),
    ("\u05e5", "\u05e6"),
)
STRETCHED: Final = "\u0640\u07fa\u180a"  # lines that stretch a word of Arabic, N'Ko and Mongolian
# Scripts written without spaces, where a keyword may stand anywhere.
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
UNSPACED: Final = re.compile(f"[{_UNSPACED}]")
_MARKS: Final = r"[.\u00b7\u30fb\u2027\u2022*_~^|+/\\\u2010-\u2015-]"
_BETWEEN: Final = rf"(?:\s{{1,3}}|\s?{_MARKS}{{1,3}}\s?)"
_GAP: Final = re.compile(rf"(?<=[{_UNSPACED}]){_BETWEEN}(?=[{_UNSPACED}])")


def _marks_of(first: int, last: int) -> str:
    marks = map(chr, range(first, last + 1))
    kinds = ("Mc", "Mn")
    letters = [mark for mark in marks if unicodedata.category(mark) in kinds]
    return "".join(mark for mark in letters if unicodedata.combining(mark) not in _ACCENTS)


_OF_BLOCKS: Final = {block: marks for block in _BLOCKS if (marks := _marks_of(*block))}
LETTER_MARKS: Final = "".join(_OF_BLOCKS.values())
_SOME: Final = re.compile(f"[{LETTER_MARKS}]")
_STRAYS: Final = re.compile(
    "|".join(
        f"(?<![{chr(first)}-{chr(last)}\u200c\u200d])[{marks}]+"
        for (first, last), marks in _OF_BLOCKS.items()
    )
    + f"|(?<=([{LETTER_MARKS}]))\\1+"
)
_ONE: Final = f"[{_UNSPACED}][{LETTER_MARKS}]*+"
_APART: Final = re.compile(
    f"(?<![{_UNSPACED}]){_ONE}(?:(?:{_BETWEEN}|[\u3001\u3002]){_ONE})+(?![{_UNSPACED}])"
)
_BESIDE: Final = re.compile(rf"{_BETWEEN}|[\u3001\u3002]")


def without_strays(text: str) -> str:
    r"""Return a text without stretches, and marks that repeat or are on no letter of their script.

    >>> without_strays("se\u0e34a \u0e01\u0e34\u0e34") == "sea \u0e01\u0e34"
    True
    """
    if text.isascii():
        return text
    for stretch in STRETCHED:
        text = text.replace(stretch, "")
    return _STRAYS.sub("", text) if _SOME.search(text) else text


def closed_up(text: str) -> str:
    """Return a text of which the letters of scripts without spaces stand together if each is apart.

    >>> closed_up("see \u8c9d \u6bbb, \u304b\u3002\u3044\u3002\u304c")
    'see \u8c9d\u6bbb, \u304b\u3044\u304c'
    """
    if text.isascii() or not UNSPACED.search(text):
        return text
    return _APART.sub(lambda apart: _BESIDE.sub("", apart[0]), text)


def without_gaps(text: str) -> str:
    """Return a text without spaces and points between letters of scripts without spaces.

    >>> without_gaps("\u8c9d \u6bbb\u3092\u30fb\u898b a b")
    '\u8c9d\u6bbb\u3092\u898b a b'
    """
    return text if text.isascii() or not UNSPACED.search(text) else _GAP.sub("", text)
