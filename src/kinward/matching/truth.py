"""What lists write for yes, no and a number from 0 to 100. Any other value is an error. Pure.

Spreadsheets write a truth value in the language of the person who saves the file.
"""

import re
from typing import Any, Final

# English, German, French, Spanish, Italian, Portuguese, Dutch and Polish spreadsheets.
TRUE_WORDS: Final = frozenset(
    (
        *("true", "yes", "wahr", "vrai", "verdadero", "vero", "verdadeiro", "waar", "prawda"),
        *("ja", "oui", "sí", "sì"),
    )
)
FALSE_WORDS: Final = frozenset(
    ("false", "no", "falsch", "faux", "falso", "onwaar", "fałsz", "nein", "non")
)
# `1.0` is how pandas writes a truth value of a column with gaps.
TRUE: Final = TRUE_WORDS | {"t", "y", "1", "1.0"}
FALSE: Final = FALSE_WORDS | {"f", "n", "0", "0.0", ""}
_PERCENT: Final = re.compile(
    r"(?P<whole>[0-9]{1,3})(?:\.(?P<part>[0-9]{1,6})|,(?P<comma>[0-9]{1,2}))?"
)


def truth(value: Any) -> bool:
    """Return whether a list says yes. Nothing said is no. Raises `ValueError` for other values.

    >>> truth("False"), truth(" YES "), truth(""), truth(None), truth(1)
    (False, True, False, False, True)
    """
    if value is None or isinstance(value, bool):
        return bool(value)
    text = str(value).strip().casefold() if isinstance(value, str | int | float) else None
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise ValueError(f"{shown(value)} is neither true nor false: write `true` or `false`")


def is_truth_word(text: str) -> bool:
    """Return whether a text can only be meant as yes or no. A digit or a letter may be anything."""
    return text.strip().casefold() in TRUE_WORDS | FALSE_WORDS


def percent(value: Any) -> float | None:
    """Return a quality from 0 to 100, or None if nothing is said. Raises `ValueError`.

    >>> percent("49"), percent("100.0"), percent("49,5"), percent("")
    (49.0, 100.0, 49.5, None)
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{shown(value)} is not a number from 0 to 100")
    text = str(value).strip()
    if not text:
        return None
    match = _PERCENT.fullmatch(text)
    number = float(text.replace(",", ".")) if match else -1.0
    if not 0 <= number <= 100:
        raise ValueError(f"{shown(value)} is not a number from 0 to 100")
    if 0 < number < 1:
        raise ValueError(f"{shown(value)} is a fraction: write a number from 0 to 100")
    return number


def shown(value: Any) -> str:
    """Return a stranger's value as a sentence may quote it: short, on one line, and no markup.

    >>> shown("maybe" * 20)
    "'maybemaybemaybemaybemaybemayb…'"
    """
    if not isinstance(value, str | int | float | bool):
        return f"a {type(value).__name__}"
    text = str(value)[:200]
    return repr(text if len(text) <= 30 else f"{text[:29]}…")
