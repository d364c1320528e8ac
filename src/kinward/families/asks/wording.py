"""The words for an ask and for a value."""

from kinward.experience.api import live
from kinward.families.models import Ask
from kinward.policy import (
    ValueKind,
    Weekly,
    capability_words,
    known_language,
    minutes_words,
    value_words,
)


def words_of_ask(ask: Ask, language: str) -> str:
    """Return what an ask is about, in one line of a language."""
    language = known_language(language)
    if ask.minutes is not None:
        return minutes_words("time.more", ask.minutes, language)
    pack = live().in_force().for_account(ask.teen.platform_id)
    known = None if pack is None else pack.capabilities.get(ask.capability)
    own = None if pack is None else pack.ruling.words(ask.capability)
    name = capability_words(ask.capability, language, own)
    if known is None or ask.value is None:
        return name
    return f"{name}: {words_of_value(known.kind, ask.value, language)}"


def words_of_value(kind: ValueKind, value: Weekly, language: str) -> str:
    """Return a value, or the distinct values of a week, in words."""
    language = known_language(language)
    week = value if isinstance(value, tuple | list) else (value,)
    words = [value_words(kind, kind.code(day), language) for day in week]
    return " / ".join(dict.fromkeys(words))
