"""A call to a stranger ends in bounded time and memory, and reaches only whom it may reach."""

import contextlib
import json
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.ground.calls_out import (
    AddressRefused,
    Answer,
    AnswerTooLarge,
    AnswerUnreadable,
    Caller,
    CallFailed,
    CallTooSlow,
    Limits,
    NotSent,
    Reach,
    check_document,
    network,
)
from kinward.ground.calls_out import caller as outgoing
from kinward.ground.config import forget_config
from tests.support import strangers
from tests.support.strangers import HOSTILE, Stranger, stranger
from tests.support.tls import certificate

MOST = 100_000
PATIENT = Limits(seconds=30.0, answer_bytes=MOST)
QUICK = Limits(seconds=1.0, answer_bytes=MOST)
SLOW_ONES = {"drips", "drips_its_head", "says_nothing"}
LARGE_ONES = {"sends_ten_gb", "sends_without_end", "sends_a_head_without_end", "inflates"}


def caller(**changes: Any) -> Caller:
    given: dict[str, Any] = {"limits": PATIENT, "reach": Reach.OURS, **changes}
    return Caller(**given)


def call(url: str, method: str = "GET", **changes: Any) -> Answer:
    with caller(**changes) as client:
        return client.call(method, url)


@pytest.mark.parametrize("name", HOSTILE)
def test_every_hostile_answer_ends_in_bounded_memory_and_with_a_sentence(name: str) -> None:
    tracemalloc.start()
    try:
        with stranger(HOSTILE[name]) as server:
            limits = QUICK if name in SLOW_ONES else PATIENT
            if name in ("redirects", "redirects_inwards"):
                assert call(server.url, limits=limits).redirects
            else:
                with pytest.raises(CallFailed) as failed:
                    check_document(call(server.url, limits=limits).body)
                assert failed.value.detail
                assert isinstance(failed.value, CallTooSlow) or name not in SLOW_ONES
            assert server.asked == 1
            assert server.sent < 20_000_000
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", [name for name in HOSTILE if name in LARGE_ONES])
def test_a_part_of_a_large_answer_can_be_kept(name: str) -> None:
    with stranger(HOSTILE[name]) as server, caller() as client:
        if name == "sends_a_head_without_end":
            with pytest.raises(CallFailed):
                client.call("POST", server.url, content=b"{}", cut=True)
        else:
            assert len(client.call("POST", server.url, content=b"{}", cut=True).body) == MOST


def test_a_receiver_that_takes_one_byte_at_a_time_ends_too() -> None:
    taking = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def take() -> None:
            opened, _ = listener.accept()
            with opened:
                while not taking.wait(0.05):
                    if not opened.recv(1):
                        return

        threading.Thread(target=take, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        short = Limits(seconds=-199.0, answer_bytes=MOST)  # 20 MB add 200 seconds
        with caller(limits=short) as client, pytest.raises(CallTooSlow):
            client.call("POST", url, content=bytes(20_000_000))
        taking.set()


def test_an_honest_answer_arrives_and_its_connection_is_used_again() -> None:
    with stranger(strangers.packs_well) as server, caller() as client:
        opened: list[Any] = []
        real = network.look_up

        def counted(*arguments: Any) -> Any:
            opened.append(arguments)
            return real(*arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(network, "look_up", counted)
            for _ in range(3):
                assert client.call("GET", server.url).json() == {"fine": True}
        assert len(opened) == 1


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSent, match="does not answer"):
        call(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "http://[", "javascript:1", "//a"])
