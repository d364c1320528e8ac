"""`POST /v1/decide` and its batch: may this person do this?

What can be answered from memory is answered on the event loop; the rest goes to a thread. Nothing
in here allows: a question that cannot be read, or a state that cannot be reached, is answered with
the protective decision.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec
import structlog
from django.db import DatabaseError, InterfaceError
from msgspec import UNSET, UnsetType

from kinward.experience.api import Answered, live, tally_shadow
from kinward.families.api import ScreenTime, screen_time
from kinward.gate.calls import Call, Encoded
from kinward.gate.http import NOT_JSON, no_json
from kinward.gate.routing import Fast
from kinward.ground.errors import Invalid
from kinward.people.api import get_account
from kinward.policy import Decision, Effect, Layer, Request, Value, closed, language_of, protective

log = structlog.get_logger(__name__)

TIME: Final = "session.time"
MAX_TIMES: Final = 200  # questions of a batch that need the minutes used
MAX_BATCH: Final = 10_000
MAX_BATCH_BODY: Final = 8 * 1024 * 1024

_one = msgspec.json.Decoder(Request)


class Questions(msgspec.Struct, forbid_unknown_fields=True):
    """A batch of questions."""

    questions: list[Request]


class _RawQuestions(msgspec.Struct):
    questions: list[msgspec.Raw]


class ReasonOut(msgspec.Struct, frozen=True):
    """Why: a stable code, and a sentence for the person."""

    code: str
    text: str


class DecisionOut(msgspec.Struct, frozen=True, kw_only=True):
    """What one person may do or be shown, and why, in words for the person.

    `value` is null for an unknown capability. `time` comes with decisions about an account's
    `session.time`, `problem` with a question that could not be read.
    """

    effect: Effect
    value: Value | None
    layer: Layer
    reasons: list[ReasonOut]
    obligations: list[str]
    sentence: str
    pack: str
    time: ScreenTime | UnsetType = UNSET
    problem: str | UnsetType = UNSET


class DecisionsOut(msgspec.Struct, frozen=True):
    """The decisions on a batch of questions, in the same order."""

    decisions: list[DecisionOut]


class Unread(msgspec.Struct, frozen=True):
    """A question that could not be read, and what is wrong with it."""

    problem: str


_many = msgspec.json.Decoder(Questions)

Read = Request | Unread


def read_one(body: bytes) -> Read:
    """Read one question. Raises `Malformed` for what is not JSON at all."""
    try:
        return _one.decode(body)
    except msgspec.ValidationError as error:
        return Unread(str(error))
    except NOT_JSON as error:
        raise no_json(error) from error


def read_alone(body: bytes) -> Sequence[Read]:
    """Read one question as a batch of one."""
    return [read_one(body)]


def read_many(body: bytes) -> Sequence[Read]:
    """Read the questions of a batch one by one. Raises where there is no list of questions."""
    questions: Sequence[Read]
    try:
        questions = _many.decode(body).questions
    except msgspec.ValidationError:
        questions = _read_singly(body)
    except NOT_JSON as error:
        raise no_json(error) from error
    _check_count(len(questions))
    _check_time_count(questions)
    return questions


def _read_singly(body: bytes) -> Sequence[Read]:
    try:
        raw = msgspec.json.decode(body, type=_RawQuestions).questions
    except msgspec.ValidationError as error:
        raise Invalid(f'Send {{"questions": […]}}: {error}.') from error
    except NOT_JSON as error:  # it goes wrong further on
        raise no_json(error) from error
    _check_count(len(raw))
    return [read_one(bytes(question)) for question in raw]


def _check_time_count(questions: Sequence[Read]) -> None:
    about_time = sum(isinstance(read, Request) and _about_time(read) for read in questions)
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


def decide_one(call: Call[Sequence[Read]]) -> Encoded[DecisionOut]:
    """Answer one question, asking the database where that is needed."""
    return _written_alone(looked_up(call.body))


def decide_many(call: Call[Sequence[Read]]) -> Encoded[DecisionsOut]:
    """Answer a batch of questions, asking the database where that is needed."""
    return _written_together(looked_up(call.body))


def _written_alone(answers: Sequence[msgspec.Raw]) -> Encoded[DecisionOut]:
    (answer,) = answers
    return Encoded(bytes(answer))


def _written_together(answers: Sequence[msgspec.Raw]) -> Encoded[DecisionsOut]:
    return Encoded(b'{"decisions":[' + b",".join(map(bytes, answers)) + b"]}")


def _fast(write: Callable[[Sequence[msgspec.Raw]], Encoded[Any]]) -> Fast:
    def write_at_hand(read: Sequence[Read]) -> Encoded[Any] | None:
        answers = at_hand(read)
        return None if answers is None else write(answers)

    return Fast(write_at_hand, lambda read: write(unreachable(read)))


ALONE: Final = _fast(_written_alone)
TOGETHER: Final = _fast(_written_together)


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
    tally_shadow().compare(answered, asked)
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
