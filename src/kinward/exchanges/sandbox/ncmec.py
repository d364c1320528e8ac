"""NCMEC's Hash Sharing v2, as python-threatexchange's client calls it."""

import base64
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from lxml import etree

from kinward.exchanges.sandbox.entries import REASON, Asked, Entry, Reply, Shelf

NAMESPACE: Final = "https://hashsharing.ncmec.org/hashsharing/v2"
PAGE: Final = 1000
KINDS: Final = frozenset(
    ("MD5", "SHA1", "PDNA", "PDQ", "NETCLEAN", "VIDENTIFIER", "TMK_PDQF", "SSVH_PDNA",
     "SSVH_SAFER_HASH")
)  # fmt: skip
OURS: Final = 1  # the member that the credentials belong to


def answer(shelf: Shelf, asked: Asked, *, user: str, password: str) -> Reply:
    """Answer a request to one of NCMEC's environments."""
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    if asked.headers.get("authorization") != f"Basic {token}":
        return Reply(401)
    match asked.steps:
        case ["v2", "status"] if asked.method == "GET":
            root = _element("status")
            _member(root, OURS)
        case ["v2", "members"] if asked.method == "GET":
            root = _element("members")
            for member in sorted({OURS, *(entry.member for entry in shelf.live())}):
                _member(root, member)
        case ["v2", "entries"] if asked.method == "GET":
            return _entries(shelf, asked.query)
        case ["v2", "feedback", kind, "reasons"] if kind in KINDS:
            root = _element("feedback")
            reasons = etree.SubElement(root, "availableFeedbackReasons")
            _reason(reasons)
        case ["v2", "entries", member, name, kind, "feedback"] if asked.method == "PUT":
            return _feedback(shelf, asked.body, member, name, kind)
        case _:
            return Reply(404)
    return _xml(root)


def _entries(shelf: Shelf, query: dict[str, str]) -> Reply:
    try:
        first, last = _seconds(query["from"]), _seconds(query["to"])
        start = int(query.get("start", "1"))
    except (KeyError, ValueError):
        return Reply(400)
    if start < 1:
        return Reply(400)
    entries = shelf.between(first, last)
    page = entries[start - 1 : start - 1 + PAGE]
    root = _element("queryResult")
    for name, video in (("images", False), ("videos", True)):
        of_kind = [entry for entry in page if entry.video is video]
        group = etree.SubElement(root, name, count=str(len(of_kind)))
        if of_kind:
            group.set("maxTimestamp", _text(max(entry.at for entry in of_kind)))
        for entry in of_kind:
            _write(group, entry, shelf)
    if start - 1 + PAGE < len(entries):
        more = {"start": start + PAGE, "size": PAGE, "max": len(entries)}
        rest = urlencode({"from": query["from"], "to": query["to"], **more})
        paging = etree.SubElement(root, "paging")
        etree.SubElement(paging, "next").text = f"/v2/entries?{rest}"
    return _xml(root)


def _write(group: Any, entry: Entry, shelf: Shelf) -> None:
    name = ("deleted" if entry.deleted else "") + ("Video" if entry.video else "Image")
    row = etree.SubElement(group, name if entry.deleted else name.lower())
    _member(row, entry.member)
    etree.SubElement(row, "timestamp").text = _text(entry.at)
    etree.SubElement(row, "id").text = entry.id
    if entry.deleted:
        return
    if entry.classification:
        etree.SubElement(row, "classification").text = entry.classification
    prints = etree.SubElement(row, "fingerprints")
    for kind, value in entry.fingerprints.items():
        etree.SubElement(prints, kind).text = value
    votes = shelf.feedback.get((str(entry.member), entry.id), [])
    if votes:
        _write_feedback(row, entry, votes)


def _write_feedback(row: Any, entry: Entry, votes: list[dict[str, Any]]) -> None:
    at = _text(entry.at)
    feedback = etree.SubElement(row, "feedback", lastUpdateTimestamp=at)
    for vote in votes:
        kind = str(vote["kind"]).capitalize()
        name = f"{vote['vote']}Feedback"
        opinion = etree.SubElement(feedback, name, type=kind, lastUpdateTimestamp=at)
        if vote["vote"] == "negative":
            opinion = etree.SubElement(opinion, "reasons")
            _reason(opinion)
        _member(etree.SubElement(opinion, "members", timestamp=at), OURS)


def _feedback(shelf: Shelf, body: bytes, member: str, name: str, kind: str) -> Reply:
    if kind not in KINDS or not member.isdigit() or shelf.get(int(member), name) is None:
        return Reply(404)
    try:
        sent = etree.fromstring(body, etree.XMLParser(resolve_entities=False))
        vote = etree.QName(sent[0]).localname
    except (etree.XMLSyntaxError, IndexError):
        return Reply(400)
    if vote not in ("affirmative", "negative"):
        return Reply(400)
    shelf.feedback.setdefault((member, name), []).append({"kind": kind, "vote": vote})
    return _xml(_element("submissionResult"))


def _member(parent: Any, member: int) -> None:
    etree.SubElement(parent, "member", id=str(member)).text = f"Member {member}"


def _reason(parent: Any) -> None:
    etree.SubElement(parent, "reason", guid=REASON, name="False positive", type="Any")


def _element(name: str) -> Any:
    return etree.Element(f"{{{NAMESPACE}}}{name}", nsmap={None: NAMESPACE})  # type: ignore[dict-item]


def _xml(root: Any) -> Reply:
    return Reply(200, etree.tostring(root), "application/xml")


def _text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
