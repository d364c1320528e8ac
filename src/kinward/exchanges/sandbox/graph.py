"""The part of Meta's ThreatExchange that Kinward uses."""

import time
from typing import Any
from urllib.parse import parse_qs, urlencode

from kinward.exchanges.sandbox.entries import Asked, Entry, Reply, Shelf, json_reply


def answer(
    shelf: Shelf, asked: Asked, *, key: str, url: str, opinions: list[dict[str, Any]]
) -> Reply:
    """Answer a request. `url`: the address under which the next page is named."""
    if asked.query.get("access_token") != f"1|{key}":
        return json_reply({"error": {"message": "Invalid OAuth access token."}}, 400)
    match asked.steps:
        case [_, "threat_updates"]:
            return _updates(shelf, asked.query, url)
        case ["threat_descriptors"]:
            wanted = asked.query.get("text")
            live = [entry for entry in shelf.live() if wanted in entry.fingerprints.values()]
            return json_reply({"data": [{"id": _descriptor(entry)} for entry in live]})
        case [descriptor] if asked.method == "POST":
            opinions.append({"descriptor": descriptor, **parse_qs(asked.body.decode())})
            return json_reply({"success": True})
    return json_reply({}, 404)


def _updates(shelf: Shelf, query: dict[str, str], url: str) -> Reply:
    first = int(query.get("start_time") or 0)
    entries = [e for e in shelf.between(first, int(time.time())) if "md5" in e.fingerprints]
    start, size = int(query.get("after", "0")), int(query.get("limit", "100"))
    page = entries[start : start + size]
    found = {"data": [_update(number, entry) for number, entry in enumerate(page, start + 1)]}
    if start + size < len(entries):
        rest = urlencode({**query, "after": start + size})
        return json_reply(found | {"paging": {"next": f"{url}/graph/1/threat_updates/?{rest}"}})
    return json_reply(found)


def _update(number: int, entry: Entry) -> dict[str, Any]:
    descriptor = {
        "id": _descriptor(entry),
        "owner": {"id": str(entry.member)},
        "status": "MALICIOUS",
        "tags": {"data": [{"text": entry.classification}]},
    }
    return {
        "id": str(number),
        "indicator": entry.fingerprints["md5"],
        "type": "HASH_MD5",
        "last_updated": entry.at,
        "should_delete": entry.deleted,
        "descriptors": {"data": [descriptor]},
    }


def _descriptor(entry: Entry) -> str:
    return f"{entry.member}{int(entry.id, 16):020}"
