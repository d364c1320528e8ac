"""nginx counts a /64 network of IPv6 as one caller, as Kinward does."""

import contextlib
from pathlib import Path

from tests.doors.proxies import Upstream, running, status


def test_a_network_of_ipv6_is_one_caller_for_nginx(tmp_path: Path) -> None:
    upstream = Upstream("gate")
    ports = dict.fromkeys(("gate", "console", "pages"), upstream.port)
    tmp_path.parent.chmod(0o755)
    pretend = "    set_real_ip_from 127.0.0.1;\n    real_ip_header Pretended;\n"
    with running("nginx", tmp_path, ports, more=pretend) as front:

        def ask(address: str) -> int:
            return front.get("/v1/decide", Pretended=address).status_code

        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(front.connect()) for _ in range(100)]
            for number, opened in enumerate(held):  # each from an address of its own
                address = f"2001:db8:1:2:{number:x}::1"
                front.send_head(opened, "GET /v1/decide", Pretended=address)
            answers = {status(opened) for opened in held}
        assert answers == {200, 429}
        assert ask("2001:db8:1:3::1") == 200
        assert ask("192.0.2.1") == 200
    upstream.server.shutdown()
    upstream.server.server_close()
