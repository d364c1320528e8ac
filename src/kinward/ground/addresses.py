"""IP addresses as strangers write them, and the address of a caller behind trusted proxies. Pure.

One address has one text everywhere: in a limit, a case, a report and an export. A proxy appends the
address of its own caller at the right of `X-Forwarded-For` or `Forwarded` (RFC 7239). So a chain is
read from the right, and only as far as the networks of the setting `trusted_proxies` reach. What
stands further left was written by a stranger and is not read.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from kinward.ground.errors import Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_ADDRESS: Final = 100  # characters, with brackets, zone and port
MAX_HOPS: Final = 32  # elements of a chain that are read, from the right
MAX_CHAIN: Final = 8192  # characters of a chain that are read, from the right
MAX_NETWORKS: Final = 100
UNKNOWN: Final = "unknown"  # the caller has no address, for example on a Unix socket

_PORTED: Final = re.compile(r"\[([^\[\]]+)\](?::([0-9]{1,5}))?|([0-9.]+):([0-9]{1,5})")
_ZONE: Final = re.compile(r"[A-Za-z0-9._~-]{1,32}")
_PAIR: Final = re.compile(
    r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^\s";,=]+)\s*(?:;|$)'
)
_HIDDEN_PORT: Final = re.compile(r":_[A-Za-z0-9._-]+$")


def normal_address(text: str) -> str:
    """Return the one text of an IP address, without port, brackets and zone. Raises `Invalid`.

    >>> normal_address("[2001:DB8::0:1%eth0]:443"), normal_address("::ffff:192.0.2.1")
    ('2001:db8::1', '192.0.2.1')
    """
    return address_and_port(text)[0]


@lru_cache(maxsize=4096)
def address_and_port(text: str) -> tuple[str, int | None]:
    """Return the one text of an IP address and the port after it, if any. Raises `Invalid`.

    >>> address_and_port("192.0.2.1:4711"), address_and_port(" ::1 ")
    (('192.0.2.1', 4711), ('::1', None))
    """
    if len(text) > MAX_ADDRESS:
        raise Invalid(f"An IP address has at most {MAX_ADDRESS} characters.")
    bare, port = text.strip(), ""
    if parts := _PORTED.fullmatch(bare):
        bare, port = parts[1] or parts[3], parts[2] or parts[4] or ""
        if parts[1] and ":" not in bare:
            raise _not_an_address(text)
    if port and not 1 <= int(port) <= 65535:
        raise Invalid(f"{text.strip()!r} has a port that is not from 1 to 65535.")
    return str(_parse(bare, text)), int(port) if port else None


def _parse(bare: str, text: str) -> Address:
    address_text, mark, zone = bare.partition("%")
    if mark and (":" not in address_text or not _ZONE.fullmatch(zone)):
        raise _not_an_address(text)
    try:
        address = ipaddress.ip_address(address_text)
    except ValueError:
        raise _not_an_address(text) from None
    return _unmapped(address)


def _unmapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _not_an_address(text: str) -> Invalid:
    return Invalid(
        f"{text.strip()!r} is not an IP address. "
        "Write it as 192.0.2.1 or 2001:db8::1, without leading zeros in 192.0.2.1."
    )


@lru_cache(maxsize=4096)
def address_group(address: str) -> str:
    """Return what one caller holds: an IPv4 address, or the /64 network of an IPv6 address.

    A text that is no address is a group of its own.

    >>> address_group("192.0.2.1"), address_group("2001:db8:1:2:3::4")
    ('192.0.2.1', '2001:db8:1:2::/64')
    """
    try:
        parsed = _parse(address, address)
    except Invalid:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def trusted_networks(text: str) -> tuple[Network, ...]:
    """Read networks that are separated by commas or spaces. Raises `Invalid`, naming the one.

    >>> [str(network) for network in trusted_networks("10.0.0.0/8, ::1")]
    ['10.0.0.0/8', '::1/128']
    """
    written = text.replace(",", " ").split()
    if len(written) > MAX_NETWORKS:
        raise Invalid(f"At most {MAX_NETWORKS} networks can be trusted.")
    return tuple(map(_network, written))


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise Invalid(f"{text[:60]!r} is not a network, such as 10.0.0.0/8: {error}.") from None
    if "%" in text:
        raise Invalid(f"{text[:60]!r} has a zone. Write the network without it.")
    if network.prefixlen == 0:
        raise Invalid(f"{text!r} is everybody. Name the addresses of your own proxies.")
    if _unmapped(network.network_address) != network.network_address:
        raise Invalid(f"{text[:60]!r} holds IPv4 addresses. Write it as an IPv4 network.")
    return network


def chain_of(headers: Iterable[tuple[bytes, bytes]], name: str) -> list[str]:
    """Return the values of one header, in the order of their lines. Names are in lower case."""
    wanted = name.encode()
    return [value.decode("latin-1") for key, value in headers if key == wanted]


def is_trusted(address: str, trusted: Iterable[Network]) -> bool:
    """Return whether an address, in its one text, lies in one of the networks."""
    parsed = ipaddress.ip_address(address)
    return any(parsed.version == network.version and parsed in network for network in trusted)


def is_this_machine(peer: str) -> bool:
    """Return whether the other end of a connection is a program on this machine.

    >>> [is_this_machine(peer) for peer in ("127.0.0.1", "::ffff:127.0.0.2", "192.0.2.1", "")]
    [True, True, False, False]
    """
    address = _address_or_none(peer)
    return address is not None and ipaddress.ip_address(address).is_loopback


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the address of the caller nearest to us that is not a trusted proxy.

    `peer` is the other end of the connection. `forwarded` has the values of one header in the order
    of their lines: `X-Forwarded-For` or `Forwarded`. The walk ends at an element that names no
    address. The answer is then the proxy that wrote it. A peer without an address is `UNKNOWN`.

    >>> client_address("10.0.0.2", ["192.0.2.9, 198.51.100.7"], trusted_networks("10.0.0.0/8"))
    '198.51.100.7'
    """
    address = _address_or_none(peer)
    if address is None:
        return UNKNOWN
    if not trusted:
        return address
    hops = _from_right(forwarded)
    while is_trusted(address, trusted):
        before = _hop(next(hops, ""))
        if before is None:
            break
        address = before
    return address


