"""HMA's look-ups, so that tools for HMA, such as Coop, can use Kinward unchanged.

`/h/hash`, `/m/lookup` and `/m/raw_lookup` have HMA's parameters and answers. A tool that cannot
send a header has its API key in the path: `/hma/<key>/m/lookup`.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from kinward.gate.calls import Call
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.multipart import Part
from kinward.matching.api import Match, Md5, kind_named, kind_of, look_up, values_of
from kinward.media import decoders, digest_bytes, medium_of

SECONDS: Final = 30.0
FILES: Final = ("file", "photo", "video")
# HMA's names for hashes of a medium, where they differ from Kinward's.
OTHER_NAMES: Final = {"video": {"video_md5": Md5.name}}


class FetchRefused(KinwardError):
    """Kinward does not fetch from that host. Name it in KINWARD_FETCH_HOSTS, or send the file."""

    code = "fetch.refused"
    status = 403


class FetchFailed(KinwardError):
    """The file could not be fetched."""

    code = "fetch.failed"
    status = 502


class FileQuery(msgspec.Struct, frozen=True):
    """The URL of a file, and the types of hashes to return, separated by commas."""

    url: str = ""
    types: str = ""


class TypesQuery(msgspec.Struct, frozen=True):
    """The types of hashes to return, separated by commas. Without it, all are returned."""

    types: str = ""


class LookupQuery(msgspec.Struct, frozen=True):
    """A hash and its type, or the URL of a file."""

    signal: str = ""
    signal_type: str = ""
    url: str = ""


class RawLookupQuery(msgspec.Struct, frozen=True):
    """A hash and its type, and whether to return the distance of each match."""

    signal: str = ""
    signal_type: str = ""
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
Values = Sequence[tuple[str, bytes]]


def hash_address(call: Call[None], query: FileQuery) -> Hashes:
    """Return the hashes of a file that Kinward fetches."""
    if not query.url:
        raise Invalid("Send the URL of a file as `url`, or POST the file.")
    return _only(_hashes(fetch(query.url)), query.types)


def hash_file(call: Call[Parts], query: TypesQuery) -> Hashes:
    """Return the hashes of a file."""
    return _only(_hashes(_file(call.body)), query.types)


def look_up_signal(call: Call[None], query: LookupQuery) -> Looked:
    """Return banked hashes near a hash, or near each hash of a file that Kinward fetches."""
    if query.url:
        return _by_type(_hashes(fetch(query.url)))
    return _by_bank(_look_up(query.signal_type, query.signal))


def look_up_file(call: Call[Parts]) -> Looked:
    """Return banked hashes near each hash of a file."""
    return _by_type(_hashes(_file(call.body)))


def look_up_raw(call: Call[None], query: RawLookupQuery) -> Matches:
    """Return the ids of the banked hashes near a hash."""
    matches = _look_up(query.signal_type, query.signal)
    if query.include_distance.lower() not in ("1", "true", "yes"):
        return Matches([match.hash for match in matches])
    return Matches([Near(match.hash, str(match.distance), match.hash) for match in matches])


def _only(hashes: Hashes, types: str) -> Hashes:
    wanted = {name.strip() for name in types.split(",") if name.strip()}
    return {kind: text for kind, text in hashes.items() if not wanted or kind in wanted}


def _look_up(kind: str, text: str, of: Values = ()) -> list[Match]:
    for name, value in (("signal", text), ("signal_type", kind)):
        if not value:
            raise Invalid(f"Send `{name}`.")
    try:
        named = kind_named(kind)
        return look_up([(named.name, named.parse(text))], of)
    except ValueError as error:
        raise Invalid(f"{error}.") from error


def _by_type(hashes: Hashes) -> dict[str, ByBank]:
    kinds = {kind_named(kind): text for kind, text in hashes.items()}
    of = [(kind.name, kind.parse(text)) for kind, text in kinds.items()]
    return {kind: _by_bank(_look_up(kind, text, of)) for kind, text in hashes.items()}


def _by_bank(matches: list[Match]) -> ByBank:
    banks: ByBank = {}
    for match in matches:
        banks.setdefault(match.bank, []).append(Near(match.hash, str(match.distance)))
    return banks


def _file(parts: Parts) -> bytes:
    files = [(name, part) for name, part in parts.items() if part.filename is not None]
    if len(files) != 1 or files[0][0] not in FILES:
        raise Invalid(f"Send one file as a part named {', '.join(FILES)}.")
    return bytes(files[0][1].data)


def _hashes(data: bytes) -> Hashes:
    """Return every hash of a file, under HMA's names."""
    values = values_of(digest_bytes(data), decoders().hash(data))
    hashes = {kind: kind_of(kind).write(value) for kind, value in values}
    other_names = OTHER_NAMES.get(medium_of(data).name, {})
    return hashes | {name: hashes[kind] for name, kind in other_names.items()}


def fetch(url: str) -> bytes:
    """Fetch a file of limited size from a host that the operator named. Follows no redirect.

    Raises `Invalid`, `FetchRefused` and `FetchFailed`.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Invalid(f"`url` is not a valid URL: {error}.") from error
    hosts = {host.strip().lower() for host in config().fetch_hosts.split(",") if host.strip()}
    if parts.scheme not in ("http", "https") or (parts.hostname or "").lower() not in hosts:
        raise FetchRefused(f"{parts.hostname}")
    limit = config().max_body
    data = bytearray()
    try:
        with httpx.stream("GET", url, timeout=SECONDS, follow_redirects=False) as response:
            if response.status_code != 200:
                raise FetchFailed(f"The host answered HTTP {response.status_code}.")
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > limit:
                    raise FetchFailed(f"The file is larger than {limit:,} bytes.")
    except httpx.HTTPError as error:
        raise FetchFailed(f"{type(error).__name__}.") from error
    return bytes(data)
