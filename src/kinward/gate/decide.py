"""`POST /v1/decide`, its batch, and an account's whole experience: may this person do this?

What can be answered from memory is answered on the event loop; the rest goes to a thread. Nothing
in here allows: a question that cannot be read, or a state that cannot be reached, is answered with
the protective decision.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec
import structlog
from django.db import DatabaseError, InterfaceError

from kinward.access.actor import Actor
from kinward.errors import Invalid
from kinward.experience.live import Answered, live, person_of, today
from kinward.experience.models import Layer
from kinward.experience.settings import decide_as_it_stands, make_setting
from kinward.experience.shadowing import tally
from kinward.families.choosing import choose, keywords_of
from kinward.families.screen_time import ScreenTime, screen_time
from kinward.gate.http import WrongType
from kinward.people.services import get_account
from kinward.policy.decision import Decision, protective
from kinward.policy.explain import bounds_of
from kinward.policy.request import About, Request, closed, language_of
from kinward.policy.settling import bounds_in_general
from kinward.policy.values import Weekly

log = structlog.get_logger(__name__)

TIME: Final = "session.time"
MAX_TIMES: Final = 200  # questions of a batch that need the minutes used
MAX_BATCH: Final = 10_000
MAX_BATCH_BODY: Final = 8 * 1024 * 1024

_one = msgspec.json.Decoder(Request)


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    questions: list[Request]


class _RawBatch(msgspec.Struct):
    questions: list[msgspec.Raw]


class _SettingIn(msgspec.Struct, forbid_unknown_fields=True):
    layer: Literal["guardian", "self"]
    value: Weekly | None
    guardian_id: str = ""


class Unread(msgspec.Struct, frozen=True):
    """A question that could not be read, and what is wrong with it."""

    problem: str


_many = msgspec.json.Decoder(_Batch)

Read = Request | Unread


def read_one(body: bytes) -> Read:
    """One question. Raises `WrongType` for what is not JSON at all."""
    try:
        return _one.decode(body)
    except msgspec.ValidationError as error:
        return Unread(str(error))
    except (msgspec.DecodeError, RecursionError) as error:
        raise WrongType(f"The body is not JSON: {error}.") from error


def read_many(body: bytes) -> Sequence[Read]:
    """The questions of a batch, each for itself. Raises where there is no list of questions."""
    try:
        questions: Sequence[Read] = _many.decode(body).questions
    except msgspec.ValidationError:
        try:
            raw = msgspec.json.decode(body, type=_RawBatch).questions
        except msgspec.ValidationError as error:
            raise Invalid(f'Send {{"questions": […]}}: {error}.') from error
        except (msgspec.DecodeError, RecursionError) as error:  # it goes wrong further on
            raise WrongType(f"The body is not JSON: {error}.") from error
        _check_count(len(raw))
        each_read = [read_one(bytes(each)) for each in raw]
        _check_time_count(each_read)
        return each_read
    except (msgspec.DecodeError, RecursionError) as error:
        raise WrongType(f"The body is not JSON: {error}.") from error
    _check_count(len(questions))
    _check_time_count(questions)
    return questions


def _check_time_count(asked: Sequence[Read]) -> None:
    about_time = sum(isinstance(each, Request) and _about_time(each) for each in asked)
    if about_time > MAX_TIMES:
        raise Invalid(
            f"A batch asks at most {MAX_TIMES} times how much time is left; heartbeats tell too."
        )


def _check_count(count: int) -> None:
    if count > MAX_BATCH:
        raise Invalid(f"A batch has at most {MAX_BATCH:,} questions; this one has {count:,}.")


def at_hand(read: Sequence[Read]) -> list[msgspec.Raw] | None:
    """The answers as JSON, if no database has to be asked."""
    asked = [each for each in read if isinstance(each, Request)]
    if any(map(_about_time, asked)):
        return None  # the minutes used are in the database
    answered = live().ready(asked)
    return None if answered is None else _render(read, asked, answered)


def looked_up(read: Sequence[Read]) -> list[msgspec.Raw]:
    """The answers as JSON, asking the database where that is needed."""
    asked = [each for each in read if isinstance(each, Request)]
    answered = live().look_up(asked)
    times: dict[str | None, ScreenTime] = {}
    for name in {each.actor.id for each in asked if _about_time(each)}:
        if name is None or name not in answered.states:
            continue
        try:
            times[name] = screen_time(get_account(name), datetime.now(UTC))
        except (DatabaseError, InterfaceError) as error:
            log.error("decide.unavailable", error=str(error).split("\n")[0])
            return unreachable(read)
    return _render(read, asked, answered, times)


def _about_time(request: Request) -> bool:
    """Whether a question is about an account's time, and so about the minutes it has used."""
    return request.capability == TIME and request.actor.id is not None


