"""Fetching files for look-ups: only from hosts that the operator named."""

from typing import Final
from urllib.parse import urlsplit

import httpx

from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError

SECONDS: Final = 30.0


class FetchRefused(KinwardError):
    """Kinward does not fetch from that host. Name it in KINWARD_FETCH_HOSTS, or send the file."""

    code = "fetch.refused"
    status = 403


class FetchFailed(KinwardError):
    """The file could not be fetched."""

    code = "fetch.failed"
    status = 502


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
