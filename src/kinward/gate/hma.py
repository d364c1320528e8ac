"""HMA's look-ups, so that tools for HMA, such as Coop, can use Kinward unchanged.

`/h/hash`, `/m/lookup` and `/m/raw_lookup` have HMA's parameters and answers. A tool that cannot
send a header has its API key in the path: `/hma/<key>/m/lookup`.

An empty answer means that all was looked up that was asked, and that nothing is known. Whatever
could not be looked up is an error, and errors are plain text: some tools ignore the status, and
read each member of a JSON object as a bank.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote

import msgspec
import numpy as np

from kinward.findings.api import Prepared, prepare, why_not_checked
from kinward.gate.calls import Call, Headed
from kinward.gate.fetching import FetchFailed, fetch
from kinward.ground.errors import KinwardError
from kinward.ground.multipart import Part
from kinward.ground.text import storable
from kinward.ground.turns import NOBODY, Payer
from kinward.matching.api import (
    DIGESTS,
    FILE_KINDS,
    RADIUS,
    Bank,
    Match,
    Md5,
    Pdq,
    Role,
    VideoFrames,
    kind_of,
    kinds_looked_up,
    look_up,
    matched_kind,
    require_asked,
    values_of,
    views_looked_up,
)
from kinward.media import (
    Hashed,
    TypeUnsupported,
    Undecodable,
    decoders,
    digest_bytes,
    find_medium,
)

VIEWS: Final = "Kinward-Views"  # a header
MOST_APART: Final = 100
FILES: Final = ("file", "photo", "video")
CONTENT_TYPES: Final = ("photo", "video")
# HMA's names for hashes of a medium, where they differ from Kinward's.
OTHER_NAMES: Final = {"video": {"video_md5": Md5.name}}
FILE_TYPES: Final = (*FILE_KINDS, *(name for names in OTHER_NAMES.values() for name in names))
# The first segments of HMA's addresses. `hma` stands before a key.
KEYED: Final = "hma"
ROOTS: Final = frozenset(
    {
        KEYED,
        "c",
        "dev",
        "h",
        "livez",
        "m",
        "readyz",
        "site-map",
        "site-verification",
        "status",
        "ui",
    }
)


class NotServed(KinwardError):
    """Kinward does not serve this address of HMA. It knows nothing about what you asked for."""

    code = "hma.not_served"
    status = 501


class LookupRefused(KinwardError):
    """This cannot be looked up, so Kinward cannot say whether it is known."""

    code = "lookup.refused"
    status = 400


class FileQuery(msgspec.Struct, frozen=True):
    """The URL of a file, and the types of hashes to return, separated by commas."""

    url: str = ""
    types: str = ""
    content_type: str = ""


class TypesQuery(msgspec.Struct, frozen=True):
    """The types of hashes to return, separated by commas. Without it, all are returned."""

    types: str = ""


class LookupQuery(msgspec.Struct, frozen=True):
    """A hash and its type, or the URL of a file. `banks`, `types`: separated by commas."""

    signal: str = ""
    signal_type: str = ""
    url: str = ""
    types: str = ""
    banks: str = ""
    content_type: str = ""


class FileLookupQuery(msgspec.Struct, frozen=True):
    """The types of hashes to look up, and the banks to look in, separated by commas."""

    types: str = ""
    signal_type: str = ""
    banks: str = ""


class RawLookupQuery(msgspec.Struct, frozen=True):
    """A hash and its type, the banks, and whether to return the distance of each match."""

    signal: str = ""
    signal_type: str = ""
    banks: str = ""
    include_distance: str = ""


class Near(msgspec.Struct, frozen=True, omit_defaults=True):
    """A banked hash, and its distance from the hash that was looked up."""

    bank_content_id: int
    distance: str
    content_id: int | None = None


class Matches(msgspec.Struct, frozen=True):
    """The ids of banked hashes, with their distances if requested."""

    matches: list[int | Near]


ByBank = dict[str, list[Near]]
Hashes = dict[str, str]
Looked = Mapping[str, list[Near] | ByBank]
Parts = dict[str, Part]
Types = dict[str, str]  # HMA's names of types of hashes, each with Kinward's name of the kind


def is_hma(path: str) -> bool:
    """Return whether a path is an address of HMA, which Kinward may serve or not."""
    return path.lstrip("/").partition("/")[0] in ROOTS


def key_in(raw_path: str) -> str | None:
    """Return the key of an address such as `/hma/<key>/…`, or None for another address."""
    names = [name for name in raw_path.split("/") if name]
    if not names or names[0] != KEYED:
        return None
    return storable(unquote(names[1])) if len(names) > 1 else ""


def hash_address(call: Call[None], query: FileQuery) -> Headed[Hashes]:
    """Return the hashes of a file that Kinward fetches."""
    wanted = _wanted(query.types)
    return _hashes(_fetched(query.url, query.content_type), wanted, call.payer())


def hash_file(call: Call[Parts], query: TypesQuery) -> Headed[Hashes]:
    """Return the hashes of a file."""
    wanted = _wanted(query.types)
    return _hashes(_file(call.body), wanted, call.payer())


def look_up_signal(call: Call[None], query: LookupQuery) -> Looked:
    """Return banked hashes near a hash, or near each hash of a file that Kinward fetches."""
    banks = _banks(query.banks)
    if not query.url:
        matches = _look_up(query.signal_type, query.signal, banks)
        if query.types and query.signal_type not in _wanted(query.types):
            raise LookupRefused("`types` does not have the type of this signal.")
        return _by_bank(matches)
    if query.signal:
        raise LookupRefused("Send either `signal` or `url`.")
    wanted = _wanted(query.types, query.signal_type)
    data = _fetched(query.url, query.content_type)
    looked = _look_up_file(data, wanted, banks, call.payer())
    return looked[query.signal_type] if query.signal_type else looked


def look_up_file(call: Call[Parts], query: FileLookupQuery) -> Looked:
    """Return banked hashes near each hash of a file."""
    wanted, banks = _wanted(query.types, query.signal_type), _banks(query.banks)
    return _look_up_file(_file(call.body), wanted, banks, call.payer())


def look_up_raw(call: Call[None], query: RawLookupQuery) -> Matches:
    """Return the ids of the banked hashes near a hash."""
    matches = _look_up(query.signal_type, query.signal, _banks(query.banks))
    if query.include_distance.lower() not in ("1", "true", "yes"):
        return Matches([match.hash for match in matches])
    return Matches([Near(match.hash, str(match.distance), match.hash) for match in matches])


def _names(parameter: str, text: str) -> list[str]:
    """Return the names in a parameter, without duplicates. Empty: the parameter was not sent."""
    names = dict.fromkeys(name.strip() for name in text.split(",") if name.strip())
    if text and not names:
        raise LookupRefused(f"`{parameter}` names nothing.")
    return [*names]


def _wanted(types: str, signal_type: str = "") -> list[str]:
    """Return the types of hashes of a file that a tool asks for. Empty: all that the file has."""
    names = _names("types", types)
    for name in (*names, *([signal_type] if signal_type else [])):
        if name not in FILE_TYPES:
            matched_kind(name)
            raise LookupRefused(f"No file has the type {name!r}. It is {', '.join(FILE_TYPES)}.")
    if signal_type and names and signal_type not in names:
        raise LookupRefused("`types` does not have `signal_type`.")
    return [signal_type] if signal_type else names


def _banks(text: str) -> frozenset[str] | None:
    """Return the names of the banks to look in, or None for all. Each must exist and match."""
    names = _names("banks", text)
    if not names:
        return None
    known = {bank.name: bank for bank in Bank.objects.filter(name__in=names)}
    for name in names:
        if name not in known:
            raise LookupRefused(f"There is no bank {name!r}.")
        if known[name].disabled or known[name].role != Role.LIVE:
            raise LookupRefused(f"The bank {name!r} is not live, so it matches nothing.")
    return frozenset(names)


def _look_up(signal_type: str, signal: str, banks: frozenset[str] | None) -> list[Match]:
    for name, sent in (("signal", signal), ("signal_type", signal_type)):
        if not sent:
            raise LookupRefused(f"Send `{name}`.")
    kind = matched_kind(signal_type)
    try:
        value = kind.ask(signal)
    except ValueError as error:
        raise LookupRefused(f"{error}.") from error
    values = [(kind.name, value)]
    matches = _in_banks(look_up(values), banks)
    if not matches:
        require_asked([kind.name], values, banks)
    return matches


def _in_banks(matches: list[Match], banks: frozenset[str] | None) -> list[Match]:
    return [match for match in matches if banks is None or match.bank in banks]


def _by_bank(matches: list[Match]) -> ByBank:
    banks: ByBank = {}
    for match in matches:
        banks.setdefault(match.bank, []).append(Near(match.hash, str(match.distance)))
    return banks


def _look_up_file(
    data: bytes,
    wanted: Sequence[str],
    banks: frozenset[str] | None,
    payer: Payer = NOBODY,
) -> dict[str, ByBank]:
    """Look a file up by each type. If a type is missing, only a match is an answer.

    Raises why a type is missing, which is an error of decoding or `TooPlain`.
    """
    types = _types_of(data, wanted)
    if wanted and not _needs_decoding(types):
        prepared = Prepared(digest_bytes(data))
    else:
        prepared = prepare(data, payer=payer)
    values, views = values_of(prepared.digests, prepared.hashed), views_looked_up(prepared.hashed)
    exact = _exact(values)
    looked = {
        name: _by_bank(_in_banks(look_up([(kind, exact[kind])], of=values), banks))
        for name, kind in types.items()
        if kind in exact
    }
    if views:
        near = _by_bank(_in_banks(look_up([], views, of=values), banks))
        looked |= {name: near for name, kind in types.items() if kind_of(kind).near}
    checked = kinds_looked_up(prepared.digests, prepared.hashed)
    reasons = why_not_checked(prepared.hashed, checked, prepared.missed)
    refusal = prepared.fault or next(iter(reasons), None)
    if any(looked.values()):
        return looked
    if refusal is None:
        kinds = {*types.values()} & {*DIGESTS}
        require_asked(kinds if kinds == {*types.values()} else FILE_KINDS, values, banks)
        return looked
    whole = [name for name in looked if types[name] in DIGESTS]
    raise type(refusal)(f"{refusal.detail} Looked up: {', '.join(whole)}.".strip())


def _exact(values: Sequence[tuple[str, bytes]]) -> dict[str, bytes]:
    """Return the values that are looked up byte for byte, by the name of their kind."""
    return {name: value for name, value in values if kind_of(name).exact(value)}


def _hashes(data: bytes, wanted: Sequence[str], payer: Payer = NOBODY) -> Headed[Hashes]:
    """Return the hashes of a file, under HMA's names. As in HMA, one that says little is empty.

    A header says how many pictures a file shows that was decoded: HMA's answer has room for one.
    """
    types, hashed = _types_of(data, wanted), None
    if not wanted and not _needs_decoding(types):
        raise TypeUnsupported
    if _needs_decoding(types):
        hashed = decoders().hash(data, payer=payer)
        if not hashed.entire:
            raise Undecodable(f"It was read up to {hashed.seconds:g} seconds.")
        # A tool that looks up the hashes would take what nobody could read for unknown.
        for reason in why_not_checked(hashed, [hashed.kind], ()):
            raise reason
    values = _exact(values_of(digest_bytes(data), hashed))
    if hashed and (views := views_looked_up(hashed)):
        values |= {Pdq.name: views[0].hash, VideoFrames.name: hashed.signature}
    hashes = {
        name: kind_of(kind).write(values[kind]) if kind in values else ""
        for name, kind in types.items()
    }
    return Headed(hashes, {VIEWS: str(_apart(hashed))} if hashed else {})


def _apart(hashed: Hashed) -> int:
    """Return how many moments of a file show what no moment before them shows, at most 100."""
    signature = hashed.signature if hashed.framed else b""
    hashes = np.frombuffer(signature, dtype=np.uint64).reshape(-1, 4)
    kept = hashes[:0]
    for words in hashes:
        if not (np.bitwise_count(kept ^ words).sum(axis=1) <= RADIUS).any():
            kept = np.vstack([kept, words])
        if len(kept) == MOST_APART:  # a file may have a hundred thousand, each compared with all
            break
    return len(kept)


def _types_of(data: bytes, wanted: Sequence[str]) -> Types:
    """Return the types of hashes that a file has: all, or those that a tool asks for."""
    types: Types = {name: name for name in DIGESTS}
    medium = find_medium(data)
    if medium is not None:
        types = {medium.hash_kind: medium.hash_kind, **types, **OTHER_NAMES.get(medium.name, {})}
    for name in wanted:
        if name not in types:
            raise LookupRefused(f"This file has no {name!r}. It has {', '.join(types)}.")
    return {name: types[name] for name in wanted or types}


def _needs_decoding(types: Types) -> bool:
    return not set(types.values()) <= set(DIGESTS)


def _file(parts: Parts) -> bytes:
    files = [(name, part) for name, part in parts.items() if part.filename is not None]
    if len(files) != 1 or files[0][0] not in FILES or not files[0][1].data:
        raise LookupRefused(f"Send one file as a part named {', '.join(FILES)}.")
    return bytes(files[0][1].data)


def _fetched(url: str, content_type: str) -> bytes:
    """Fetch the file that a tool names. Its own bytes say what it is, and not `content_type`."""
    if content_type and content_type not in CONTENT_TYPES:
        raise LookupRefused(f"There is no content type {content_type!r}.")
    if not url:
        raise LookupRefused("Send the URL of a file as `url`, or POST the file.")
    data = fetch(url)
    if not data:
        raise FetchFailed("The file is empty.")
    return data
