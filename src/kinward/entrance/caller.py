"""Whose request it is, as an address that limits can count."""

import ipaddress
from collections.abc import Sequence
from typing import Final

from kinward.entrance.body import Scope

SITE: Final = 64  # bits of an IPv6 address that one household or company has


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[object]) -> str:
    """Return the peer. Replaced by `kinward.ground.addresses.client_address`."""
    return peer


def caller_of(scope: Scope) -> str:
    """Return the caller's address, or the /64 network of an IPv6 address, which is one caller's.

    >>> caller_of({"client": ("2001:db8::7:1", 5000), "headers": []})
    '2001:db8::/64'
    >>> caller_of({"client": ("192.0.2.7", 5000), "headers": []})
    '192.0.2.7'
    """
    peer = (scope.get("client") or ("",))[0]
    address = client_address(peer, [], ())
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, SITE), strict=False))
