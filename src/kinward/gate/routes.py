"""The gate's plain endpoints: for each the scope that it needs, and what answers.

What streams, answers from memory or has no key of ours is in `app`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from kinward.access.actor import Actor
from kinward.gate import accounts, actions, decide, events, family, redress, text
from kinward.gate.http import Created

MAX_JSON: Final = 64 * 1024
MAX_REPORT: Final = 1024 * 1024  # an excerpt of a chat, whatever its letters take
DECIDE: Final = "policy:decide"


class Call(msgspec.Struct, frozen=True):
    """One call: the steps of its path, its parameters, its body, and whose key it is."""

    steps: Sequence[str]
    query: dict[str, str]
    body: bytes
    actor: Actor

    @property
    def of(self) -> str:
        """What it is about: the third step, as in `/v1/accounts/{id}`."""
        return self.steps[2]


class Route(msgspec.Struct, frozen=True):
    """The scope that a key needs, what answers, and how many bytes a body may have."""

    scope: str
    answer: Callable[[Call], Any]
    limit: int = MAX_JSON


ROUTES: Final[dict[tuple[str, str], Route]] = {
    ("PUT", "accounts"): Route("accounts:write", lambda c: accounts.put(c.of, c.body)),
    ("GET", "accounts"): Route(DECIDE, lambda c: accounts.see(c.of)),
    ("POST", "registrations"): Route("accounts:write", lambda c: accounts.may_register(c.body)),
    ("GET", "experience"): Route(DECIDE, lambda c: decide.experience(c.of)),
    ("PUT", "settings"): Route(
        "accounts:write", lambda c: decide.put_setting(c.of, c.steps[4], c.body, c.actor)
    ),
    ("GET", "screen-time"): Route(DECIDE, lambda c: events.see_screen_time(c.of)),
    ("PUT", "time-zone"): Route(
        "accounts:write", lambda c: events.put_time_zone(c.of, c.body, c.actor)
    ),
    ("POST", "events"): Route(
        "accounts:write", lambda c: events.take_events(c.body), events.MAX_EVENTS_BODY
    ),
    ("PUT", "activity"): Route(
        "accounts:write", lambda c: family.put_day(c.of, c.steps[4], c.body)
    ),
    ("GET", "passcodes"): Route(DECIDE, lambda c: family.see_sheet(c.of)),
    ("POST", "passcodes"): Route("accounts:write", lambda c: family.put_passcode(c.of, c.body)),
    ("POST", "portal-sessions"): Route(
        "portal:open", lambda c: Created(family.open_session(c.body, c.actor))
    ),
    ("POST", "reports"): Route(
        "reports:write",
        lambda c: Created(family.take_report(c.body, c.actor)),
        limit=MAX_REPORT,
    ),
    ("GET", "report"): Route("reports:write", lambda c: family.see_report(c.of)),
    ("GET", "statements"): Route("appeals:write", lambda c: redress.statements(c.of)),
    ("POST", "appeal"): Route(
        "appeals:write", lambda c: Created(redress.appeal(c.of, c.body, c.actor))
    ),
    ("GET", "actions"): Route("actions:pull", lambda c: actions.pull(c.query)),
    ("POST", "actions/acknowledged"): Route(
        "actions:pull", lambda c: actions.acknowledge(c.body, c.actor)
    ),
    ("POST", "text"): Route("text:check", lambda c: text.check_text(c.body), text.MAX_TEXT_BODY),
}
_FIXED: Final = {
    *("decide", "decide/batch", "events", "media", "media/hashes", "portal-sessions", "reports"),
    *("registrations", "text", "actions", "actions/acknowledged"),
}


def endpoint(path: str, steps: Sequence[str]) -> str:
    """The name of an endpoint under `/v1/`, for routing and for metrics; empty if there is none."""
    if path.removeprefix("/v1/") in _FIXED:
        return path.removeprefix("/v1/")
    match list(steps[1:]):
        case ["actions", action_id, "file"] if action_id:
            return "actions/file"
        case ["reports", report_id] if report_id:
            return "report"
        case ["statements", statement_id, "appeal"] if statement_id:
            return "appeal"
        case ["accounts", account_id] if account_id:
            return "accounts"
        case [
            "accounts",
            _,
            "experience" | "screen-time" | "time-zone" | "passcodes" | "statements" as name,
        ]:
            return name
        case ["accounts", _, "settings", capability] if capability:
            return "settings"
        case ["accounts", _, "activity", day] if day:
            return "activity"
    return ""