def unreachable(read: Sequence[Read]) -> list[msgspec.Raw]:
    """The protective answers, when not even the caller's key can be checked."""
    asked = [each for each in read if isinstance(each, Request)]
    decisions = [closed(each, "state.unavailable") for each in asked]
    return _render(read, asked, Answered(decisions, {}, None))


def _render(
    read: Sequence[Read],
    asked: list[Request],
    answered: Answered,
    times: Mapping[str | None, ScreenTime] = MappingProxyType({}),
) -> list[msgspec.Raw]:
    """The answers in the order they were asked; the shadow, if there is one, is asked as well.

    `times` are the screen times of accounts, for the questions about time.
    """
    tally().compare(answered, asked)
    pairs = zip(answered.decisions, asked, strict=True)
    said = [
        _with_time(decision, each, answered, times[each.actor.id])
        if times and _about_time(each) and each.actor.id in times
        else decision.json(language_of(each, answered.states))
        for decision, each in pairs
    ]
    if len(asked) == len(read):
        return said
    ready = iter(said)
    return [_unread(each) if isinstance(each, Unread) else next(ready) for each in read]


def _with_time(
    decision: Decision, request: Request, answered: Answered, time: ScreenTime
) -> msgspec.Raw:
    """A decision about time, with what is left of the day and whether it is time to say so."""
    said = decision.as_dict(language_of(request, answered.states))
    if time.left == 0 or time.closed:
        said["effect"] = "deny"
    return msgspec.Raw(msgspec.json.encode(said | {"time": time}))


def _unread(unread: Unread) -> msgspec.Raw:
    decision = protective("", "none", "state.unavailable", "input.invalid")
    return msgspec.Raw(msgspec.json.encode(decision.as_dict() | {"problem": unread.problem}))


def experience(platform_id: str) -> dict[str, Any]:
    """Everything for one account: each decision, and how far guardian and self may move it."""
    account = get_account(platform_id)
    pack = live().in_force().for_account(platform_id)
    if pack is None:
        return {"account_id": platform_id, "pack": None, "decisions": {}}
    decisions = decide_as_it_stands(account, pack)
    found = {}
    for name, decision in decisions.items():
        found_bounds = bounds_in_general(pack.ruling, name, person_of(account))
        bounds: dict[str, Any] = {"default": decision.value, "guardian": None, "self": None}
        if found_bounds is not None:
            bounds = bounds_of(pack.capabilities[name].kind, found_bounds)
        found[name] = decision.as_dict(account.language) | {"bounds": bounds}
    return {
        "account_id": platform_id,
        "pack": pack.label,
        "on": today(),
        "decisions": found,
        "keywords": [each.word for each in keywords_of(account)],
    }


def put_setting(platform_id: str, capability: str, body: bytes, actor: Actor) -> dict[str, Any]:
    """Make or end one setting; answers with the decision that now holds."""
    try:
        made = msgspec.json.decode(body, type=_SettingIn)
    except msgspec.ValidationError as error:
        raise Invalid(f"{error}.") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise WrongType(f"The body is not JSON: {error}.") from error
    account = get_account(platform_id)
    if made.layer == "guardian":
        if not made.guardian_id:
            raise Invalid("A guardian's setting names its guardian: `guardian_id`.")
        choose(
            guardian=get_account(made.guardian_id),
            teen_id=platform_id,
            capability=capability,
            value=made.value,
            actor=actor,
        )
    else:
        make_setting(
            account=account, layer=Layer.SELF, capability=capability, value=made.value, actor=actor
        )
    question = Request(capability=capability, actor=About(id=platform_id))
    return live().decide([question])[0].as_dict(account.language)