def _address_or_none(text: str) -> str | None:
    try:
        return normal_address(text)
    except Invalid:
        return None


def _hop(element: str) -> str | None:
    """Return the address that an element of a chain names. None for `unknown` and `_hidden`."""
    if "=" not in element:
        return _address_or_none(_unquoted(element))
    named, place = [], 0
    while place < len(element):
        pair = _PAIR.match(element, place)
        if pair is None:
            return None
        if pair[1].lower() == "for":
            named.append(_HIDDEN_PORT.sub("", _unquoted(pair[2])))
        place = pair.end()
    return _address_or_none(named[0]) if len(named) == 1 else None


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _from_right(values: Sequence[str]) -> Iterator[str]:
    """Yield the elements of a chain from the right, within the bounds. Empty ones are left out.

    What trusted proxies appended is well-formed. Read from the right, a quote that a stranger left
    open spoils nothing but the stranger's own part.
    """
    hops, left = 0, MAX_CHAIN
    for value in reversed(values):
        end = len(value)
        for comma in _commas_from_right(value, left):
            left -= end - comma
            element, end = value[comma + 1 : end].strip(), comma
            if element:
                yield element
                hops += 1
            if left <= 0 or hops >= MAX_HOPS:
                return


def _commas_from_right(value: str, left: int) -> Iterator[int]:
    """Yield the places of the commas outside quotes, then -1 if the bound reaches so far."""
    quoted = False
    start = max(0, len(value) - left)
    for place in range(len(value) - 1, start - 1, -1):
        if value[place] == '"' and not _escaped(value, place):
            quoted = not quoted
        elif value[place] == "," and not quoted:
            yield place
    if start == 0:
        yield -1


def _escaped(value: str, place: int) -> bool:
    marks = 0
    while place > marks and value[place - marks - 1] == "\\":
        marks += 1
    return marks % 2 == 1
