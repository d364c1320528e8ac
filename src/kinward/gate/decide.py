"""`POST /v1/decide` and its batch: what a person may do.

The event loop answers what it can from memory, and a thread answers the rest. Every failure is
protective: an unreadable question or an unreachable database gets the protective decision.
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
MAX_TIMES: Final = 200  # questions of a batch about an account's used minutes
MAX_BATCH: Final = 10_000
MAX_BATCH_BODY: Final = 8 * 1024 * 1024

_one = msgspec.json.Decoder(Request)


class Questions(msgspec.Struct, forbid_unknown_fields=True):
    """A batch of questions."""

    questions: list[Request]


class _RawQuestions(msgspec.Struct):
    questions: list[msgspec.Raw]


class ReasonOut(msgspec.Struct, frozen=True):
    """A reason: a stable code, and a sentence for the person."""

    code: str
    text: str


class DecisionOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may do or be shown, and why, in words for the person.

    `value` is null for an unknown capability. A decision about an account's `session.time` has
    `time`. One that can close the app has `always_open`: what the app keeps open all the same. The
    answer to an unreadable question has `problem`.
    """

    effect: Effect
    value: Value | None
    layer: Layer
    reasons: list[ReasonOut]
    obligations: list[str]
    sentence: str
    pack: str
    always_open: list[str] | UnsetType = UNSET
    time: ScreenTime | UnsetType = UNSET
    problem: str | UnsetType = UNSET


class DecisionsOut(msgspec.Struct, frozen=True):
    """The decisions on a batch of questions, in the order of the questions."""

    decisions: list[DecisionOut]


class Unread(msgspec.Struct, frozen=True):
    """An unreadable question, with its problem."""

    problem: str


_many = msgspec.json.Decoder(Questions)

Read = Request | Unread


def read_one(body: bytes) -> Read:
    """Read one question. Raises `Malformed` if the body is not JSON."""
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
    """Read the questions of a batch.

    An unreadable question becomes `Unread`. Raises `Malformed` if the body is not JSON, and
    `Invalid` if it has no list of questions or too many.
    """
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
    except NOT_JSON as error:  # the first decoder stopped before this fault
        raise no_json(error) from error
    _check_count(len(raw))
    return [read_one(bytes(question)) for question in raw]


def _check_time_count(questions: Sequence[Read]) -> None:
    about_time = sum(isinstance(read, Request) and _about_time(read) for read in questions)
    if about_time > MAX_TIMES:
        raise Invalid(
            f"A batch has at most {MAX_TIMES} questions about time. Heartbeats return it as well."
        )


def _check_count(count: int) -> None:
    if count > MAX_BATCH:
        raise Invalid(f"A batch has at most {MAX_BATCH:,} questions, but this one has {count:,}.")


def at_hand(read: Sequence[Read]) -> list[msgspec.Raw] | None:
    """Return the answers as JSON, or None if they need the database."""
    asked = [question for question in read if isinstance(question, Request)]
    if any(map(_about_time, asked)):
        return None  # the used minutes are in the database
    answered = live().ready(asked)
    return None if answered is None else _render(read, asked, answered)


def looked_up(read: Sequence[Read]) -> list[msgspec.Raw]:
    """Return the answers as JSON, from the database if needed. Protective if it is unreachable."""
    asked = [question for question in read if isinstance(question, Request)]
    answered = live().look_up(asked)
    times: dict[str | None, ScreenTime] = {}
    for name in {question.actor.id for question in asked if _about_time(question)}:
        if name is None or name not in answered.states:
            continue
        try:
            times[name] = screen_time(get_account(name), datetime.now(UTC))
        except (DatabaseError, InterfaceError) as error:
            log.error("decide.unavailable", error=str(error).split("\n")[0])
            return unreachable(read)
    return _render(read, asked, answered, times)


def decide_one(call: Call[Sequence[Read]]) -> Encoded[DecisionOut]:
    """Answer one question: whether a person may do something."""
    return _written_alone(looked_up(call.body))


def decide_many(call: Call[Sequence[Read]]) -> Encoded[DecisionsOut]:
    """Answer a batch of questions."""
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
    """Whether a question is about the time of an account, so that its used minutes count."""
    return request.capability == TIME and request.actor.id is not None


def unreachable(read: Sequence[Read]) -> list[msgspec.Raw]:
    """Return protective answers, for when the database cannot even confirm the API key."""
    asked = [question for question in read if isinstance(question, Request)]
    decisions = [closed(question, "state.unavailable") for question in asked]
    return _render(read, asked, Answered(decisions, {}, None))


def _render(
    read: Sequence[Read],
    asked: list[Request],
    answered: Answered,
    times: Mapping[str | None, ScreenTime] = MappingProxyType({}),
) -> list[msgspec.Raw]:
    """Return the answers in the order of the questions, and compare them with shadow mode.

    `times` has the screen time of accounts, for the questions about time.
    """
    tally_shadow().compare(answered, asked)
    pairs = zip(answered.decisions, asked, strict=True)
    answers = [
        _with_time(decision, question, answered, times[question.actor.id])
        if times and _about_time(question) and question.actor.id in times
        else decision.json(language_of(question, answered.states))
        for decision, question in pairs
    ]
    if len(asked) == len(read):
        return answers
    ready = iter(answers)
    return [_unread(question) if isinstance(question, Unread) else next(ready) for question in read]


def _with_time(
    decision: Decision, request: Request, answered: Answered, time: ScreenTime
) -> msgspec.Raw:
    """Return a decision about time with the account's screen time. Deny it if no time is left."""
    fields = decision.as_dict(language_of(request, answered.states))
    if time.left == 0 or time.closed:
        fields["effect"] = "deny"
    return msgspec.Raw(msgspec.json.encode(fields | {"time": time}))


def _unread(unread: Unread) -> msgspec.Raw:
    decision = protective("", "none", "state.unavailable", "input.invalid")
    return msgspec.Raw(msgspec.json.encode(decision.as_dict() | {"problem": unread.problem}))
