"""Whose request it is, as an address that limits can count."""

from kinward.entrance.body import Scope
from kinward.ground.addresses import address_group, chain_of, client_address
from kinward.ground.config import config


def caller_of(scope: Scope) -> str:
    """Return the caller's address, or the /64 network of an IPv6 address, which is one caller's.

    What a proxy says of it counts if the proxy is one of `trusted_proxies`.

    >>> caller_of({"client": ("2001:db8::7:1", 5000), "headers": []})
    '2001:db8::/64'
    >>> caller_of({"client": ("192.0.2.7", 5000), "headers": []})
    '192.0.2.7'
    """
    chosen = config()
    peer = (scope.get("client") or ("",))[0]
    chain = chain_of(scope["headers"], chosen.forwarded_header)
    return address_group(client_address(peer, chain, chosen.proxies))
