"""Neutral words, written as somebody writes a word that a keyword is not to find."""

# ruff: noqa: RUF001  # letters that look alike are what this is about

import html
import random
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from confusable_homoglyphs import confusables

WORDS: Final = (
    *("seashells", "driftwood", "lighthouse", "kelpnet", "harbour", "limpet", "anchor", "compass"),
    *("rockpool", "barnacle", "starfish", "pebbles", "seagull", "oyster", "breeze", "coastline"),
    *("marina", "sailing", "schooner", "tidepool", "puffin", "walrus", "dolphin", "turtle"),
    *("plankton", "saltmarsh", "windmill", "captain", "lagoon", "island", "beacon", "rowing"),
    *("fishing", "currents", "boat", "dune", "reef", "wave", "shell", "coral"),
    *("sea shells", "drift wood fire", "light house", "low tide", "wind and waves", "north star"),
    *("blue whale", "rock pool", "salt water", "summer island"),
)
_LEET: Final = {"a": "4@", "e": "3", "i": "1!", "l": "1|", "o": "0", "s": "5$", "t": "7+", "b": "8"}
_HIDDEN: Final = (
    "\u200b\u200c\u200d\u2060\u00ad\u034f\ufe0f\u200e\u202c\u3164\u115f\U000e0061\u180e"
)
_EMOJI: Final = "🌊🐚⭐🔥🙂✨"
_STACKED: Final = "\u0336\u0334\u0321\u0353\u0308\u0301\u0489"
_FONTS: Final = (0x1D400, 0x1D41A - 26, 0x1D5D4, 0x1D670, 0x1D4D0, 0xFF21, 0x24B6, 0x1F130, 0x1F150)
_CAPITALS: Final = (*_FONTS, 0x1F170, 0x1F1E6, 0x1F110)
_SMALL_CAPITALS: Final = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡxʏᴢ"
_CYRILLIC: Final = dict(zip("aceopxyikmhbtsj", "асеорхуікмнвтѕј", strict=True))
_GREEK: Final = dict(zip("aeiknoptuvxyw", "αειкηορτυνχγω", strict=True))


class Evasion(NamedTuple):
    """A text with a keyword that is hidden in one way."""

    way: str
    keyword: str
    text: str


Way = Callable[[str, random.Random], str]


def _alike(letter: str) -> list[str]:
    """Return what Unicode says looks like a letter."""
    entries = confusables.confusables_data.get(letter, [])
    single = [str(entry["c"]) for entry in entries if len(str(entry["c"])) == 1]
    return [
        other for other in single if unicodedata.category(other)[0] == "L" and not other.isascii()
    ]


_ALIKE: Final = {letter: _alike(letter) for letter in "abcdefghijklmnopqrstuvwxyz"}


def _some(word: str, change: Callable[[str], str], dice: random.Random, share: float = 0.4) -> str:
    """Change some letters, at least one of those that change at all."""
    can = [at for at, letter in enumerate(word) if change(letter) != letter]
    chosen = {at for at in can if dice.random() < share} | ({dice.choice(can)} if can else set())
    return "".join(change(letter) if at in chosen else letter for at, letter in enumerate(word))


def _figures(word: str, dice: random.Random) -> str:
    inner = word[1:-1]
    changed = _some(inner, lambda letter: _LEET.get(letter, letter)[0], dice)
    return word[0] + changed + word[-1]


def _all_figures(word: str, dice: random.Random) -> str:
    figures = "".join(_LEET.get(letter, letter)[0] for letter in word[:-1]) + word[-1]
    return figures if len(word) > 5 else _figures(word, dice)


def _marks(word: str, dice: random.Random) -> str:
    return word[0] + _some(word[1:-1], lambda one: _LEET.get(one, one)[-1], dice) + word[-1]


def _edges(word: str, dice: random.Random) -> str:
    first = {"s": "$", "a": "@"}.get(word[0], word[0]) if len(word) > 5 else word[0]
    return dice.choice(["", "@", "#", "*", "("]) + first + word[1:] + dice.choice("!$@*)|?~")


def _confusables(word: str, dice: random.Random) -> str:
    return _some(word, lambda one: dice.choice(_ALIKE.get(one) or [one]), dice)


def _other_script(word: str, dice: random.Random) -> str:
    table = dice.choice([_CYRILLIC, _GREEK])
    return _some(word, lambda one: table.get(one, one), dice, 0.8)


def _small_capitals(word: str, _: random.Random) -> str:
    return "".join(_SMALL_CAPITALS[ord(one) - 97] if one.islower() else one for one in word)


def _fonts(word: str, dice: random.Random) -> str:
    first = dice.choice(_CAPITALS)
    return "".join(chr(first + ord(one) - 97) if one.islower() else one for one in word)


def _between(word: str, put: Callable[[], str], dice: random.Random, share: float) -> str:
    """Put something between letters, at least once. Never beside a space."""
    places = [at for at in range(1, len(word)) if " " not in word[at - 1 : at + 1]]
    chosen = {at for at in places if dice.random() < share} | {dice.choice(places)}
    return "".join((put() if at in chosen else "") + letter for at, letter in enumerate(word))


