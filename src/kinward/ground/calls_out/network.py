"""Connections: a name is looked up once, its addresses are judged, and one of them is called.

TLS still goes by the name. Everything that a call does counts against one moment and one number of
bytes, which `TRIP` holds for the thread that makes the call.
"""

import ipaddress
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import httpcore

from kinward.ground.calls_out.failures import (
    AddressRefused,
    AnswerTooLarge,
    CallTooSlow,
    NotSent,
)

CONNECT_SECONDS: Final = 5.0  # to one address
MAX_ADDRESSES: Final = 4  # of a name, that are tried
READ: Final = 65536

Address = tuple[socket.AddressFamily, Any]


@dataclass
class Trip:
    """What a call may still use, and which addresses it may reach.

    `ends`: a moment of `time.monotonic`. `left`: bytes of the answer, its head included.
    """

    ends: float
    left: int
    may_reach: Callable[[str], bool]
    advice: str

    def seconds(self) -> float:
        """Return the seconds that are left. Raises `CallTooSlow` if there are none."""
        left = self.ends - monotonic()
        if left <= 0:
            raise CallTooSlow
        return left


TRIP: Final[ContextVar[Trip]] = ContextVar("TRIP")


def is_inner(address: str) -> bool:
    """Return whether an address is not one of the public internet, or leads to one that is not.

    >>> [is_inner(text) for text in ("10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1")]
    [True, True, True]
    >>> is_inner("192.0.43.8"), is_inner("2600::1"), is_inner("64:ff9b::192.0.43.8")
    (False, False, False)
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        return not _is_public(parsed)
    end = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    if parsed.ipv4_mapped or parsed in _NAT64:
        return not _is_public(end)
    if parsed not in _UNICAST or not _is_public(parsed):
        return True
    return int(parsed) >> 32 & 0xFDFFFFFF == _ISATAP and not _is_public(end)


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_private
    return address.is_global and not special and not any(address in each for each in _NOT_PUBLIC)


_UNICAST: Final = ipaddress.IPv6Network("2000::/3")  # what is given out of IPv6 to the public
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # its end is an IPv4 address
_ISATAP: Final = 0x5EFE  # before an IPv4 address, whatever the network
# What some version of Python calls global: for protocols (Teredo too), examples and carriers' nets,
# and 6to4, which nobody should use (RFC 7526).
_NOT_PUBLIC: Final[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]] = (
    *map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10", "0.0.0.0/8")),
    *map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")),
)


def is_loopback(address: str) -> bool:
    """Return whether an address is this machine's own."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def look_up(host: str, port: int, seconds: float) -> list[Address]:
    """Return the addresses of a name. Raises `NotSent`, or `CallTooSlow` after `seconds`.

    In a thread of its own, because a look-up cannot be interrupted.
    """
    answers: queue.SimpleQueue[list[Any] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name="look-up").start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise CallTooSlow(f"The name {host} could not be looked up in time.") from None
    if isinstance(answer, Exception):
        raise NotSent(f"The name {host} has no address: {answer}.")
    return [(family, address) for family, _, _, _, address in answer]


class PinnedBackend(httpcore.NetworkBackend):
    """Opens connections to addresses that the call's `Trip` may reach."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Look up a name and connect to the first of its addresses that answers."""
        trip = TRIP.get()
        addresses = look_up(host, port, trip.seconds())
        good = [pair for pair in addresses if trip.may_reach(pair[1][0])]
        if not good:
            where = ", ".join(sorted({pair[1][0] for pair in addresses})[:MAX_ADDRESSES])
            raise AddressRefused(f"{host} leads to {where}. {trip.advice}")
        fault: OSError | None = None
        for family, address in good[:MAX_ADDRESSES]:
            try:
                return _Stream(_connected(family, address, min(CONNECT_SECONDS, trip.seconds())))
            except OSError as error:
                fault = error
        raise NotSent(f"{host} does not answer at port {port}: {fault}.")


def _connected(family: socket.AddressFamily, address: Any, seconds: float) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(seconds)
        opened.connect(address)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        opened.close()
        raise
    return opened


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends at the moment of the call's `Trip`."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        trip = TRIP.get()
        self._socket.settimeout(trip.seconds())
        try:
            data = self._socket.recv(min(max_bytes, READ))
        except TimeoutError:
            raise CallTooSlow from None
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error
        trip.left -= len(data)
        if trip.left < 0:
            raise AnswerTooLarge
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        trip, rest = TRIP.get(), memoryview(buffer)
        while rest:
            self._socket.settimeout(trip.seconds())
            try:
                rest = rest[self._socket.send(rest) :]
            except TimeoutError:
                raise CallTooSlow from None
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        self._socket.settimeout(TRIP.get().seconds())
        try:
            return _Stream(ssl_context.wrap_socket(self._socket, server_hostname=server_hostname))
        except (OSError, ValueError) as error:
            self.close()
            raise NotSent(f"No TLS with {server_hostname}: {error}.") from error

    def get_extra_info(self, info: str) -> Any:
        """Answer `is_readable`, by which a kept connection is known to be over."""
        if info == "is_readable":
            return _has_ended(self._socket)
        return None


def _has_ended(opened: socket.socket) -> bool:
    import select

    if opened.fileno() < 0:
        return True
    waiting = select.poll()
    waiting.register(opened, select.POLLIN)
    return bool(waiting.poll(0))
