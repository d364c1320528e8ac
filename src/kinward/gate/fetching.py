"""Fetching files for look-ups: only from hosts that the operator named."""

from typing import Any
from urllib.parse import urlsplit

from kinward.ground.calls_out import Caller, CallFailed, Limits, Reach
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError


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
    limits = Limits(seconds=config().call_seconds, answer_bytes=config().max_body)
    about: dict[str, Any] = {"limits": limits, "named": frozenset(hosts), "open_text": True}
    try:
        with Caller(reach=Reach.STRANGERS, **about) as caller:
            answer = caller.call("GET", url)
    except CallFailed as error:
        raise FetchFailed(str(error)) from error
    if answer.redirects:
        raise FetchFailed("The host redirects. Kinward follows no redirect: give the final URL.")
    if answer.status != 200:
        raise FetchFailed(f"The host answered HTTP {answer.status}.")
    return answer.body
