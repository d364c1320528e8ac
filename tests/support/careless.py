"""Reads what a door of lookups answers, as the most careless tool or person reads it.

An answer is `known`, `clear` if everything was looked up, `partial` if the door itself says what
was not looked up, or `refused` if nothing in it can be taken for an answer.
"""

import html
import json

import httpx


def of_hma(answer: httpx.Response) -> str:
    """Read an answer of HMA as a tool does that ignores the status, such as policyserv."""
    try:
        value, _ = json.JSONDecoder().raw_decode(answer.text)
    except ValueError:
        assert answer.status_code >= 400
        return "refused"
    assert answer.status_code == 200, f"an error that reads as an answer: {answer.text}"
    assert isinstance(value, dict)
    if value.keys() == {"matches"}:
        return "known" if value["matches"] else "clear"
    by_type = [part for part in value.values() if isinstance(part, dict)]
    return "known" if any(by_type or value.values()) else "clear"


def of_media(answer: httpx.Response) -> str:
    """Read an answer about an upload. A refusal has nothing that looks like an outcome."""
    return _of_checked(answer, known="quarantine", missed="not_checked")


def of_text(answer: httpx.Response) -> str:
    """Read an answer about a text."""
    read = _of_checked(answer, known="known", missed="unread_urls")
    return "partial" if read == "clear" and answer.json()["not_checked"] else read


def _of_checked(answer: httpx.Response, *, known: str, missed: str) -> str:
    said = answer.json()
    if answer.status_code != 200:
        assert "outcome" not in said
        return "refused"
    assert said["checked"], "an answer from nothing"
    if said["outcome"] == known:
        return "known"
    return "partial" if said[missed] else "clear"


def of_staff(text: str, refused: bool) -> str:
    """Read what the command line prints, or a page shows, to somebody who searches the banks."""
    text = html.unescape(text)
    if refused:
        assert "No banked" not in text
        return "refused"
    if "distance " in text or "matching banked hash" in text:
        return "known"
    if "identical" in text or "Not everything was looked up." in text:
        return "partial"
    assert "No banked hash matches." in text
    assert "Looked up: " in text
    return "clear"
