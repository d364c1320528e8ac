"""StopNCII's API, as python-threatexchange's client calls it."""

import time
from typing import Any, Final

import msgspec

from kinward.exchanges.sandbox.entries import Asked, Entry, Reply, Shelf, json_reply

MAX_PAGE: Final = 1000
FUNCTIONS: Final = {"FetchHashes": "GET", "SubmitHashes": "POST", "SubmitFeedback": "POST"}
PRINTS: Final = {"ImagePDQ": "pdq", "VideoMD5": "md5"}


def answer(shelf: Shelf, asked: Asked, *, key: str, opinions: list[dict[str, Any]]) -> Reply:
    """Answer a request. Each function has a key of its own, and any that is not empty will do."""
    headers = asked.headers
    if headers.get("ocp-apim-subscription-key") != key or not headers.get("x-functions-key"):
        return Reply(401)
    function = asked.steps[0] if len(asked.steps) == 1 else ""
    if FUNCTIONS.get(function) != asked.method:
        return Reply(404)
    try:
        if function == "FetchHashes":
            return _fetch(shelf, asked.query)
        sent = msgspec.json.decode(asked.body)
        if function == "SubmitHashes":
            return _add(shelf, sent["hashRecords"])
        opinions += sent["hashFeedbacks"]
        for feedback in sent["hashFeedbacks"]:
            shelf.feedback.setdefault(("", feedback["hashValue"]), []).append(feedback)
    except (KeyError, ValueError, TypeError, msgspec.DecodeError):
        return Reply(400)
    return json_reply({})


def _fetch(shelf: Shelf, query: dict[str, str]) -> Reply:
    first, size = int(query["startTimestamp"]), min(int(query["pageSize"]), MAX_PAGE)
    entries = [entry for entry in shelf.between(first, int(time.time())) if _kind_of(entry)]
    start = int(query.get("nextPageToken", "0"))
    if size < 1 or start < 0:
        return Reply(400)
    page = entries[start : start + size]
    more = start + size < len(entries)
    return json_reply(
        {
            "count": len(page),
            "nextPageToken": str(start + size) if more else None,
            "nextSetTimestamp": max((entry.at for entry in entries), default=first),
            "hasMoreRecords": more,
            "hashRecords": [_record(shelf, entry) for entry in page],
        }
    )


def _record(shelf: Shelf, entry: Entry) -> dict[str, Any]:
    kind = _kind_of(entry)
    value, status = entry.fingerprints[PRINTS[kind]], "Withdrawn" if entry.deleted else "Active"
    return {
        "lastModtimestamp": entry.at,
        "signalType": kind,
        "hashValue": value,
        "hashStatus": status,
        "caseNumbers": {f"case-{entry.id}": status},
        "CSPFeedbacks": [
            {
                "source": "sandbox",
                "feedbackValue": feedback["feedbackValue"],
                "tags": feedback.get("tags", []),
            }
            for feedback in shelf.feedback.get(("", value), [])
        ],
    }


def _kind_of(entry: Entry) -> str:
    """Return the signal type under which StopNCII shares an entry; empty if it shares none."""
    if "pdq" in entry.fingerprints:
        return "ImagePDQ"
    return "VideoMD5" if entry.video and "md5" in entry.fingerprints else ""


def _add(shelf: Shelf, records: list[dict[str, Any]]) -> Reply:
    entries = []
    for record in records:
        # The package's client sends the name with its class: `StopNCIISignalType.ImagePDQ`.
        kind, value = str(record["signalType"]).rpartition(".")[2], str(record["hashValue"])
        prints = {PRINTS[kind]: value}
        video = kind == "VideoMD5"
        at = int(record["lastModtimestamp"])
        entries.append(Entry(0, value, at, prints, video=video))
    shelf.put(*entries)
    return json_reply({})