def test_what_is_no_address_is_not_called(url: str) -> None:
    with pytest.raises(NotSent):
        call(url)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[str]]]:
    """What a name leads to, each time that it is looked up: the first, then the next."""
    leads: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *arguments: Any, **more: Any) -> Any:
        if host in leads:
            addresses = leads[host]
            host = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return real(host, port, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield leads
    forget_config()


@pytest.mark.parametrize(
    "inner",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1",
     "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "224.0.0.1", "0.0.0.1"],
)  # fmt: skip
def test_a_stranger_s_name_never_leads_inside(names: dict[str, list[str]], inner: str) -> None:
    names["partner.example"] = [inner]
    for scheme in ("http", "https"):
        with pytest.raises(AddressRefused, match="KINWARD_INNER_HOSTS"):
            call(f"{scheme}://partner.example/", reach=Reach.STRANGERS, open_text=True)


@pytest.mark.parametrize("text", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::1]"])
def test_no_way_to_write_an_inner_address_gets_by(text: str) -> None:
    with pytest.raises(NotSent):
        call(f"http://{text}:9/", reach=Reach.STRANGERS, open_text=True)


def test_a_name_is_looked_up_once_for_each_call_and_called_by_what_was_judged(
    names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with stranger(strangers.packs_well) as server:
        names["partner.example"] = ["127.0.0.1", "127.0.0.2"]
        url = f"http://partner.example:{server.port}/"
        monkeypatch.setattr(outgoing, "is_inner", lambda address: address == "127.0.0.2")
        about: dict[str, Any] = {"reach": Reach.STRANGERS, "open_text": True}
        assert call(url, **about).json() == {"fine": True}, "one look-up: 127.0.0.1"
        with pytest.raises(AddressRefused):
            call(url, **about)


def test_an_inner_name_is_called_where_the_operator_says_so(
    names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    names["store.internal"] = ["127.0.0.1"]
    monkeypatch.setenv("KINWARD_INNER_HOSTS", "other, Store.internal")
    forget_config()
    with stranger(strangers.packs_well) as server:
        url = f"http://store.internal:{server.port}/"
        assert call(url, reach=Reach.STRANGERS, open_text=True).status == 200


INNER = [
    *("0.1.2.3", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "192.88.99.1"),
    *("192.0.0.9", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "::8.8.8.8", "::ffff:0:127.0.0.1"),
    *("::ffff:0:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::7f00:1"),
    *("64:ff9b:1:fffe::8.8.8.8", "100::1", "fc00::1", "fe80::1%eth0", "fec0::1", "ff0e::1"),
    *("2001::1", "2001:0:808:808::f5ff:fffe", "2001:db8::1", "3fff::1", "5f00::1", "4000::1"),
    *("2002:7f00:1::1", "2002:a00:1::", "2002:808:808::1", "2002:808:808:0:0:5efe:10.0.0.1"),
    *("2600::5efe:127.0.0.1", "2600::200:5efe:10.0.0.1", "1::1", "e000::1"),
]
PUBLIC = [
    *("8.8.8.8", "192.0.43.8", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2600::1"),
    *("2a00:1450:4001::200e", "2600::5efe:8.8.8.8", "2001:4860:4860::8888"),
]


@pytest.mark.parametrize("address", INNER)
def test_an_address_is_inner_unless_it_and_what_it_carries_are_public(address: str) -> None:
    assert network.is_inner(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_not_inner(address: str) -> None:
    assert not network.is_inner(address)


def test_an_address_that_the_operator_wrote_as_a_number_is_called() -> None:
    with stranger(strangers.packs_well) as server:
        url = server.url
        assert call(url, reach=Reach.STRANGERS, base=url).status == 200
        with pytest.raises(AddressRefused):
            call(url, reach=Reach.STRANGERS)


def test_without_tls_nothing_leaves_this_machine(names: dict[str, list[str]]) -> None:
    names["localhost"] = ["192.0.2.1"]
    with pytest.raises(AddressRefused):
        call("http://localhost:9/")


def test_a_page_cannot_send_the_caller_to_another_host() -> None:
    with stranger(strangers.packs_well) as server, stranger(strangers.packs_well) as other:
        with caller(base=server.url, origins=frozenset({server.url})) as client:
            assert client.call("GET", "/v2/next").status == 200
            for url in (other.url, f"{server.url}@{other.url[7:]}/", f"//{other.url[7:]}"):
                with pytest.raises(CallFailed):
                    client.call("GET", url if "://" in url else f"http:{url}")
        assert other.asked == 0


def test_a_slow_look_up_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait() and [])
    with pytest.raises(CallTooSlow, match="looked up"):
        call("https://partner.example/", limits=Limits(seconds=0.2, answer_bytes=1))
    over.set()


def test_others_are_called_while_a_stranger_drips() -> None:
    with (
        stranger(strangers.drips) as slow,
        stranger(strangers.packs_well) as quick,
        caller(limits=Limits(seconds=60, answer_bytes=MOST)) as client,
    ):

        def wait_for_it() -> None:
            with contextlib.suppress(CallFailed):
                client.call("GET", slow.url)

        dripping = threading.Thread(target=wait_for_it, daemon=True)
        dripping.start()
        for _ in range(5):
            assert client.call("GET", quick.url).status == 200
        assert dripping.is_alive()
        slow.over.set()
        dripping.join(30)


VALUES = b"[" + b"0," * 600_000 + b"0]"
BAD_DOCUMENTS = {
    "levels": b"[" * 65 + b"]" * 65,
    "levels without an end": b'{"a":[' * 500,
    "values": VALUES,
    "values after blanks": b"\r\n\t " * 16 + VALUES,
    "values after a mark and blanks": b"\xef\xbb\xbf" + b" " * 64 + VALUES,
    "UTF-16": '{"a": 1}'.encode("utf-16-le"),
    "UTF-16 with a mark": '{"a": 1}'.encode("utf-16"),
    "UTF-16 the other way": '{"a": 1}'.encode("utf-16-be"),
    "UTF-16 after a blank": ' {"a": 1}'.encode("utf-16-le"),
    "UTF-32": '{"a": 1}'.encode("utf-32"),
    "XML in UTF-16": "<a/>".encode("utf-16"),
    "doctype after blanks": b"\n" * 64 + b"<!DOCTYPE a><a/>",
    "elements": b"<a>" + b"<b/>" * 600_000 + b"</a>",
    "doctype": b"<!DOCTYPE a><a/>",
    "half": b"<a><b></b>",
}


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
def test_a_document_beyond_its_bounds_is_refused(name: str) -> None:
    with pytest.raises(AnswerUnreadable):
        check_document(BAD_DOCUMENTS[name])


def test_brackets_in_texts_are_no_levels() -> None:
    check_document(rb'{"a": "[[[[\"[[[[\\", "b": ["\\\"["]}' + b" " * 10)
    check_document(b'["' + b"[" * 5000 + b'"]')
    check_document(b'["' + b'\\"' * 200_000)  # a text without an end is read once
    check_document(b"<a>" + b"[" * 5000 + b"</a>")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


@given(JSON)
@settings(deadline=None, max_examples=200)
def test_every_ordinary_document_passes(value: Any) -> None:
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only)
        check_document(text.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=300)
def test_any_bytes_pass_or_are_refused(body: bytes) -> None:
    for start in (b"", b"{", b"[", b"<a"):
        try:
            check_document(start + body)
        except AnswerUnreadable:
            continue


def test_tls_goes_by_the_name_although_the_address_is_pinned(
    names: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path, "partner.example")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(path)
    monkeypatch.setattr(outgoing, "_tls", lambda: ssl.create_default_context(cafile=str(path)))
    names |= {"partner.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}
    with stranger(strangers.packs_well) as server:
        server.socket = served.wrap_socket(server.socket, server_side=True)
        assert call(f"https://partner.example:{server.port}/").json() == {"fine": True}
        with pytest.raises(NotSent, match=r"No TLS with other\.example"):
            call(f"https://other.example:{server.port}/")
        assert server.asked == 1


def test_a_call_by_hand(names: dict[str, list[str]]) -> None:
    """The method, the headers, the body and the query arrive."""
    seen: list[Stranger] = []

    def behave(asked: Stranger) -> None:
        seen.append(asked)
        asked.answer(b"ok", "X-Own: yes")

    with stranger(behave) as server, caller(base=f"{server.url}/api", headers={"a": "b"}) as http:
        answer = http.call("POST", "things", json={"c": 1}, params={"d": "e f"}, headers={"g": "h"})
    assert (answer.text, answer.headers["x-own"]) == ("ok", "yes")
    assert seen[0].path == "/api/things?d=e+f" or seen[0].path == "/api/things?d=e%20f"
    assert seen[0].body == b'{"c":1}'
    assert b"\r\na: b\r\n" in seen[0].head
    assert b"\r\ng: h\r\n" in seen[0].head
    with stranger(strangers.inflates) as server, pytest.raises(AnswerTooLarge):
        call(server.url)
