"""What the columns of a list mean, under the names that tools give them. Pure.

A column whose name is not known is left out, unless its values say yes or no, or its name speaks of
removal, of a status or the like: such a column may say that an entry does not count, so its list is
refused.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from kinward.matching.kinds import CARRIED, COLUMNS, HashKind, kind_named
from kinward.matching.standing import speaks_of_standing, words_of
from kinward.matching.truth import is_truth_word, percent, shown, truth

MAX_COLUMNS: Final = 200
_MEANINGS: Final = {
    "reference": ("reference",),
    "label": ("label", "severity", "category", "classification"),
    "quality": (
        *("quality", "pdq_quality", "hash_quality", "quality_score", "pdq_quality_score"),
        *("quality_0_100", "pdq_quality_0_100", "hash_quality_score"),
    ),
    "hash_type": (
        *("hash_type", "hashtype", "hash_kind", "hash_name", "hashname", "hash_algorithm"),
        *("type", "kind", "algorithm", "algo", "signal_type", "indicator_type"),
    ),
    "value": ("value", "indicator", "signal", "signal_str", "signal_value", "hashvalue"),
    "removed": (
        *("removed", "is_removed", "deleted", "is_deleted", "withdrawn", "is_withdrawn"),
        *("revoked", "is_revoked", "retracted", "is_retracted", "remove", "delete", "tombstone"),
        *("tombstoned", "is_tombstone"),
    ),
    # An entry counts if these say yes or nothing …
    "counts": (
        *("active", "is_active", "enabled", "is_enabled", "valid", "is_valid"),
        *("csam", "is_csam", "malicious", "is_malicious"),
    ),
    # … and if these say no or nothing.
    "void": (
        *("false_positive", "is_false_positive", "disputed", "is_disputed", "expired"),
        *("whitelisted", "allowlisted", "benign", "harmless", "is_benign", "is_harmless"),
        *("fp", "is_fp", "inactive", "is_inactive", "invalid", "is_invalid", "is_expired"),
        *("disabled", "is_disabled"),
    ),
    # Texts, which may happen to be a word for yes or no.
    "text": (
        *("file", "filename", "file_name", "path", "name", "title", "description", "notes"),
        *("comment", "comments", "tags", "source", "country", "language", "lang"),
    ),
    # These say what to do with an entry, in words that differ from list to list.
    "unread": (
        *("status", "state", "action", "operation", "op", "change", "change_type"),
        *("removed_at", "deleted_at", "withdrawn_at", "revoked_at", "removed_on", "deleted_on"),
        *("valid_until", "valid_to"),
    ),
}
_BY_NAME: Final = {name: meaning for meaning, names in _MEANINGS.items() for name in names}
_SEVERAL: Final = ("counts", "void", "text", "unread", "")  # meanings that several columns may have
_WORD: Final = re.compile(r"[^\W_]+")
_FILLERS: Final = frozenset(
    ("hash", "value", "checksum", "digest", "sum", "file", "hex", "video", "photo", "image")
)
_DIGESTS: Final = {
    ("md5",): "md5",
    ("md5sum",): "md5",
    ("sha1",): "sha1",
    ("sha", "1"): "sha1",
    ("sha1sum",): "sha1",
    ("sha256",): "sha256",
    ("sha", "256"): "sha256",
    ("sha2", "256"): "sha256",
    ("sha256sum",): "sha256",
    ("pdq",): "pdq",
}
# Kinds whose names contain those of others, and that are carried.
_CARRIED: Final = ("tmk_pdqf", "pdqf", "vpdq", "sha512", "sha384", "sha224", "sha3_256")
_STEM: Final = re.compile(r"md5|sha[0-9]|^sha$|pdq|url|keyword")


def meaning_of(name: str) -> str:
    """Return what a column with this name means; empty if that is not known.

    >>> [meaning_of(name) for name in ("MD5 Hash", "SHA-1", "hash", "Removed?", "notes", "mood")]
    ['md5', 'sha1', 'value', 'removed', 'text', '']
    """
    words, plain = tuple(words_of(name)), tuple(_WORD.findall(name.casefold()))
    known = _BY_NAME.get("_".join(plain)) or _BY_NAME.get("_".join(words))
    if known:
        return known
    kind = _named_digest(plain) or _named_digest(words)
    if kind in COLUMNS:
        return kind
    if words and not set(words) - _FILLERS and "hash" in words[:2]:
        return "value"
    return "unread" if speaks_of_standing(words) else ""


def _named_digest(words: tuple[str, ...]) -> str:
    return _DIGESTS.get(tuple(word for word in words if word not in _FILLERS), "")


def kind_listed(text: str) -> HashKind:
    """Return the kind that a list names. Raises `ValueError` for what may be a misspelt one.

    >>> kind_listed("SHA2-256").name, kind_listed("photodna").name
    ('sha256', 'photodna')
    """
    kind = kind_named(_named_digest(tuple(_WORD.findall(text.casefold()))) or text)
    if not kind.matched and kind.name not in _CARRIED and _STEM.search(kind.name.replace("_", "")):
        raise ValueError(f"{shown(text)} is not the name of a kind of hash")
    return kind


class Entry(msgspec.Struct, frozen=True):
    """What a row says. `values`: the column, the kind (empty: not named) and the hash of each."""

    values: list[tuple[str, str, str]]
    reference: str = ""
    label: str = ""
    quality: float | None = None
    removed: bool = False


class Columns(msgspec.Struct, frozen=True):
    """The columns of a list: the name and the meaning of each."""

    names: Sequence[str]
    meanings: Sequence[str]

    @classmethod
    def of(cls, names: Sequence[str]) -> "Columns":
        """Return the columns of a header. Raises `ValueError` if it does not say what is what."""
        if len(names) > MAX_COLUMNS:
            raise ValueError(f"there are more than {MAX_COLUMNS} columns")
        meanings = [meaning_of(name) for name in names]
        kinds = [meaning for meaning in meanings if meaning in COLUMNS]
        if "value" not in meanings:
            if not kinds:
                raise ValueError(
                    "no column has hashes. Name one md5, sha1, sha256 or pdq,"
                    " or name two hash_type and value"
                )
            # Without a column of values, a type is not that of a hash.
            meanings = ["" if meaning == "hash_type" else meaning for meaning in meanings]
        elif kinds:
            clash = names[meanings.index("value")], names[meanings.index(kinds[0])]
            raise ValueError(f"columns {_both(*clash)} both have hashes. Leave one out")
        _refuse_twice(names, meanings)
        return cls(names, meanings)

    @property
    def left_out(self) -> list[str]:
        """The names of columns whose meaning is not known."""
        pairs = zip(self.names, self.meanings, strict=True)
        return [name for name, meaning in pairs if meaning in ("", "text") and name]

    def entry(self, cells: Sequence[Any]) -> Entry:
        """Return what a row says. Raises `ValueError`, which names the column."""
        fields: dict[str, tuple[str, Any]] = {}
        for name, meaning, cell in zip(self.names, self.meanings, cells, strict=True):
            if meaning in _SEVERAL:
                _check(name, meaning, cell)
            elif cell not in (None, ""):
                fields[meaning] = name, cell
        if "hash_type" in self.meanings and "value" in fields and "hash_type" not in fields:
            raise ValueError(
                f"column {shown(fields['value'][0])} has a hash, but its kind is empty"
            )
        values = list(_values(fields))
        if not values:
            raise ValueError("there is no hash in this row")
        return Entry(
            values,
            _text(fields, "reference"),
            _text(fields, "label"),
            _read(fields, "quality", percent),
            bool(_read(fields, "removed", truth)),
        )


def _refuse_twice(names: Sequence[str], meanings: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name, meaning in zip(names, meanings, strict=True):
        if meaning not in _SEVERAL and meaning in seen:
            raise ValueError(
                f"columns {_both(seen[meaning], name)} both claim to be the {meaning}."
                " Rename one or leave it out"
            )
        seen[meaning] = name


def _both(first: str, second: str) -> str:
    return f"{shown(first)} and {shown(second)}"


def _check(name: str, meaning: str, cell: Any) -> None:
    """Raise `ValueError` if a column says that an entry does not count, or may say so."""
    if cell in (None, "") or meaning == "text":
        return
    advice = "Leave out rows that do not count, and then this column."
    if not meaning:
        text = str(cell) if isinstance(cell, str | bool) else ""
        if not name and text:
            raise ValueError(f"the value {shown(cell)} is in a column without a name")
        if is_truth_word(text):
            raise ValueError(
                f"column {shown(name)} says {shown(cell)}, and Kinward does not know of what."
                " Name it `removed` if it means that, or leave it out"
            )
    elif meaning == "unread":
        raise ValueError(f"column {shown(name)} says {shown(cell)}, which is not read. {advice}")
    else:
        try:
            says = truth(cell)
        except ValueError as error:
            raise ValueError(f"column {shown(name)}: {error}") from error
        if says != (meaning == "counts"):
            raise ValueError(
                f"column {shown(name)} says that this entry does not count. {advice}"
                " To remove it from the bank, use a column `removed`"
            )


def _values(fields: dict[str, tuple[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for kind in COLUMNS:
        if kind in fields:
            yield fields[kind][0], kind, _hash(*fields[kind])
    if "value" not in fields:
        return
    name, value = fields["value"]
    kind = ""
    if "hash_type" in fields:
        column, text = fields["hash_type"]
        try:
            kind = _kind(column, _hash(column, text))
        except ValueError as error:
            raise ValueError(f"column {shown(column)}: {error}") from error
    yield name, kind, _hash(name, value)


def _kind(column: str, text: str) -> str:
    """Return the kind that a column names. Raises `ValueError`."""
    kind = kind_listed(text)
    generic = column.strip().casefold() in ("type", "kind")
    if generic and (kind.name == "video" or not (kind.matched or kind.name in CARRIED.values())):
        raise ValueError(f"{shown(text)} may be the type of a file. Name the column hash_type")
    return kind.name


def _hash(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"column {shown(name)}: {shown(value)} is not a text in quotes")
    return value


def _text(fields: dict[str, tuple[str, Any]], meaning: str) -> str:
    name, value = fields.get(meaning, ("", ""))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"column {shown(name)}: {shown(value)} is not a text")
    return str(value)


def _read(fields: dict[str, tuple[str, Any]], meaning: str, reader: Any) -> Any:
    name, value = fields.get(meaning, ("", None))
    try:
        return reader(value)
    except ValueError as error:
        raise ValueError(f"column {shown(name)}: {error}") from error
