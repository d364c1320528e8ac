"""A CyberTipline for practice: a real server with real state that speaks the real protocol.

Besides the protocol it has `GET /sandbox/reports` (the filed reports, as JSON) and
`POST /sandbox/faults` (how to misbehave). Where the documentation is silent:
4xxx is HTTP 400, 2000 is 401, 3xxx 403, 1210 and 500x 404, 510x 409, 1xxx 500.
"""

import base64
import hmac
import json
import random
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from lxml import etree

from kinward.ground.multipart import Form, Malformed
from kinward.ground.text import is_number
from kinward.reporting.authorities.cybertipline.documents import parse_xml
from kinward.reporting.authorities.cybertipline.sandbox_state import Problem, State
from kinward.reporting.authorities.cybertipline.schema import xsd

MAX_BODY: Final = 256 * 1024 * 1024
MAX_XML: Final = 4 * 1024 * 1024
KINDS: Final = ("slow", "error", "bare-error", "lost-request", "lost-answer", "wrong-hash")


class Fault(msgspec.Struct):
    """A way to misbehave on an endpoint ("*" is all), `times` more times, with a probability.

    slow: answers late · error: code 1000, nothing done · bare-error: done, then HTTP 502 without a
    body · lost-request: hangs up, nothing done · lost-answer: done, then hangs up · wrong-hash:
    answers an upload with another MD5.
    """

    kind: str
    endpoint: str = "*"
    probability: float = 1.0
    times: int | None = None
    seconds: float = 2.0


class Faults:
    """The faults to play, and the dice."""

    def __init__(self, faults: list[Fault], seed: int | None = None) -> None:
        self.replace(faults)
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - dice, not secrets

    def replace(self, faults: list[Fault]) -> None:
        """Misbehave like this from now on."""
        unknown = [fault.kind for fault in faults if fault.kind not in KINDS]
        if unknown:
            raise Problem(4000, f"Unknown fault {unknown[0]}: {', '.join(KINDS)}")
        self._faults = faults

    def next(self, endpoint: str) -> Fault | None:
        """Return the fault that strikes this call, if one does."""
        with self._lock:
            for fault in self._faults:
                fits = fault.endpoint in ("*", endpoint) and fault.times != 0
                if fits and self._random.random() < fault.probability:
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None


