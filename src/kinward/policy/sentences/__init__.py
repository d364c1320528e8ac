"""What a decision says to a person, in every language there is a file for.

A translator adds a language by adding one TOML file beside `en.toml`, with the same keys.
"""

import tomllib
from importlib.resources import files
from typing import Any, Final

from kinward.policy.values import AUDIENCE, HOURS, MINUTES, Kind


def _read() -> dict[str, dict[str, Any]]:
    found = {}
    for each in files(__name__).iterdir():
        if each.name.endswith(".toml"):
            found[each.name.removesuffix(".toml")] = tomllib.loads(each.read_text(encoding="utf-8"))
    return found


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


def value_words(kind: Kind, code: int, language: str) -> str:
    """A value in words, such as `only followers` or `60 minutes a day`."""
    said = _CATALOGUE[language]["value"]
    if kind is MINUTES:
        return str(said["unlimited" if code == kind.open_code else "minutes"]).format(value=code)
    if kind is HOURS and code not in (0, kind.open_code):
        return str(said["hours"]).format(value=kind.value(code))
    word = str(kind.value(code))
    return str(said["audience" if kind is AUDIENCE else "word"].get(word, word))


def effect_words(effect: str, kind: Kind | None, code: int, language: str) -> str:
    """What an effect and its value come to."""
    if effect == "limit" and kind is not None:
        return value_words(kind, code, language)
    return str(_CATALOGUE[language]["effect"][effect])
