"""The calls to Kinward. An app needs no more than these."""

from datetime import UTC, date, datetime
from typing import Any, Final

import httpx
from django.conf import settings

NO_PICTURE: Final = "media.type_unsupported"
LATER: Final = (408, 429)  # too slow, or over a share: the same call is worth another attempt
OVER: Final = (403, 409)  # of a link with an answer: used or without power, or the ask is over


class NotNow(Exception):
    """Kinward did not answer. Hold the upload back and ask again."""


class Refused(Exception):
    """Kinward refused the call. Its sentence is for the uploader."""


def tell_account(
    account_id: str, *, age: int, handle: str, language: str, checked: bool, time_zone: str
) -> None:
    """Tell Kinward about a new member: an id and an age range. No birth date is needed."""
    _call(
        "PUT",
        f"/v1/accounts/{account_id}",
        json={
            "age": {
                "lower": age,
                "upper": age + 1,
                "source": "sign-up form",
                "assurance": "verified" if checked else "declared",
            },
            "screen_name": handle,
            "language": language,
        },
    )
    if time_zone:
        try:
            _call("PUT", f"/v1/accounts/{account_id}/time-zone", json={"time_zone": time_zone})
        except Refused:  # a browser may send a zone that the server does not know
            return


def family_pages(account_id: str, start: dict[str, str]) -> str:
    """Return a link to Kinward's family pages for a member. It works once, within two minutes."""
    session = {"account_id": account_id, "start": start}
    return str(_call("POST", "/v1/portal-sessions", json=session)["url"])


def tell_posts(account_id: str, *, day: date, posts: int) -> None:
    """Tell Kinward the number of a member's posts on a day. A guardian may see that number."""
    _call("PUT", f"/v1/accounts/{account_id}/activity/{day}", json={"posts": posts})


def screen_time(account_id: str) -> dict[str, Any]:
    """Return a member's screen time, without a heartbeat that would count as use."""
    return _call("GET", f"/v1/accounts/{account_id}/screen-time")


def may_join(age: int) -> str:
    """Return why a person of this age may not join, in words for them, or an empty text."""
    actor = {"age": [age, age + 1]}
    answer = _call("POST", "/v1/decide", json={"capability": "account.join", "actor": actor})
    return "" if answer["effect"] == "allow" else str(answer["sentence"])


def experience(account_id: str) -> dict[str, Any]:
    """Return all decisions for a member, so that the app can configure itself."""
    answer = _call("GET", f"/v1/accounts/{account_id}/experience")
    decisions: dict[str, Any] = answer["decisions"]
    return decisions


def why_not(account_id: str, capability: str) -> str:
    """Return why a member may not do something at all, in words for them, or an empty text."""
    question = {"capability": capability, "actor": {"id": account_id}}
    answer = _call("POST", "/v1/decide", json=question)
    return str(answer["sentence"]) if answer["effect"] == "deny" else ""


def link_download(account_id: str, signed: str) -> None:
    """Tell Kinward which download of the app is a member's, so that Apple's word finds them."""
    path = f"/v1/accounts/{account_id}/app-download"
    _call("PUT", path, json={"signed_app_transaction": signed})


def consent(account_id: str) -> dict[str, Any]:
    """Return whether a guardian's consent is withdrawn, and who said what."""
    return _call("GET", f"/v1/accounts/{account_id}/consent")


def give_consent(account_id: str) -> None:
    """Tell Kinward that the store starts the app again. Answers each withdrawal by its id."""
    words = consent(account_id)["words"]
    answers = [word["id"] for word in words if word["state"] == "withdrawn"]
    given = {"state": "given", "basis": "store", "answers": answers}
    _call("PUT", f"/v1/accounts/{account_id}/consent", json=given)


def prove_guardian(account_id: str, guardian_id: str) -> None:
    """Tell Kinward that a check confirmed who is a member's guardian."""
    day = datetime.now(UTC).date().isoformat()
    path = f"/v1/accounts/{account_id}/guardians/{guardian_id}/proof"
    _call("PUT", path, json={"method": "id", "checked_on": day, "evidence": "practice"})


def heartbeat(account_id: str) -> dict[str, Any]:
    """Tell Kinward that a member is using the app in this minute; returns their screen time."""
    event = {"account_id": account_id, "at": datetime.now(UTC).isoformat()}
    answer = _call("POST", "/v1/events", json={"events": [event]})
    time: dict[str, Any] = answer["accounts"].get(account_id, {})
    return time


def check_picture(
    *,
    account_id: str,
    content_id: str,
    filename: str,
    data: bytes,
    uploaded_at: datetime,
    address: str | None,
) -> str:
    """Ask whether a picture may be published: `clear` or `quarantine`.

    The content's id is the idempotency key, so that a repeated call about a post has one effect.
    Raises `Refused` for what is no picture: Kinward has checked only whether its bytes are known.
    """
    fields = {
        "account_id": account_id,
        "content_id": content_id,
        "uploaded_at": uploaded_at.isoformat(),
        "public": "true",
    }
    if address:
        fields["ip"] = address
    answer = _call(
        "POST",
        "/v1/media",
        data=fields,
        files={"file": (filename, data)},
        headers={"Idempotency-Key": content_id},
    )
    if answer["outcome"] == "clear" and NO_PICTURE in answer.get("not_checked", ()):
        raise Refused("Only pictures and videos can be posted here.")
    return str(answer["outcome"])


def answer_ask(url: str) -> None:
    """Give the answer of a link that came with a notice. The link itself is the permission.

    Follows redirects, because Kinward without a proxy redirects to the port of its pages. Only a
    200 to the `POST` itself counts: a redirect that made a `GET` of it has answered nothing.
    Raises `Refused` if the link was used, or if nothing is left to answer.
    """
    try:
        with httpx.Client(timeout=30, trust_env=False, follow_redirects=True) as http:
            response = http.post(url)
    except httpx.RequestError as error:
        raise NotNow(str(error)) from error
    if response.status_code in OVER:
        raise Refused("This can no longer be answered here. Your family page shows what is open.")
    if response.status_code != 200 or response.request.method != "POST":
        raise NotNow(f"HTTP {response.status_code} to {response.request.method}")


def fetch_restored(url: str) -> bytes:
    """Fetch the file of a restored picture. Raises `httpx.HTTPError` if it is not available yet."""
    headers = {"Authorization": f"Bearer {settings.KINWARD_KEY}"}
    with httpx.Client(timeout=30, trust_env=False) as http:
        return http.get(url, headers=headers).raise_for_status().content


def _call(method: str, path: str, **arguments: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {settings.KINWARD_KEY}", **arguments.pop("headers", {})}
    try:
        with httpx.Client(base_url=settings.KINWARD_URL, timeout=30, trust_env=False) as http:
            response = http.request(method, path, headers=headers, **arguments)
    except httpx.TransportError as error:
        raise NotNow(str(error)) from error
    if response.status_code >= 500 or response.status_code in LATER:
        raise NotNow(f"HTTP {response.status_code}")
    answer: dict[str, Any] = response.json()
    if response.status_code >= 400:
        raise Refused(str(answer["title"]))
    return answer
