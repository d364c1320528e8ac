"""`POST /v1/events` and screen time: an app sends heartbeats and gets the remaining minutes."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from kinward.families.api import (
    MAX_EVENTS,
    Heartbeat,
    Refusal,
    ScreenTime,
    screen_time,
    set_time_zone,
    take_heartbeats,
)
from kinward.gate.calls import Call
from kinward.gate.http import decode
from kinward.ground.errors import Invalid
from kinward.people.api import get_account

MAX_EVENTS_BODY: Final = 2 * 1024 * 1024


class Heartbeats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch of heartbeats."""

    events: list[Heartbeat]


class RawHeartbeats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch of heartbeats that are not decoded yet."""

    events: list[msgspec.Raw]


class HeartbeatsTaken(msgspec.Struct, frozen=True):
    """The number of accepted heartbeats, the refused ones, and the accounts' screen time."""

    taken: int
    refused: list[Refusal]
    accounts: dict[str, ScreenTime]


class ZoneIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An IANA time zone, such as Europe/Dublin."""

    time_zone: str


def read_heartbeats(body: bytes) -> RawHeartbeats:
    """Decode a batch, but not its heartbeats, so that an invalid one does not spoil the others."""
    return decode(body, RawHeartbeats)


def receive_heartbeats(call: Call[RawHeartbeats]) -> HeartbeatsTaken:
    """Record the valid heartbeats of a batch; returns the refused ones with index and reason."""
    batch = call.body.events
    if len(batch) > MAX_EVENTS:
        raise Invalid(
            f"A batch has at most {MAX_EVENTS:,} events, but this one has {len(batch):,}."
        )
    heartbeats: list[Heartbeat] = []
    indexes: list[int] = []
    refused: list[Refusal] = []
    for index, raw in enumerate(batch):
        try:
            heartbeats.append(msgspec.json.decode(raw, type=Heartbeat))
            indexes.append(index)
        except (msgspec.ValidationError, UnicodeDecodeError) as error:
            refused.append(Refusal(index, f"{error}."))
    accounts, more = take_heartbeats(heartbeats)
    refused += [Refusal(indexes[refusal.index], refusal.why) for refusal in more]
    refused.sort(key=lambda refusal: refusal.index)
    return HeartbeatsTaken(len(batch) - len(refused), refused, accounts)


def see_screen_time(call: Call[None], account_id: str) -> ScreenTime:
    """Return an account's screen time of today and of this week."""
    return screen_time(get_account(account_id), datetime.now(UTC))


def put_time_zone(call: Call[ZoneIn], account_id: str) -> ScreenTime:
    """Set an account's time zone; returns its new screen time."""
    set_time_zone(account_id=account_id, zone=call.body.time_zone, actor=call.actor)
    return screen_time(get_account(account_id), datetime.now(UTC))
