"""A text in the order in which it is shown, and read from the other side. Pure.

Invisible marks can make a text run backwards, so the order of its characters is worked out by the
rules of Unicode's bidirectional algorithm (UAX #9). Brackets are not mirrored.
"""

# ruff: noqa: RUF001  # letters that look alike are what this is about

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

MAX_DEPTH: Final = 125  # levels, as the algorithm has it
_LRE, _RLE, _PDF, _LRO, _RLO = "\u202a\u202b\u202c\u202d\u202e"
_LRI, _RLI, _FSI, _PDI = "\u2066\u2067\u2068\u2069"
_CONTROLS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_REMOVED: Final = frozenset({_LRE, _RLE, _PDF, _LRO, _RLO})
_ISOLATES: Final = frozenset({_LRI, _RLI, _FSI})
_OPENING: Final = _ISOLATES | {_LRE, _RLE, _LRO, _RLO}
_PARAGRAPHS: Final = re.compile("([\n\r\x1c-\x1e\x85\u2029])")
_STRONG: Final = {"L": "L", "R": "R", "AL": "R"}
_NUMBERS: Final = frozenset({"EN", "AN"})
# HTML's own way to write backwards.
_BDO: Final = re.compile(
    r"<bdo\s[^<>]{0,200}?dir\s*=\s*[\"']?(rtl|ltr)[^<>]{0,200}>", re.IGNORECASE
)
_BDO_END: Final = re.compile(r"</bdo\s*>", re.IGNORECASE)

# The letters a to z upside down, and as in a mirror. Both are read from the right to the left.
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_UPSIDE_DOWN: Final = (
    "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz",
    "∀ᗺƆᗡƎℲ⅁HIſ⋊˥WNOԀΌᴚSʇ∩ΛMX⅄Z",
    "ɐqɔpəɟɓɥıɾʞןɯuodbɹs⊥nʌʍxʎz",
)
_MIRRORED: Final = ("ɒdɔbɘʇǫʜiꞁʞlmnoqpɿƨƚuvwxγz", "AᗺƆᗡƎꟻӘHIႱ⋊⅃MИOꟼỌЯƧTUVWXYZ")


class _Level(NamedTuple):
    level: int
    override: str
    isolate: bool


def in_shown_order(text: str) -> str:
    """Return a text with its characters in the order in which a screen shows them."""
    if "<" in text and "bdo" in text.lower():
        text = _BDO.sub(lambda tag: _RLO if tag[1].lower() == "rtl" else _LRO, text)
        text = _BDO_END.sub(_PDF, text)
    if text.isascii() or not _CONTROLS.search(text):
        return text
    return "".join(map(_ordered, _PARAGRAPHS.split(text)))


def _ordered(paragraph: str) -> str:
    """Return one paragraph in the order in which it is shown, without what is not shown of it."""
    if not _CONTROLS.search(paragraph):
        return paragraph
    base = _base(paragraph)
    found = _Embedded(paragraph, base)
    characters, levels = found.characters, found.levels
    for sequence, before, after in list(_sequences(levels, found.partners, base)):
        _resolve(found.kinds, levels, sequence, before, after)
    runs = [
        (level, "".join(characters[at] for at in places))
        for level, places in groupby(range(len(characters)), key=levels.__getitem__)
    ]
    return _reordered(runs)


def _base(text: str) -> int:
    """Return the level of a paragraph: 1 if its first strong letter runs to the left."""
    depth = 0
    for character in text:
        if character in _ISOLATES:
            depth += 1
        elif character == _PDI:
            depth = max(0, depth - 1)
        elif not depth and (strong := _STRONG.get(unicodedata.bidirectional(character))):
            return int(strong == "R")
    return 0


class _Embedded:
    """The characters of a paragraph that count, the kind and level of each, and isolates."""

    def __init__(self, text: str, base: int) -> None:
        self.characters: list[str] = []
        self.kinds: list[str] = []
        self.levels: list[int] = []
        self.partners: dict[int, int] = {}  # the end of an isolate, and its beginning
        self._stack, self._opened = [_Level(base, "", False)], list[int]()
        self._beyond: list[str] = []  # what was opened deeper than the algorithm goes
        for at, character in enumerate(text):
            if character in _ISOLATES:
                self._opened.append(len(self.characters))
                self._put(character)
            if character in _OPENING:
                self._open(_entered(self._stack[-1], character, text, at), character)
            elif character == _PDF:
                self._close()
            elif character == _PDI:
                self._leave()
                self._put(character)
            else:
                self._put(character)

    def _put(self, character: str) -> None:
        top = self._stack[-1]
        self.characters.append(character)
        self.kinds.append(top.override or unicodedata.bidirectional(character))
        self.levels.append(top.level)

    def _open(self, new: _Level, control: str) -> None:
        if new.level > MAX_DEPTH or self._beyond:
            self._beyond.append(control)
        else:
            self._stack.append(new)

    def _close(self) -> None:
        """Close the last embedding that was opened in this isolate."""
        if self._beyond:
            if self._beyond[-1] not in _ISOLATES:
                self._beyond.pop()
        elif len(self._stack) > 1 and not self._stack[-1].isolate:
            self._stack.pop()

    def _leave(self) -> None:
        """Close an isolate, and whatever was opened inside it."""
        if not self._opened:
            return
        self.partners[len(self.characters)] = self._opened.pop()
        while self._beyond:
            if self._beyond.pop() in _ISOLATES:
                return
        while len(self._stack) > 1 and not self._stack.pop().isolate:
            pass


