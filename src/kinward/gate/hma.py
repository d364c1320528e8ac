"""HMA's lookups, so that tools made for it (Coop among them) can point at Kinward unchanged.

`/h/hash`, `/m/lookup` and `/m/raw_lookup`, with HMA's parameters and answers. Such tools know of no
key: where one cannot be sent as a header, it is part of the address, `/hma/<key>/m/lookup`.
"""

from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from kinward.config import config
from kinward.errors import Invalid, KinwardError
from kinward.gate.http import Request
from kinward.matching.kinds import Md5, kind_named, kind_of
from kinward.matching.lookup import Match, look_up
from kinward.matching.services import values_of
from kinward.media import decoders, digest_bytes, medium_of
from kinward.multipart import Part

SCOPE: Final = "hashes:look-up"
ENDPOINTS: Final = {"h/hash", "m/lookup", "m/raw_lookup"}
SECONDS: Final = 30.0
CONTENT_TYPES: Final = {"photo", "video", "file"}
# What HMA calls hashes of a medium otherwise than Kinward does.
OTHER_NAMES: Final = {"video": {"video_md5": Md5.name}}


class FetchRefused(KinwardError):
    """Kinward fetches nothing from that host. Name it in KINWARD_FETCH_HOSTS, or send the file."""

    code = "fetch.refused"
    status = 403


class FetchFailed(KinwardError):
    """The file could not be fetched."""

    code = "fetch.failed"
    status = 502


def route(request: Request) -> tuple[str, str]:
    """What is asked, such as `m/lookup`, and the key that was in the address; or nothing."""
    steps = [step for step in request.segments if step]
    key = ""
    if steps[:1] == ["hma"] and len(steps) > 2:
        key, steps = steps[1], steps[2:]
    name = "/".join(steps)
    return (name, key) if name in ENDPOINTS else ("", "")


def answer(name: str, given: dict[str, str], parts: dict[str, Part] | None) -> dict[str, Any]:
    """HMA's answer: to a file that was sent, one that is to be fetched, or a hash."""
    if name == "m/raw_lookup":
        return {"matches": _raw(_found(given), given.get("include_distance", ""))}
    if parts is None and "url" not in given:
        if name == "h/hash":
            raise Invalid("Give the address of a file as `url`, or POST the file.")
        return _by_bank(_found(given))
    hashes = _hashes(fetch(given["url"]) if parts is None else _file(parts))
    if name == "h/hash":
        wanted = {each.strip() for each in given.get("types", "").split(",") if each.strip()}
        return {kind: text for kind, text in hashes.items() if not wanted or kind in wanted}
    return {kind: _by_bank(_look_up(kind, text)) for kind, text in hashes.items()}


def _found(given: dict[str, str]) -> list[Match]:
    for name in ("signal", "signal_type"):
        if not given.get(name):
            raise Invalid(f"Give `{name}`.")
    return _look_up(given["signal_type"], given["signal"])


def _look_up(kind: str, text: str) -> list[Match]:
    try:
        named = kind_named(kind)
        return look_up([(named.name, named.parse(text))])
    except ValueError as error:
        raise Invalid(f"{error}.") from error


def _raw(matches: list[Match], distances: str) -> list[Any]:
    if distances.lower() not in ("1", "true", "yes"):
        return [match.hash for match in matches]
    return [{**_content(match), "content_id": match.hash} for match in matches]


def _content(match: Match) -> dict[str, Any]:
    return {"bank_content_id": match.hash, "distance": str(match.distance)}


def _by_bank(matches: list[Match]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for match in matches:
        found.setdefault(match.bank, []).append(_content(match))
    return found


def _file(parts: dict[str, Part]) -> bytes:
    files = [(name, part) for name, part in parts.items() if part.filename is not None]
    if len(files) != 1 or files[0][0] not in CONTENT_TYPES:
        raise Invalid(f"Send one file, as a part named {', '.join(sorted(CONTENT_TYPES))}.")
    return bytes(files[0][1].data)


def _hashes(data: bytes) -> dict[str, str]:
    """Every hash of a file, by HMA's names for them."""
    values = values_of(digest_bytes(data), decoders().hash(data))
    hashes = {kind: kind_of(kind).write(value) for kind, value in values}
    others = OTHER_NAMES.get(medium_of(data).name, {})
    return hashes | {name: hashes[kind] for name, kind in others.items()}


def fetch(url: str) -> bytes:
    """A file from a host that the operator named: bounded, and never from where it redirects to."""
    parts = urlsplit(url)
    hosts = {each.strip().lower() for each in config().fetch_hosts.split(",") if each.strip()}
    if parts.scheme not in ("http", "https") or (parts.hostname or "").lower() not in hosts:
        raise FetchRefused(f"{parts.hostname}")
    limit = config().max_body
    data = bytearray()
    try:
        with httpx.stream("GET", url, timeout=SECONDS, follow_redirects=False) as response:
            if response.status_code != 200:
                raise FetchFailed(f"It answered {response.status_code}.")
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > limit:
                    raise FetchFailed(f"It is larger than {limit:,} bytes.")
    except httpx.HTTPError as error:
        raise FetchFailed(f"{type(error).__name__}.") from error
    return bytes(data)
