"""`POST /v1/events` and an account's screen time: heartbeats in, what is left out."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from kinward.access.actor import Actor
from kinward.errors import Invalid
from kinward.families.screen_time import (
    MAX_EVENTS,
    Heartbeat,
    Refusal,
    screen_time,
    set_time_zone,
    take,
)
from kinward.gate.http import decode
from kinward.people.services import get_account

MAX_EVENTS_BODY: Final = 2 * 1024 * 1024


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    events: list[msgspec.Raw]


class _ZoneIn(msgspec.Struct, forbid_unknown_fields=True):
    time_zone: str


def take_events(body: bytes) -> dict[str, Any]:
    """Take a batch: good heartbeats go in, each bad one is listed with its place and its fault."""
    batch = decode(body, _Batch).events
    if len(batch) > MAX_EVENTS:
        raise Invalid(f"A batch has at most {MAX_EVENTS:,} events; this one has {len(batch):,}.")
    heartbeats: list[Heartbeat] = []
    places: list[int] = []
    refused: list[Refusal] = []
    for index, raw in enumerate(batch):
        try:
            heartbeats.append(msgspec.json.decode(raw, type=Heartbeat))
            places.append(index)
        except msgspec.ValidationError as error:
            refused.append(Refusal(index, f"{error}."))
    accounts, more = take(heartbeats)
    refused += [Refusal(places[each.index], each.why) for each in more]
    return {
        "taken": len(batch) - len(refused),
        "refused": sorted(refused, key=lambda each: each.index),
        "accounts": accounts,
    }


def see_screen_time(platform_id: str) -> Any:
    """Today and the week of one account."""
    return screen_time(get_account(platform_id), datetime.now(UTC))


def put_time_zone(platform_id: str, body: bytes, actor: Actor) -> Any:
    """Move an account to a time zone; answers with its screen time as it now is."""
    set_time_zone(account_id=platform_id, zone=decode(body, _ZoneIn).time_zone, actor=actor)
    return see_screen_time(platform_id)
