"""The words of entries: in rows of their own, so that they can be erased and the entry stays.

An entry holds a commitment: an HMAC-SHA256 under a salt of the row's own. Without the row nobody
can tell by guessing what it said.
"""

import hmac
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from secrets import token_bytes
from typing import Any, Final

from kinward.ledger.kinds.fact import Fact, words_of_kind
from kinward.ledger.models import Entry, Words

MARK: Final = "words:"
ERASED: Final = "(erased)"
PART: Final = 500


def set_apart(fact: Fact) -> tuple[dict[str, Any], list[Words]]:
    """Return the data of an entry, and its words as rows to write. No words stay none."""
    data, rows = fact.data, list[Words]()
    for name in words_of_kind(type(fact)):
        if text := data.get(name):
            salt = token_bytes(32)
            row = Words(digest=_digest(salt, text), salt=salt, text=text)
            data[name] = f"{MARK}{row.digest}"
            rows.append(row)
    return data, rows


def _digest(salt: bytes, text: str) -> str:
    return hmac.new(salt, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


def in_full(entries: Iterable[Entry]) -> Iterator[tuple[Entry, dict[str, Any]]]:
    """Yield entries, each with its data and the words themselves; "(erased)" where they are gone.

    Entries of earlier versions hold their words, and stay as they are.
    """
    rest = iter(entries)
    while part := list(islice(rest, PART)):
        held = [(entry, entry.data if isinstance(entry.data, dict) else {}) for entry in part]
        told = {_told(value) for _, data in held for value in data.values()} - {""}
        kept = Words.objects.filter(pk__in=told) if told else ()
        texts = {row.digest: row.text for row in kept}
        for entry, data in held:
            yield entry, {name: _in_full(value, texts) for name, value in data.items()}


def _in_full(value: Any, texts: Mapping[str, str]) -> Any:
    digest = _told(value)
    return texts.get(digest, ERASED) if digest else value


def _told(value: Any) -> str:
    """Return the digest of a commitment; "" for any other value."""
    told = isinstance(value, str) and value.startswith(MARK) and len(value) == len(MARK) + 64
    return value.removeprefix(MARK) if told else ""


def says(value: Any, text: Any) -> bool:
    """Return whether a field of an entry says just this. Words that are gone say nothing."""
    digest = _told(value)
    if not digest:
        return bool(value == text)
    row = Words.objects.filter(pk=digest).first()
    return row is not None and _digest(bytes(row.salt), str(text)) == digest


def is_intact(row: Words) -> bool:
    """Return whether words are those to which their entry is committed."""
    return _digest(bytes(row.salt), row.text) == row.digest