def _entered(top: _Level, control: str, text: str, at: int) -> _Level:
    """Return the level that a control opens."""
    left = control in (_RLE, _RLO, _RLI) or (control == _FSI and _base(_inside(text, at)) == 1)
    level = (top.level + 1) | 1 if left else (top.level + 2) & ~1
    override = {_RLO: "R", _LRO: "L"}.get(control, "")
    return _Level(level, override, control in _ISOLATES)


def _inside(text: str, at: int) -> str:
    """Return the first characters of an isolate, enough to see how it runs."""
    return text[at + 1 : at + 200].partition(_PDI)[0]


def _sequences(
    levels: list[int], partners: dict[int, int], base: int
) -> Iterator[tuple[list[int], int, int]]:
    """Yield runs of one level, joined across isolates, and the levels before and after each."""
    runs = [list(places) for _, places in groupby(range(len(levels)), key=levels.__getitem__)]
    by_end: dict[int, list[int]] = {}
    sequences: list[list[int]] = []
    for run in runs:
        opener = partners.get(run[0])
        sequence = by_end.pop(opener, None) if opener is not None else None
        if sequence is None:
            sequences.append(sequence := [])
        sequence += run
        by_end[run[-1]] = sequence
    for sequence in sequences:
        first, last = sequence[0], sequence[-1]
        before = levels[first - 1] if first else base
        after = levels[last + 1] if last + 1 < len(levels) else base
        yield sequence, before, after


def _resolve(
    kinds: list[str], levels: list[int], sequence: list[int], before: int, after: int
) -> None:
    """Raise the levels of a sequence by what its characters are: letters, numbers and the rest."""
    level = levels[sequence[0]]
    start, end = ("R" if max(level, other) % 2 else "L" for other in (before, after))
    own = "R" if level % 2 else "L"
    found = _strong_kinds([kinds[at] for at in sequence], start)
    place = 0
    while place < len(found):
        if found[place]:
            place += 1
            continue
        until = place
        while until < len(found) and not found[until]:
            until += 1
        left = _side(found[place - 1]) if place else start
        right = _side(found[until]) if until < len(found) else end
        found[place:until] = [left if left == right else own] * (until - place)
        place = until
    for at, kind in zip(sequence, found, strict=True):
        if level % 2:
            levels[at] += kind != "R"
        else:
            levels[at] += 2 if kind in _NUMBERS else kind == "R"


def _side(kind: str) -> str:
    return "R" if kind in _NUMBERS else kind


def _strong_kinds(kinds: list[str], start: str) -> list[str]:
    """Return L, R, EN or AN for each character of a sequence, and nothing for what is neutral."""
    last, found = start, list[str]()
    for at, kind in enumerate(kinds):
        if kind == "NSM":
            found.append(found[-1] if found else start)
        elif kind == "EN":
            found.append("L" if last == "L" else "EN")
        elif kind == "AN":
            found.append("AN")
        elif kind in ("CS", "ES", "ET") and 0 < at < len(kinds) - 1 and kinds[at + 1] == "EN":
            found.append(found[-1] if found[-1] in ("L", "EN") and kinds[at - 1] == "EN" else "")
        else:
            found.append(_STRONG.get(kind, ""))
            last = found[-1] or last
    return found


def _reordered(runs: list[tuple[int, str]]) -> str:
    """Return runs in the order in which they are shown: reversed once for each level."""
    for level in sorted({level for level, _ in runs}, reverse=True):
        lower = max((other for other, _ in runs if other < level), default=0)
        if (level - lower) % 2 == 0:
            continue  # reversed as often to one side as to the other
        ordered: list[tuple[int, str]] = []
        for reaches, group in groupby(runs, key=lambda run: run[0] >= level):
            part = list(group)
            ordered += [(one, text[::-1]) for one, text in reversed(part)] if reaches else part
        runs = ordered
    return "".join(text for _, text in runs if text).translate(_HIDDEN)


_HIDDEN: Final = dict.fromkeys(map(ord, [*_REMOVED, *_ISOLATES, _PDI]))


def _sides() -> list[tuple[dict[str, str], frozenset[str]]]:
    """Return for each way to turn letters what each is read as, and those that show the turn."""
    sides = []
    for alphabets in (_UPSIDE_DOWN, _MIRRORED):
        read: dict[str, str] = {}
        for alphabet in alphabets:
            for letter, turned in zip(_LETTERS, alphabet, strict=True):
                read.setdefault(turned, letter)
        sides.append((read, frozenset(letter for letter in read if not letter.isascii())))
    return sides


_SIDES: Final = _sides()


def from_other_side(text: str) -> list[str]:
    """Return readings of the words that are written upside down or as in a mirror.

    Each letter of such a word has to be one that can be turned, and one of them has to be turned.

    >>> from_other_side("look, \u01dd\u0287\u0131\u029e")
    ['kite']
    """
    if text.isascii():
        return []
    readings = []
    for read, turned in _SIDES:
        if turned.isdisjoint(text):
            continue
        for is_turned, words in groupby(
            text.split(), key=lambda word: not turned.isdisjoint(word) and set(word) <= read.keys()
        ):
            if is_turned:
                readings.append(
                    "".join(read.get(letter, letter) for letter in " ".join(words)[::-1])
                )
    return readings