def _hidden(word: str, dice: random.Random) -> str:
    return _between(word, lambda: dice.choice(_HIDDEN), dice, 0.5)


def _emoji(word: str, dice: random.Random) -> str:
    return _between(word, lambda: dice.choice(_EMOJI), dice, 0.3)


def _stars(word: str, dice: random.Random) -> str:
    mark = dice.choice(["*", "~", "^", "**", "`", "•"])
    return _between(word, lambda: mark, dice, 0.3)


def _apart(word: str, dice: random.Random) -> str:
    mark = dice.choice([".", "-", "_", "*", "/", "~", ",", " "])
    return mark.join(word.replace(" ", "") if mark == " " else word.replace(" ", mark))


def _html(word: str, dice: random.Random) -> str:
    tag = dice.choice(["b", "i", "em", "span", "u"])
    at = dice.randrange(1, len(word))
    style = ' class="x"' if tag == "span" else ""
    return dice.choice(
        [
            f"<{tag}{style}>{word[:at]}</{tag}>{word[at:]}",
            f"[b]{word[:at]}[/b]{word[at:]}",
            f"{word[:at]}<!-- note -->{word[at:]}",
            f"{word[:at]}**{word[at:]}**" if " " not in word[at - 1 : at + 1] else f"**{word}**",
        ]
    )


def _entities(word: str, dice: random.Random) -> str:
    return _some(word, lambda one: f"&#{ord(one)};" if one.isalpha() else one, dice)


def _stacked(word: str, dice: random.Random) -> str:
    return "".join(one + "".join(dice.choices(_STACKED, k=dice.randint(1, 4))) for one in word)


def _repeated(word: str, dice: random.Random) -> str:
    return _some(word, lambda one: one * dice.randint(3, 6) if one.isalpha() else one, dice, 0.2)


def _hashtag(word: str, _: random.Random) -> str:
    return "#" + "".join(part.capitalize() for part in word.split(" "))


def _joined(word: str, _: random.Random) -> str:
    return word.replace(" ", "")


def _long_hashtag(word: str, dice: random.Random) -> str:
    return f"#My{_hashtag(word, dice)[1:]}Day"


def _turned(word: str, _: random.Random) -> str:
    return f"\u202e{word[::-1]}\u202c"


def _shape(word: str, _: random.Random) -> str:
    changed = word.replace("l", "I").replace("w", "vv")
    return changed if changed != word else word.upper()


def _case(word: str, dice: random.Random) -> str:
    return "".join(dice.choice([one.upper(), one]) for one in word)


def _accents(word: str, dice: random.Random) -> str:
    marks = "\u0301\u0300\u0302\u0308"
    return unicodedata.normalize("NFC", "".join(one + dice.choice(marks) for one in word))


def _figures_and_stars(word: str, dice: random.Random) -> str:
    return _stars(_figures(word, dice), dice)


def _alike_and_hidden(word: str, dice: random.Random) -> str:
    return _hidden(_confusables(word, dice), dice)


def _years(word: str, dice: random.Random) -> str:
    return f"{word}{dice.randint(1, 2030)}" if len(word) > 5 else f"_{word}_"


WAYS: Final[dict[str, Way]] = {
    "digits for letters": _figures,
    "digits for all letters": _all_figures,
    "marks for letters": _marks,
    "marks at the edge": _edges,
    "look-alikes of Unicode's table": _confusables,
    "Cyrillic or Greek letters": _other_script,
    "small capitals": _small_capitals,
    "fonts, circles, squares, flags": _fonts,
    "what is not shown": _hidden,
    "emoji between letters": _emoji,
    "stars between letters": _stars,
    "letters apart": _apart,
    "markup": _html,
    "entities": _entities,
    "stacked marks": _stacked,
    "accents": _accents,
    "repeated letters": _repeated,
    "hashtag": _hashtag,
    "hashtag with more words": _long_hashtag,
    "joined": _joined,
    "written backwards": _turned,
    "I for l, vv for w": _shape,
    "any case": _case,
    "digits and stars": _figures_and_stars,
    "look-alikes and what is not shown": _alike_and_hidden,
    "with a number": _years,
}
_AROUND: Final = ("{}", "look, {} here", "I like {} a lot", "({})", "“{}”", "is it {}?", "{}, ok")


def evasions(count: int, seed: int = 16) -> Iterator[Evasion]:
    """Yield so many evasions: each way in turn, of each word in turn."""
    dice = random.Random(seed)
    ways = list(WAYS.items())
    for number in range(count):
        way, write = ways[number % len(ways)]
        word = WORDS[number // len(ways) % len(WORDS)]
        yield Evasion(way, word, dice.choice(_AROUND).format(write(word, dice)))


def found_literally(text: str) -> str:
    """Return a text as a browser shows it, for messages of tests."""
    return html.escape(ascii(text))
