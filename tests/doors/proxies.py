"""nginx and Caddy as the docs have them, in front of servers that tell what reached them."""

import contextlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[2]
FILES = ROOT / "docs" / "how-to" / "proxy"
CACHE = ROOT / ".doors"  # where scripts/proxies unpacks what is not installed
NAME = "safety.example.org"
PORTS = {"gate": 8700, "console": 8703, "pages": 8704}
SECONDS = 30.0


def program(name: str) -> str:
    """The path of nginx or Caddy, installed or unpacked by `scripts/proxies`."""
    for directory in ("", "/usr/sbin", str(CACHE / "usr/sbin"), str(CACHE / "usr/bin")):
        if path := shutil.which(name, path=directory or None):
            return path
    raise AssertionError(f"There is no {name}. Run `make proxies`, or install Debian's {name}.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Upstream:
    """One of Kinward's processes, as far as a proxy can tell: it notes what reaches it."""

    def __init__(self, door: str) -> None:
        self.door = door
        self.heads: list[tuple[str, dict[str, list[str]]]] = []
        self.received = 0
        self.first_bytes, self.go_on = threading.Event(), threading.Event()
        self.answer = b"x"
        self.go_on.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers: dict[str, list[str]] = {}
                for name, value in self.headers.items():
                    headers.setdefault(name.lower(), []).append(value)
                outer.heads.append((self.requestline.split()[1], headers))
                left = int(self.headers.get("Content-Length") or 0)
                while left and (chunk := self.rfile.read1(min(left, 65536))):
                    left -= len(chunk)
                    outer.received += len(chunk)
                    outer.first_bytes.set()
                    outer.go_on.wait(SECONDS)
                outer.go_on.wait(SECONDS)
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(outer.answer)))
                    self.send_header("Kinward-Door", outer.door)
                    self.end_headers()
                    self.wfile.write(outer.answer)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: Any) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


class Front:
    """A running proxy, with the upstreams behind it."""

    def __init__(self, kind: str, port: int, plain: int, directory: Path, pid: int) -> None:
        self.kind, self.port, self.plain = kind, port, plain
        self.directory, self.pid = directory, pid
        self.upstreams: dict[str, Upstream] = {}

    def get(self, path: str, source: str = "127.0.0.1", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with httpx.Client(transport=self.transport(source), timeout=SECONDS) as http:
            url = f"https://127.0.0.1:{self.port}{path}"
            extensions = {"sni_hostname": NAME}
            return http.get(url, headers={"Host": NAME} | named, extensions=extensions)

    def get_plain(self, path: str, source: str = "127.0.0.1", **headers: str) -> httpx.Response:
        """Ask by http, as a program does whose address lacks an s."""
        transport = httpx.HTTPTransport(local_address=source)
        with httpx.Client(transport=transport, timeout=SECONDS) as http:
            url = f"http://127.0.0.1:{self.plain}{path}"
            return http.get(url, headers={"Host": NAME} | headers)

    def transport(self, source: str) -> httpx.HTTPTransport:
        return httpx.HTTPTransport(verify=_context(), local_address=source)

    def connect(self, source: str = "127.0.0.1", host: str = "127.0.0.1") -> ssl.SSLSocket:
        plain = socket.create_connection((host, self.port), SECONDS, (source, 0))
        return _context().wrap_socket(plain, server_hostname=NAME)

    def send_head(self, opened: ssl.SSLSocket, line: str, **headers: object) -> None:
        named = {"Host": NAME} | {name.replace("_", "-"): headers[name] for name in headers}
        lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
        opened.sendall("\r\n".join([*lines, "", ""]).encode())


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def status(opened: ssl.SSLSocket) -> int:
    """The status of the answer; 0 if the connection ended without one."""
    with contextlib.suppress(OSError):
        line = opened.makefile("rb").readline().decode()
        return int(line.split()[1]) if line else 0
    return 0


@contextlib.contextmanager
def running(
    kind: str, directory: Path, ports: dict[str, int], *, more: str = ""
) -> Iterator[Front]:
    """Run the proxy of the docs. Only ports, paths and the certificate differ from the file.

    `more` is added to the part of nginx about HTTP, for callers whom this machine cannot be.
    """
    directory.chmod(0o755)
    _write_certificate(directory)
    port, plain = free_port(), free_port()
    text = _placed((FILES / _FILES[kind]).read_text(), directory, ports)
    path = directory / _FILES[kind]
    text = _OWN[kind](text, directory, port, plain)
    path.write_text(text.replace("http {\n", f"http {{\n{more}", 1) if more else text)
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            _commands(kind, path),
            stdout=log,
            stderr=log,
            env={"HOME": str(directory), "XDG_DATA_HOME": str(directory), "PATH": "/usr/bin:/bin"},
        )
        try:
            _wait(process, port, directory / "log")
            yield Front(kind, port, plain, directory, process.pid)
        finally:
            process.terminate()
            process.wait(SECONDS)


def _placed(text: str, directory: Path, ports: dict[str, int]) -> str:
    for door, usual in PORTS.items():
        assert f"127.0.0.1:{usual}" in text
        text = re.sub(rf"\b127\.0\.0\.1:{usual}\b", f"127.0.0.1:{ports[door]}", text)
    return text.replace(f"/etc/ssl/{NAME}", str(directory))


def _nginx(text: str, directory: Path, port: int, plain: int) -> str:
    temporary = directory / "temporary"
    temporary.mkdir()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"    {kind}_temp_path {temporary / kind};\n" for kind in kinds)
    text = text.replace("http {\n", "http {\n" + places, 1)
    text = text.replace("/run/nginx.pid", str(directory / "pid"))
    text = text.replace("/var/log/nginx", str(directory))
    for usual, ours in ((443, port), (80, plain)):
        text = re.sub(rf"listen {usual}\b", f"listen 127.0.0.1:{ours}", text)
        text = re.sub(rf"listen \[::\]:{usual}\b", f"listen [::1]:{ours}", text)
    return text


def _caddy(text: str, directory: Path, port: int, plain: int) -> str:
    places = f"\tadmin off\n\thttp_port {plain}\n\thttps_port {port}\n"
    return text.replace("{\n\tservers {", "{\n" + places + "\tservers {", 1)


_FILES = {"nginx": "nginx.conf", "caddy": "Caddyfile"}
_OWN: dict[str, Callable[[str, Path, int, int], str]] = {"nginx": _nginx, "caddy": _caddy}


def _commands(kind: str, path: Path) -> list[str]:
    if kind == "nginx":
        return [program("nginx"), "-p", str(path.parent), "-c", str(path), "-g", "daemon off;"]
    return [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(path)]


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"It did not start: {log.read_text()[-2000:]}")


def _write_certificate(directory: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (directory / "fullchain.pem").write_bytes(certificate.public_bytes(encoding))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (directory / "privkey.pem").write_bytes(key.private_bytes(encoding, *private))
