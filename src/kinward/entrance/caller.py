"""Whose request it is, as an address that limits can count."""

import ipaddress

from kinward.entrance.body import Scope

SITE = 64  # bits of an IPv6 address that one household or company has


def client_address(peer: str, forwarded: str, trusted: str) -> str:
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
    forwarded = b", ".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    address = client_address(peer, forwarded.decode("latin-1"), "")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, SITE), strict=False))
