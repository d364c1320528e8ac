"""What a character can be read as: letters, a digit, a mark that may be a letter, or nothing. Pure.

The sources are Unicode's own tables: compatibility forms, names, and the confusables. `_ALPHABETS`
adds the alphabets that generators of fancy text use and that the confusables leave out.
"""

# ruff: noqa: RUF001  # letters that look alike are what this is about

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final, NamedTuple

from confusable_homoglyphs import confusables

from kinward.matching.scripts import LETTER_MARKS, STRETCHED, VARIANTS, without_strays

# Kinds of glyphs that are read as letters …
PLAIN: Final = 0  # a letter of the Latin alphabet, also with accents, full width or in a circle
DIGIT: Final = 1
MARK: Final = 2  # a mark that separates words, or stands for a letter
ALIKE: Final = 3  # looks like a Latin letter
OTHER: Final = 4  # a letter that looks like no Latin one
# … and of those that are not.
SPACE: Final = 5
WEAK: Final = 6  # punctuation that ordinary words have between them or inside
STRONG: Final = 7  # what ordinary words never have inside: an emoji, a star
HIDDEN: Final = 8  # not shown at all

MAX_REPLACED: Final = 24  # characters that are dropped one after the other, which is fast for few
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
LEET: Final = {
    "0": "o",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "gb",
    "7": "t",
    "8": "b",
    "9": "gq",
}
_SYMBOLS: Final = {"l": "i", "v": "u", "w": "u"}
_MARKS: Final = {
    "@": "a",
    "$": "s",
    "!": "il",
    "|": "li",
    "+": "t",
    "€": "e",
    "£": "le",
    "¢": "c",
    "¥": "y",
    "§": "s",
    "¡": "i",
    "°": "o",
    "©": "c",
    "®": "r",
    "⭕": "o",
    "❌": "x",
    "✖": "x",
    "💲": "s",
    "ℹ": "i",
}
_WEAK: Final = frozenset(".,:;?'\"’‘“”„«»‹›()[]{}<>/&%#=-‐‑‒–—―…¿¡!")
_STRONG: Final = frozenset("*~^`•|+$@_\\")
_ALPHABETS: Final = (
    "ᴀʙᴄᴅᴇғɢʜɪᴊᴋʟᴍɴᴏᴘǫʀsᴛᴜᴠᴡxʏᴢ",
    "αв¢∂єƒgнιנкℓмησρqяѕтυνωχуz",
    "ąҍçժҽƒցհìʝҟӀʍղօքզɾʂէմѵաײվՀ",
    "ค๒ς๔єŦﻮђเןкl๓ภ๏קợгรtยשฬאץz",
    "卂乃匚ᗪ乇千Ꮆ卄丨ﾌҜㄥ爪几ㄖ卩Ɋ尺丂ㄒㄩᐯ山乂ㄚ乙",
    "ΛBCDΣFGHIJKLMПӨPQЯSΓЦVЩXΨZ",
    "ᗩᗷᑕᗪEᖴGᕼIᒍKᒪᗰᑎOᑭᑫᖇᔕTᑌᐯᗯ᙭Yᘔ",
    "ДБСDЄFGНІЈКLМИОРQЯЅТЦVШХУZ",
    "ꋬꃳꉔ꒯ꏂꊰꍌꁝ꒐꒻ꀘ꒒ꂵꋊꄲꉣꆰꋪꇙ꓄꒤꒦ꅐꉧꌦꁴ",
    "ልጌርዕቿቻኗዘጎጋጕረጠክዐየዒዪነፕሁሀሠሸሃጊ",
    "ǟɮƈɖɛʄɢɦɨʝӄʟʍռօքզʀֆȶʊʋաӼʏʐ",
    "ꍏꌃꉓꀸꍟꎇꁅꃅꀤꀭꀘ꒒ꂵꈤꂦꉣꆰꋪꌗ꓄ꀎᐯꅏꊼꌩꁴ",
    "ᏗᏰፈᎴᏋᎦᎶᏂᎥᏠᏦᏝᎷᏁᎧᎮᎤᏒᏕᏖᏬᏉᏇጀᎩፚ",
    "åß©ĐËƒǤĦÏĴĶŁMÑØÞQŘ§†ÜVŴ×¥Ž",
    "ΔbCdeFghijkLmΠθpqΓstΩvωχψz",
    "αβςδεφgһιϳκλμνοπqгѕτυνωχγζ",
    "ʌɓɔɗəʄɠɧıʝĸɭɱŋøþʠɾʃƭʉʋɯʗʎʒ",
)
_ENCLOSED: Final = re.compile(
    r"(?:(?:CROSSED )?NEGATIVE )?(?:CIRCLED|SQUARED|PARENTHESIZED|CIRCLED ITALIC|"
    r"TORTOISE SHELL BRACKETED|REGIONAL INDICATOR SYMBOL)"
    r"(?: LATIN)?(?: CAPITAL| SMALL)?(?: LETTER)? ([A-Z])"
)
_LATIN: Final = re.compile(
    r"LATIN (?:SMALL |CAPITAL )?LETTER (?:SMALL |CAPITAL |TURNED |REVERSED |INVERTED |OPEN "
    r"|DOTLESS |LONG |SCRIPT |BARRED |SIDEWAYS |CLOSED |MIDDLE-WELSH )*"
    r"([A-Z])(?: WITH .*| ROTUNDA)?"
)
# Fillers and blanks that Unicode counts as letters or symbols.
_UNSEEN: Final = frozenset({"Cf", "Mn", "Me", "Cc", "Cs"})  # categories that are not shown
_BLANK: Final = frozenset(f"\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5{STRETCHED}")
_LETTER_MARKS: Final = frozenset(LETTER_MARKS) - _BLANK
# A combining mark that is a letter is one of kana.
_UNSPACED_SCRIPTS: Final = frozenset(
    {"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "YI", "COMBINING"}
)


# Letters that have no compatibility form. An i without its dot is an i: an accent does not matter.
_LIGATURES: Final = (("œ", "oe"), ("æ", "ae"), ("ı", "i"), ("ȷ", "j"), *VARIANTS)


class Glyph(NamedTuple):
    """How a character is read. `letters`: for each letter of it, all that it can be."""

    kind: int
    letters: tuple[str, ...] = ()


@lru_cache(maxsize=1 << 16)
def glyph(character: str) -> Glyph:
    """Return how one character is read."""
    if character.isascii():
        return _ascii(character)
    if character in _LETTER_MARKS:
        return Glyph(OTHER, (character,))
    category = unicodedata.category(character)
    if category in _UNSEEN or character in _BLANK:
        return Glyph(HIDDEN)
    if category[0] == "Z":
        return Glyph(SPACE)
    if word := _spelled(character):
        return Glyph(PLAIN, word)
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return Glyph(DIGIT, (f"{digit}{LEET[str(digit)]}",))
    own = fold(character) or character
    alike = "".join(dict.fromkeys(look_alikes().get(own, "") + look_alikes().get(character, "")))
    alike = alike or _named(character)
    if category[0] in "LNM":
        if alike:
            return Glyph(ALIKE, ((own if len(own) == 1 else character) + alike,))
        return Glyph(OTHER, tuple(own))
    if alike:
        return Glyph(MARK, (alike,))
    weak = character in _WEAK or (category[0] == "P" and character not in _STRONG)
    return Glyph(WEAK if weak else STRONG)


def _ascii(character: str) -> Glyph:
    if character.isalpha():
        return Glyph(PLAIN, (character.lower(),))
    if character.isdigit():
        return Glyph(DIGIT, (character + LEET[character],))
    if character in _MARKS:
        return Glyph(MARK, (_MARKS[character],))
    if character.isspace():
        return Glyph(SPACE)
    if character in _STRONG:
        return Glyph(STRONG)
    return Glyph(WEAK if character in _WEAK else HIDDEN)


def _spelled(character: str) -> tuple[str, ...]:
    """Return the letters that a character is by its compatibility form or its name, or none."""
    if character == "ſ":
        return ("sf",)
    if enclosed := _ENCLOSED.fullmatch(unicodedata.name(character, "")):
        return (enclosed[1].lower(),)
    folded = fold(character)
    return tuple(folded) if folded.isascii() and folded.isalpha() and len(folded) <= 4 else ()


def fold(text: str) -> str:
    """Return a text in compatibility form, without case, accents and what is not shown."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    for ligature, letters in _LIGATURES:
        folded = folded.replace(ligature, letters)
    folded = unicodedata.normalize("NFKD", folded)
    unseen = [character for character in set(folded) if ord(character) in _unseen()]
    if len(unseen) > MAX_REPLACED:
        folded = folded.translate(_unseen())
        unseen = []
    for character in unseen:
        folded = folded.replace(character, "")
    return without_strays(folded)


@cache
def _unseen() -> dict[int, None]:
    """Return the characters that are not shown by themselves. All are in these planes."""
    planes = (*range(0x80, 0x1F000), *range(0xE0000, 0xE0200))
    hidden = [point for point in planes if unicodedata.category(chr(point)) in ("Cf", "Mn", "Me")]
    letters = set(map(ord, _LETTER_MARKS))
    return dict.fromkeys([*(point for point in hidden if point not in letters), *map(ord, _BLANK)])


@lru_cache(maxsize=1 << 12)
def symbol(letters: str) -> str:
    """Return the symbol of a letter in a skeleton: one for letters that are easily mistaken.

    `letters`: all that it can be read as. Its first Latin letter counts.
    """
    return next(
        (_SYMBOLS.get(letter, letter) for letter in letters if "a" <= letter <= "z"), letters[0]
    )


def script(character: str) -> str:
    """Return the script of a letter, as its Unicode name has it: `CYRILLIC`."""
    return unicodedata.name(character, "").partition(" ")[0]


def is_unspaced(name: str) -> bool:
    """Return whether a script is written without spaces."""
    return name in _UNSPACED_SCRIPTS


@cache
def look_alikes() -> dict[str, str]:
    """Return what looks like Latin letters and is none: each character, and the letters."""
    alike: dict[str, str] = {mark: letters for mark, letters in _MARKS.items() if mark > "\x7f"}
    for alphabet in _ALPHABETS:
        for letter, character in zip(LETTERS, alphabet, strict=True):
            _add(alike, character, letter)
            if len(character.lower()) == 1:
                _add(alike, character.lower(), letter)
    for character, others in confusables.confusables_data.items():
        if len(character) == 1:
            for other in others:
                _add(alike, character, _latin(other["c"], alike))
    return alike


def _add(alike: dict[str, str], character: str, letters: str) -> None:
    if not character.isascii():
        known = alike.get(character, "")
        alike[character] = known + "".join(letter for letter in letters if letter not in known)


def _latin(text: str, alike: dict[str, str]) -> str:
    """Return the Latin letter that the other side of a confusable pair is, or none."""
    bare = fold(text)
    if len(bare) != 1:
        return ""
    if bare.isascii():
        return bare if bare.isalpha() else LEET.get(bare, "")[:1]
    return _named(bare) or (alike.get(bare, "") if unicodedata.category(bare) == "Ll" else "")


def _named(character: str) -> str:
    """Return the Latin letter that the name of another letter has: `o` for `ø`."""
    name = _LATIN.fullmatch(unicodedata.name(character, ""))
    return name[1].lower() if name else ""
