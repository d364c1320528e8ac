"""The rows of the table of routes that are about families: screen time, pass-codes, visits."""

from typing import Final

from kinward.families.api import Counts, PasscodeRefused, ScreenTime, TooManyTries
from kinward.gate import events, family
from kinward.gate.routing import Route
from kinward.ground.errors import Invalid, NotConfigured
from kinward.people.api import AccountUnknown

FAMILIES: Final = (
    Route(
        "POST /v1/events",
        "accounts:write",
        events.receive_heartbeats,
        body=events.Heartbeats,
        answer=events.HeartbeatsTaken,
        errors=(Invalid,),
        limit=events.MAX_EVENTS_BODY,
        read=events.read_heartbeats,
        parts=lambda batch: len(batch.events),
    ),
    Route(
        "GET /v1/accounts/{account_id}/screen-time",
        "policy:decide",
        events.see_screen_time,
        answer=ScreenTime,
        errors=(AccountUnknown,),
    ),
    Route(
        "PUT /v1/accounts/{account_id}/time-zone",
        "accounts:write",
        events.put_time_zone,
        body=events.ZoneIn,
        answer=ScreenTime,
        errors=(AccountUnknown,),
    ),
    Route(
        "PUT /v1/accounts/{account_id}/activity/{day:date}",
        "accounts:write",
        family.put_day,
        body=Counts,
        answer=family.Day,
        errors=(AccountUnknown,),
    ),
    Route(
        "GET /v1/accounts/{account_id}/passcodes",
        "policy:decide",
        family.see_passcodes,
        answer=family.PasscodeSheet,
        errors=(AccountUnknown, NotConfigured),
    ),
    Route(
        "POST /v1/accounts/{account_id}/passcodes",
        "accounts:write",
        family.put_passcode,
        body=family.PasscodeIn,
        answer=ScreenTime,
        errors=(AccountUnknown, PasscodeRefused, TooManyTries),
    ),
    Route(
        "POST /v1/portal-sessions",
        "portal:open",
        family.open_portal_session,
        body=family.PortalSessionIn,
        answer=family.PortalLink,
        statuses=(201,),
        errors=(AccountUnknown,),
    ),
)