class Sandbox(ThreadingHTTPServer):
    """The server. `authorization` is the Basic header it accepts."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], state: State, username: str, password: str, faults: Faults
    ) -> None:
        self.state, self.faults, self.username = state, faults, username
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self.authorization = f"Basic {pair}"
        super().__init__(address, Handler)


class HangUp(Exception):
    """Close the connection without an answer."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "KinwardSandbox"
    server: Sandbox
    timeout = 60

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the filed reports are under /sandbox/reports."""

    def _handle(self, method: str) -> None:
        path = self.path.split("?")[0].removeprefix("/ispws")
        try:
            body = self._body()
            if not hmac.compare_digest(
                self.headers.get("Authorization", ""), self.server.authorization
            ):
                raise Problem(2000, "Authentication required")
            if path.startswith("/sandbox/"):
                self._control(method, path, body)
            else:
                self._misbehave(method, path.strip("/"), body)
        except Problem as problem:
            self._problem(problem)
        except (HangUp, ConnectionError, TimeoutError):
            self.close_connection = True

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        known = is_number(length, 18) and not self.headers.get("Transfer-Encoding")
        if not known or int(length) > MAX_BODY:
            self.close_connection = True
            raise Problem(4000, "Send a Content-Length within bounds")
        return self.rfile.read(int(length))

    def _misbehave(self, method: str, endpoint: str, body: bytes) -> None:
        fault = self.server.faults.next(endpoint)
        kind = fault.kind if fault else ""
        if fault and kind == "slow":
            time.sleep(fault.seconds)
        if kind == "error":
            raise Problem(1000, "Server error")
        if kind == "lost-request":
            raise HangUp
        answer = self._protocol(method, endpoint, body)
        if kind == "lost-answer":
            raise HangUp
        if kind == "bare-error":
            self._send(502, b"")
            return
        if kind == "wrong-hash":
            answer = answer.replace(b"<hash>", b"<hash>0")
        self._send(200, answer)

    def _protocol(self, method: str, endpoint: str, body: bytes) -> bytes:
        state = self.server.state
        match method, endpoint:
            case "GET", "status":
                who = f"Remote User : {self.server.username}, Remote Ip : {self.client_address[0]}"
                return response("reportResponse", responseCode=0, responseDescription=who)
            case "GET", "xsd":
                return xsd()
            case "POST", "submit":
                return success(state.submit(self._xml(body)))
            case "POST", "upload":
                report_id, name, data = self._file(body)
                file_id, md5 = state.upload(report_id, name, data)
                return success(int(report_id), fileId=file_id, hash=md5)
            case "POST", "fileinfo":
                return success(state.describe(self._xml(body)))
            case "POST", "finish":
                finished, file_ids = state.finish(self._id(body))
                return done(finished, file_ids)
            case "POST", "retract":
                return success(state.retract(self._id(body)))
        raise Problem(1210, "Resource not found")

    def _xml(self, body: bytes) -> etree._Element:
        if self.headers.get_content_type() not in ("text/xml", "application/xml"):
            raise Problem(4000, "Send text/xml")
        if len(body) > MAX_XML:
            raise Problem(4000, "The document is too large")
        try:
            return parse_xml(body)
        except etree.XMLSyntaxError as error:
            raise Problem(4110, f"Malformed XML submittal: {error.msg}") from error

    def _form(self, body: bytes) -> Form:
        form = Form(self.headers.get("Content-Type", ""))
        form.feed(body)
        form.finish()
        return form

    def _file(self, body: bytes) -> tuple[str, str, bytes]:
        try:
            parts = self._form(body).parts
        except Malformed as error:
            raise Problem(4200, "Malformed file submittal") from error
        if "id" not in parts or "file" not in parts or parts["file"].filename is None:
            raise Problem(4000, "id and file are required")
        file = parts["file"]
        return parts["id"].text.strip(), file.filename or "", bytes(file.data)

    def _id(self, body: bytes) -> str:
        if self.headers.get_content_type() == "application/x-www-form-urlencoded":
            return parse_qs(body.decode("latin-1")).get("id", [""])[0]
        try:
            parts = self._form(body).parts
        except Malformed as error:
            raise Problem(4000, "id is required") from error
        return parts["id"].text if "id" in parts else ""

    def _control(self, method: str, path: str, body: bytes) -> None:
        match method, path:
            case "GET", "/sandbox/reports":
                self._send(200, json.dumps(self.server.state.all()).encode(), "application/json")
            case "POST", "/sandbox/faults":
                try:
                    self.server.faults.replace(msgspec.json.decode(body, type=list[Fault]))
                except msgspec.MsgspecError as error:
                    raise Problem(4000, str(error)) from error
                self._send(200, b"{}", "application/json")
            case _:
                raise Problem(1210, "Resource not found")

    def _problem(self, problem: Problem) -> None:
        body = response(
            "reportResponse", responseCode=problem.code, responseDescription=problem.description
        )
        self._send(http_status(problem.code), body)

    def _send(self, status: int, body: bytes, content_type: str = "") -> None:
        self.send_response(status)
        # The real server sends UTF-8 under this label: a client must not believe it.
        self.send_header("Content-Type", content_type or "application/xml;charset=ISO-8859-1")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Request-ID", str(uuid.uuid4()))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="ESP Web Services"')
        self.end_headers()
        self.wfile.write(body)


def http_status(code: int) -> int:
    """Return the HTTP status for a code of the authority."""
    by_code = {1210: 404, 2000: 401, 5001: 404, 5002: 404, 5101: 409, 5102: 409}
    return by_code.get(code) or {1: 500, 3: 403, 4: 400}.get(code // 1000, 400)


def response(root: str, **fields: object) -> bytes:
    """Write a response document with these children."""
    element = etree.Element(root)
    for name, value in fields.items():
        etree.SubElement(element, name).text = str(value)
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8", standalone=True)


def success(report_id: int, **fields: object) -> bytes:
    """Write the response to a successful call."""
    return response(
        "reportResponse",
        responseCode=0,
        responseDescription="Success",
        reportId=report_id,
        **fields,
    )


def done(report_id: int, file_ids: list[str]) -> bytes:
    """Write the response to `finish`."""
    root = etree.fromstring(response("reportDoneResponse", responseCode=0, reportId=report_id))
    listed = etree.SubElement(root, "files")
    for file_id in file_ids:
        etree.SubElement(listed, "fileId").text = file_id
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def serve(
    *,
    host: str,
    port: int,
    store: Path,
    username: str,
    password: str,
    faults: list[Fault],
    expiry_scale: float = 1.0,
) -> Sandbox:
    """Return a sandbox that listens; call `serve_forever` on it."""
    return Sandbox((host, port), State(store, expiry_scale), username, password, Faults(faults))
