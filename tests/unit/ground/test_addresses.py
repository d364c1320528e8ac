"""An address has one text. A caller's address is what trusted proxies say, and nothing else."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.ground.addresses import (
    MAX_HOPS,
    MAX_NETWORKS,
    UNKNOWN,
    address_and_port,
    address_group,
    chain_of,
    client_address,
    normal_address,
    trusted_networks,
)
from kinward.ground.config import read_config
from kinward.ground.errors import Invalid, NotConfigured

TRUSTED = trusted_networks("10.0.0.0/8, 2001:db8:aaaa::/48")
PROXY = "10.0.0.2"


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1\n", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:0201", "192.0.2.1"),
        ("[::ffff:192.0.2.1%eth0]:80", "192.0.2.1"),
        ("2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%25eth0", "fe80::1"),
        ("[fe80::1%lo0]:8080", "fe80::1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ],
)
def test_an_address_has_one_text(written: str, normal: str) -> None:
    assert normal_address(written) == normal


@pytest.mark.parametrize(
    "written",
    [
        "",
        "unknown",
        "_hidden",
        "192.0.2",
        "192.0.02.1",
        "0300.0.2.1",
        "0xc0.0.2.1",
        "3221225985",
        "192.0.2.1/24",
        "192.0.2.256",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "192.0.2.1:",
        "192.0.2.1%eth0",
        "[192.0.2.1]",
        "[192.0.2.1]:80",
        "[::1",
        "::1]",
        "[[::1]]",
        "[::1]:443x",
        "::1%",
        "::1%a b",
        "fe80::1%eth0:443",
        ":::1",
        "1:2:3:4:5:6:7:8:9",
        "٣.٣.٣.٣",
        "\uff1192.0.2.1",
        "192.0.2.1\u202e",
        "192.0.2.1, 192.0.2.2",
        "localhost",
        "1" * 101,
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(written: str) -> None:
    with pytest.raises(Invalid) as refusal:
        normal_address(written)
    assert refusal.value.detail.endswith(".")
    assert refusal.value.detail.isprintable()
    assert len(refusal.value.detail) < 300


@given(st.ip_addresses())
def test_every_address_comes_back_in_the_same_text(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    once = normal_address(str(address))
    assert normal_address(once) == once
    exploded = f"[{address.exploded}]:1" if address.version == 6 else str(address)
    assert normal_address(exploded.upper()) == once


def test_a_port_is_told_apart() -> None:
    assert address_and_port("[::ffff:192.0.2.1]:443") == ("192.0.2.1", 443)
    assert address_and_port("192.0.2.1") == ("192.0.2.1", None)


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:a:b:c:d", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        (UNKNOWN, UNKNOWN),
    ],
)
def test_an_ipv6_network_of_64_bits_is_one_caller(address: str, group: str) -> None:
    assert address_group(address) == group


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        # nobody is believed who is not trusted
        ("198.51.100.7", ["192.0.2.1"], "198.51.100.7"),
        (PROXY, [], PROXY),
        (PROXY, ["198.51.100.7"], "198.51.100.7"),
        # the left was written by a stranger
        (PROXY, ["10.0.0.9, 192.0.2.1, 198.51.100.7"], "198.51.100.7"),
        (PROXY, ["192.0.2.1, 198.51.100.7, 10.1.2.3"], "198.51.100.7"),
        (PROXY, ["192.0.2.1", "198.51.100.7"], "198.51.100.7"),
        (PROXY, ["192.0.2.1, 198.51.100.7", "10.0.0.3, 10.0.0.4"], "198.51.100.7"),
        ("2001:db8:aaaa::1", ["[2001:db8:bbbb::1]:443"], "2001:db8:bbbb::1"),
        ("::ffff:10.0.0.2", ["::ffff:198.51.100.7"], "198.51.100.7"),
        (PROXY, ["198.51.100.7:5151"], "198.51.100.7"),
        # what names no address ends the walk at the proxy that wrote it
        (PROXY, ["192.0.2.1, unknown"], PROXY),
        (PROXY, ["192.0.2.1, _hidden, 10.0.0.3"], "10.0.0.3"),
        (PROXY, ["192.0.2.1, 198.51.100.07"], PROXY),
        (PROXY, ["192.0.2.1, <script>, 10.0.0.3"], "10.0.0.3"),
        # only proxies: the farthest of them
        (PROXY, ["10.0.0.9, 10.0.0.3"], "10.0.0.9"),
        (PROXY, ["198.51.100.7, , "], "198.51.100.7"),
        # RFC 7239
        (PROXY, ["for=192.0.2.1, for=198.51.100.7;proto=https;by=10.0.0.2"], "198.51.100.7"),
        (PROXY, ['For="[2001:db8:cafe::17]:4711"'], "2001:db8:cafe::17"),
        (PROXY, ['proto=https; for="198.51.100.7:_p" ;host="a;b,\\"c"'], "198.51.100.7"),
        (PROXY, ["for=198.51.100.7;for=192.0.2.1"], PROXY),
        (PROXY, ["for=192.0.2.1, for=_secret"], PROXY),
        (PROXY, ["for=192.0.2.1, proto=https"], PROXY),
        (PROXY, ["for=192.0.2.1, for=unknown, for=10.0.0.3"], "10.0.0.3"),
        # a quote that a stranger left open hides nothing that a proxy wrote
        (PROXY, ['for="192.0.2.1, for=198.51.100.7'], "198.51.100.7"),
        (PROXY, ['for="\\", for=198.51.100.7, for="10.0.0.3"'], "198.51.100.7"),
        (PROXY, ['evil", 198.51.100.7'], "198.51.100.7"),
        # a peer without an address
        ("", ["198.51.100.7"], UNKNOWN),
        ("/run/kinward.sock", ["198.51.100.7"], UNKNOWN),
    ],
)
def test_only_trusted_proxies_say_who_called(peer: str, forwarded: list[str], client: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == client


def test_without_trusted_proxies_the_peer_is_the_caller() -> None:
    assert client_address("::ffff:127.0.0.1", ["198.51.100.7"], ()) == "127.0.0.1"


@given(st.lists(st.text(alphabet='0123456789abcf.:[]%"\\,;=_ for', max_size=60), max_size=4))
def test_no_chain_of_a_stranger_changes_what_a_proxy_appended(lines: list[str]) -> None:
    assert client_address(PROXY, [*lines, "198.51.100.7"], TRUSTED) == "198.51.100.7"
    joined = ", ".join([*lines, "for=198.51.100.7", 'for="10.0.0.3:1"'])
    assert client_address(PROXY, [joined], TRUSTED) == "198.51.100.7"


@given(st.lists(st.text(max_size=40), max_size=4), st.text(max_size=20))
def test_nothing_breaks_it(lines: list[str], peer: str) -> None:
    for first in (PROXY, peer):
        said = client_address(first, lines, TRUSTED)
        assert said == UNKNOWN or normal_address(said) == said


def test_a_chain_is_read_within_bounds() -> None:
    many = ", ".join(["198.51.100.7", *["10.0.0.9"] * MAX_HOPS])
    assert client_address(PROXY, [many], TRUSTED) == "10.0.0.9"
    long = "198.51.100.7, 10.0.0.8" + " " * 9000 + ", 10.0.0.9"
    assert client_address(PROXY, [long], TRUSTED) == "10.0.0.9"
    cut = "x" * 9000 + ", 198.51.100.7"
    assert client_address(PROXY, [cut], TRUSTED) == "198.51.100.7"
    assert client_address(PROXY, ["," * 100_000 + "198.51.100.7"], TRUSTED) == "198.51.100.7"


@pytest.mark.parametrize(
    "networks",
    [
        "10.0.0.1/8",
        "0.0.0.0/0",
        "::/0",
        "proxy.example",
        "10.0.0.0/33",
        "::ffff:10.0.0.0/104",
        "fe80::%eth0/64",
        "fe80::1%eth0",
        "10.0.0.0/8;::1",
        ", ".join(["10.0.0.1"] * (MAX_NETWORKS + 1)),
    ],
)
def test_networks_that_are_none_stop_the_start_with_a_sentence(networks: str) -> None:
    with pytest.raises(NotConfigured, match=r"KINWARD_TRUSTED_PROXIES: .*\.$"):
        read_config({"KINWARD_TRUSTED_PROXIES": networks})


def test_the_settings_name_the_proxies_and_their_header() -> None:
    config = read_config(
        {"KINWARD_TRUSTED_PROXIES": "10.0.0.0/8 ::1", "KINWARD_FORWARDED_HEADER": "forwarded"}
    )
    assert [str(network) for network in config.proxies] == ["10.0.0.0/8", "::1/128"]
    assert read_config({}).proxies == ()
    headers = [(b"forwarded", b"for=1.2.3.4"), (b"x-forwarded-for", b"\xff"), (b"forwarded", b"b")]
    assert chain_of(headers, config.forwarded_header) == ["for=1.2.3.4", "b"]
