"""A sandbox of partners: one real server with real state that speaks their protocols.

`/hashsharing`: NCMEC's Hash Sharing v2. `/stopncii`: StopNCII's API. `/graph`: the part of Meta's
ThreatExchange that Kinward uses. Entries are generated. Nothing here is from a real list.
"""

import base64
import bisect
import json
import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from lxml import etree

NAMESPACE: Final = "https://hashsharing.ncmec.org/hashsharing/v2"
PAGE: Final = 1000
REASON: Final = "01234567-0000-4000-8000-000000000001"
MAX_BODY: Final = 1024 * 1024


class Entry(msgspec.Struct, frozen=True):
    """An entry of a member: fingerprints by NCMEC's names, or none once it is deleted."""

    member: int
    id: str
    at: int
    fingerprints: dict[str, str] = {}
    classification: str = ""
    video: bool = False
    deleted: bool = False


class Partner(ThreadingHTTPServer):
    """The server, its entries, the opinions that it received, and its faults.

    Each request uses up one of `faults`: `html` (a page instead of an answer), `cut` (half of the
    answer), `error` (500), or an empty string for none.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        super().__init__((host, port), _Handler)
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.authorization, self.key = f"Basic {token}", password
        self.opinions: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.served = 0
        self._entries: dict[tuple[int, str], Entry] = {}
        self._times: list[tuple[int, int, str]] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, *entries: Entry) -> None:
        """Add entries, or replace those with the same member and id."""
        with self._lock:
            self._entries.update({(entry.member, entry.id): entry for entry in entries})
            self._times = sorted((entry.at, *key) for key, entry in self._entries.items())

    def live(self) -> list[Entry]:
        """Return the entries that are not deleted."""
        with self._lock:
            return [entry for entry in self._entries.values() if not entry.deleted]

    def between(self, first: int, last: int) -> list[Entry]:
        """Return the entries changed from `first` through `last`, Unix seconds, ordered by id."""
        with self._lock:
            low = bisect.bisect_left(self._times, (first, 0, ""))
            high = bisect.bisect_right(self._times, (last, 1 << 60, ""))
            entries = [self._entries[member, name] for _, member, name in self._times[low:high]]
        return sorted(entries, key=lambda entry: entry.id)


def generated(count: int, *, days: int = 30, seed: int = 1) -> Iterator[Entry]:
    """Yield entries of random hashes, spread over the last `days` days."""
    dice = random.Random(seed)  # noqa: S311 - shapes for practice, not secrets
    now = int(time.time()) - 60
    for number in range(count):
        prints = {"md5": dice.randbytes(16).hex()}
        if number % 10 == 1:
            prints["pdq"] = dice.randbytes(32).hex()
        if number % 20 == 0:
            prints["pdna"] = base64.b64encode(dice.randbytes(144)).decode()
        yield Entry(
            member=1 + number % 7,
            id=f"{dice.getrandbits(64):016x}",
            at=now - dice.randrange(days * 86400),
            fingerprints=prints,
            classification=dice.choice(("A1", "A2", "B1", "B2")),
            video=number % 11 == 0,
        )


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    user: str = "sandbox",
    password: str = "sandbox",  # noqa: S107 - of a practice server
) -> Partner:
    """Return a partner, ready to `serve_forever`. Port 0 chooses a free one."""
    return Partner(host, port, user, password)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Partner

    def do_GET(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        self.server.served += 1
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), MAX_BODY))
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault == "error":
            return self._answer(500, b"", "text/plain")
        if fault == "html":
            return self._answer(200, b"<html><body>Back soon.<br></body>", "text/html")
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        steps = parts.path.strip("/").split("/")
        for prefix, route in (
            ("hashsharing", self._ncmec),
            ("stopncii", self._stopncii),
            ("graph", self._graph),
        ):
            if steps[0] == prefix:
                return route(steps[1:], query, body, cut=fault == "cut")
        return self._answer(404, b"", "text/plain")

    def _ncmec(self, steps: list[str], query: dict[str, str], body: bytes, *, cut: bool) -> None:
        if self.headers.get("Authorization") != self.server.authorization:
            return self._answer(401, b"", "text/plain")
        match steps[1:]:
            case ["status"]:
                answer = _element("status")
                etree.SubElement(answer, "member", id="1").text = "Sandbox"
            case ["entries"]:
                answer = self._entries_page(query)
            case ["feedback", _, "reasons"]:
                answer = _element("feedback")
                reasons = etree.SubElement(answer, "availableFeedbackReasons")
                etree.SubElement(reasons, "reason", guid=REASON, name="False positive", type="Any")
            case ["entries", member, entry, kind, "feedback"] if self.command == "PUT":
                sent = etree.fromstring(body, etree.XMLParser(resolve_entities=False))
                vote = etree.QName(sent[0]).localname
                self.server.opinions.append(
                    {"member": int(member), "entry": entry, "kind": kind, "vote": vote}
                )
                answer = _element("submissionResult")
            case _:
                return self._answer(404, b"", "text/plain")
        return self._answer(200, etree.tostring(answer), "application/xml", cut=cut)

    def _entries_page(self, query: dict[str, str]) -> Any:
        first, last = _seconds(query["from"]), _seconds(query["to"])
        entries = self.server.between(first, last)
        start = int(query.get("start", "1"))
        page = entries[start - 1 : start - 1 + PAGE]
        root = _element("queryResult")
        for name, video in (("images", False), ("videos", True)):
            of_kind = [entry for entry in page if entry.video is video]
            group = etree.SubElement(root, name, count=str(len(of_kind)))
            if of_kind:
                group.set("maxTimestamp", _text(max(entry.at for entry in of_kind)))
            for entry in of_kind:
                _write(group, entry)
        if start - 1 + PAGE < len(entries):
            more = {"start": start + PAGE, "size": PAGE, "max": len(entries)}
            rest = urlencode({"from": query["from"], "to": query["to"], **more})
            paging = etree.SubElement(root, "paging")
            etree.SubElement(paging, "next").text = f"/v2/entries?{rest}"
        return root

    def _stopncii(self, steps: list[str], query: dict[str, str], body: bytes, *, cut: bool) -> None:
        if self.headers.get("Ocp-Apim-Subscription-Key") != self.server.key:
            return self._answer(401, b"", "text/plain")
        if steps == ["SubmitFeedback"]:
            self.server.opinions += json.loads(body)["hashFeedbacks"]
            return self._json({}, cut=cut)
        first, size = int(query["startTimestamp"]), int(query["pageSize"])
        entries = self.server.between(first, int(time.time()))
        start = int(query.get("nextPageToken", "0"))
        page = entries[start : start + size]
        more = start + size < len(entries)
        records: list[dict[str, Any]] = [
            {
                "lastModtimestamp": entry.at,
                "signalType": "ImagePDQ",
                "hashValue": entry.fingerprints["pdq"],
                "hashStatus": "Withdrawn" if entry.deleted else "Active",
                "caseNumbers": {},
                "CSPFeedbacks": [],
            }
            for entry in page
        ]
        return self._json(
            {
                "count": len(records),
                "nextPageToken": str(start + size) if more else None,
                "nextSetTimestamp": max((entry.at for entry in entries), default=first),
                "hasMoreRecords": more,
                "hashRecords": records,
            },
            cut=cut,
        )

    def _graph(self, steps: list[str], query: dict[str, str], body: bytes, *, cut: bool) -> None:
        if query.get("access_token") != f"1|{self.server.key}":
            return self._json({"error": {"message": "Invalid OAuth access token."}}, status=400)
        match steps:
            case [_, "threat_updates"]:
                return self._updates(query, cut=cut)
            case ["threat_descriptors"]:
                descriptors = [
                    {"id": _descriptor(entry)}
                    for entry in self.server.live()
                    if query.get("text") in entry.fingerprints.values()
                ]
                return self._json({"data": descriptors}, cut=cut)
            case [descriptor] if self.command == "POST":
                sent = parse_qs(body.decode())
                self.server.opinions.append({"descriptor": descriptor, **sent})
                return self._json({"success": True}, cut=cut)
        return self._json({}, status=404)

    def _updates(self, query: dict[str, str], *, cut: bool) -> None:
        entries = self.server.between(int(query.get("start_time") or 0), int(time.time()))
        start, size = int(query.get("after", "0")), int(query.get("limit", "100"))
        data = [
            {
                "id": str(number),
                "indicator": entry.fingerprints["md5"],
                "type": "HASH_MD5",
                "last_updated": entry.at,
                "should_delete": entry.deleted,
                "descriptors": {
                    "data": [
                        {
                            "id": _descriptor(entry),
                            "owner": {"id": str(entry.member)},
                            "status": "MALICIOUS",
                            "tags": {"data": [{"text": entry.classification}]},
                        }
                    ]
                },
            }
            for number, entry in enumerate(entries[start : start + size], start + 1)
        ]
        answer: dict[str, Any] = {"data": data}
        if start + size < len(entries):
            rest = urlencode({**query, "after": start + size})
            answer["paging"] = {"next": f"{self.server.url}/graph/1/threat_updates/?{rest}"}
        return self._json(answer, cut=cut)

    def _json(self, value: Any, *, status: int = 200, cut: bool = False) -> None:
        self._answer(status, json.dumps(value).encode(), "application/json", cut=cut)

    def _answer(self, status: int, body: bytes, kind: str, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def _descriptor(entry: Entry) -> str:
    return f"{entry.member}{int(entry.id, 16):020}"


def _element(name: str) -> Any:
    return etree.Element(f"{{{NAMESPACE}}}{name}", nsmap={None: NAMESPACE})  # type: ignore[dict-item]


def _write(group: Any, entry: Entry) -> None:
    name = ("deleted" if entry.deleted else "") + ("Video" if entry.video else "Image")
    row = etree.SubElement(group, name if entry.deleted else name.lower())
    etree.SubElement(row, "member", id=str(entry.member)).text = f"Member {entry.member}"
    etree.SubElement(row, "timestamp").text = _text(entry.at)
    etree.SubElement(row, "id").text = entry.id
    if entry.deleted:
        return
    if entry.classification:
        etree.SubElement(row, "classification").text = entry.classification
    prints = etree.SubElement(row, "fingerprints")
    for kind, value in entry.fingerprints.items():
        etree.SubElement(prints, kind).text = value


def _text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
