"""The words of a decision for a person, in every language with a catalogue.

The English is in `en.toml`. A translation is a gettext catalogue, domain `policy`, in
`kinward/locale`, where the key of a sentence is its context: `reason/age.unknown`.
"""

import tomllib
from gettext import GNUTranslations
from importlib.resources import files
from typing import Any, Final

from kinward.policy.values import AUDIENCE, HOURS, MINUTES, ValueKind


def _read() -> dict[str, dict[str, Any]]:
    english = tomllib.loads(files(__name__).joinpath("en.toml").read_text(encoding="utf-8"))
    catalogues = {"en": english}
    for directory in files("kinward").joinpath("locale").iterdir():
        compiled = directory.joinpath("LC_MESSAGES", "policy.mo")
        if compiled.is_file():
            with compiled.open("rb") as file:
                catalogues[directory.name] = _translated(english, GNUTranslations(file))
    return catalogues


def _translated(
    table: dict[str, Any], catalogue: GNUTranslations, prefix: str = ""
) -> dict[str, Any]:
    return {
        key: _translated(value, catalogue, f"{prefix}{key}/")
        if isinstance(value, dict)
        else catalogue.pgettext(f"{prefix}{key}", value)
        for key, value in table.items()
    }


_CATALOGUE: Final = _read()
LANGUAGES: Final = tuple(sorted(_CATALOGUE))


def reason_words(code: str, language: str) -> str:
    """Return the sentence of a reason code, with `{…}` for its values."""
    return str(_CATALOGUE[language]["reason"][code])


def minutes_words(code: str, minutes: int, language: str) -> str:
    """Return the sentence of a reason that counts minutes, such as `time.left`."""
    if _is_one(minutes, language):
        return str(_CATALOGUE[language]["one"][code]).format(value=minutes)
    return reason_words(code, language).format(minutes=minutes)


def _is_one(count: int, language: str) -> bool:
    """Return whether a count takes the singular: in French nothing does, too."""
    return count == 1 or (count == 0 and language == "fr")


def reason_codes() -> tuple[str, ...]:
    """Return every reason code."""
    return tuple(_CATALOGUE["en"]["reason"])


def capability_words(name: str, language: str, own: dict[str, str] | None) -> str:
    """Return the words for a capability. `own` are those of a pack's own, by language."""
    if own:
        return own.get(language) or own.get("en") or name
    return str(_CATALOGUE[language]["capability"].get(name, name))


def value_words(kind: ValueKind, code: int, language: str) -> str:
    """Return a value in words, such as `only followers` or `60 minutes`."""
    words = _CATALOGUE[language]["value"]
    if kind is MINUTES:
        if _is_one(code, language):
            return str(_CATALOGUE[language]["one"]["minutes"]).format(value=code)
        return str(words["unlimited" if code == kind.open_code else "minutes"]).format(value=code)
    if kind is HOURS and code not in (0, kind.open_code):
        spans = (_span_words(span, words) for span in str(kind.value(code)).split(", "))
        return str(words["hours"]).format(value=", ".join(spans))
    word = str(kind.value(code))
    return str(words["audience" if kind is AUDIENCE else "word"].get(word, word))


def _span_words(span: str, words: dict[str, Any]) -> str:
    """A span of hours such as `07:00-22:00`, as the language writes it."""
    opens, closes = (_clock_words(time, words["clock"]) for time in span.split("-"))
    return str(words["span"]).format(opens=opens, closes=closes)


def _clock_words(time: str, words: dict[str, Any]) -> str:
    hour, minute = time.split(":")
    shape = "whole" if minute == "00" else "half"
    return str(words[shape]).format(hour=int(hour), minute=minute)


def effect_words(effect: str, kind: ValueKind | None, code: int, language: str) -> str:
    """Return an effect in words, or the value if the effect is a limit."""
    if effect == "limit" and kind is not None:
        return value_words(kind, code, language)
    return str(_CATALOGUE[language]["effect"][effect])
