"""What a decision says to a person, in every language there is a catalogue for.

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
    found = {"en": english}
    for each in files("kinward").joinpath("locale").iterdir():
        compiled = each.joinpath("LC_MESSAGES", "policy.mo")
        if compiled.is_file():
            with compiled.open("rb") as file:
                found[each.name] = _translated(english, GNUTranslations(file))
    return found


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
    """The sentence of a reason code, with `{…}` where it is to be filled in."""
    return str(_CATALOGUE[language]["reason"][code])


def reason_codes() -> tuple[str, ...]:
    """Every reason code there is."""
    return tuple(_CATALOGUE["en"]["reason"])


def capability_words(name: str, language: str, own: dict[str, str] | None) -> str:
    """What a capability is called; `own` are the words of a pack's own capability."""
    if own:
        return own.get(language) or own.get("en") or name
    return str(_CATALOGUE[language]["capability"].get(name, name))


def value_words(kind: ValueKind, code: int, language: str) -> str:
    """A value in words, such as `only followers` or `60 minutes`."""
    said = _CATALOGUE[language]["value"]
    if kind is MINUTES:
        return str(said["unlimited" if code == kind.open_code else "minutes"]).format(value=code)
    if kind is HOURS and code not in (0, kind.open_code):
        spans = (_span_words(span, said) for span in str(kind.value(code)).split(", "))
        return str(said["hours"]).format(value=", ".join(spans))
    word = str(kind.value(code))
    return str(said["audience" if kind is AUDIENCE else "word"].get(word, word))


def _span_words(span: str, words: dict[str, Any]) -> str:
    """A span of hours such as `07:00-22:00`, as the language writes it."""
    opens, closes = (_clock_words(time, words["clock"]) for time in span.split("-"))
    return str(words["span"]).format(opens=opens, closes=closes)


def _clock_words(time: str, words: dict[str, Any]) -> str:
    hour, minute = time.split(":")
    shape = "whole" if minute == "00" else "half"
    return str(words[shape]).format(hour=int(hour), minute=minute)


def effect_words(effect: str, kind: ValueKind | None, code: int, language: str) -> str:
    """What an effect and its value come to."""
    if effect == "limit" and kind is not None:
        return value_words(kind, code, language)
    return str(_CATALOGUE[language]["effect"][effect])
