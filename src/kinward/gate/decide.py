"""`POST /v1/decide`, its batch, and an account's whole experience: may this person do this?

What can be answered from memory is answered on the event loop; the rest goes to a thread. Nothing
in here allows: a question that cannot be read, or a state that cannot be reached, is answered with
the protective decision.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from kinward.errors import Invalid
from kinward.experience.live import Answered, live, person_of, today
from kinward.experience.models import Layer
from kinward.experience.settings import decide_everything, make_setting
from kinward.experience.shadowing import tally
from kinward.gate.http import WrongType
from kinward.people.services import get_account
from kinward.policy.decision import protective
from kinward.policy.explain import bounds_of
from kinward.policy.question import Question, read_question
from kinward.policy.request import About, Request, closed, language_of
from kinward.policy.settling import applying, combine
from kinward.policy.values import Value

MAX_BATCH: Final = 10_000
MAX_BATCH_BODY: Final = 8 * 1024 * 1024

_one = msgspec.json.Decoder(Request)


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    questions: list[Request]


class _RawBatch(msgspec.Struct):
    questions: list[msgspec.Raw]


class _SettingIn(msgspec.Struct, forbid_unknown_fields=True):
    layer: Layer
    value: Value | None


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
        _check_count(len(raw))
        return [read_one(bytes(each)) for each in raw]
    except (msgspec.DecodeError, RecursionError) as error:
        raise WrongType(f"The body is not JSON: {error}.") from error
    _check_count(len(questions))
    return questions


def _check_count(count: int) -> None:
    if count > MAX_BATCH:
        raise Invalid(f"A batch has at most {MAX_BATCH:,} questions; this one has {count:,}.")


def at_hand(read: Sequence[Read]) -> list[msgspec.Raw] | None:
    """The answers as JSON, if no database has to be asked."""
    asked = [each for each in read if isinstance(each, Request)]
    answered = live().ready(asked)
    return None if answered is None else _render(read, asked, answered)


def looked_up(read: Sequence[Read]) -> list[msgspec.Raw]:
    """The answers as JSON, asking the database where that is needed."""
    asked = [each for each in read if isinstance(each, Request)]
    return _render(read, asked, live().look_up(asked))


def unreachable(read: Sequence[Read]) -> list[msgspec.Raw]:
    """The protective answers, when not even the caller's key can be checked."""
    asked = [each for each in read if isinstance(each, Request)]
    decisions = [closed(each, "state.unavailable") for each in asked]
    return _render(read, asked, Answered(decisions, {}, None))


def _render(read: Sequence[Read], asked: list[Request], answered: Answered) -> list[msgspec.Raw]:
    """The answers in the order they were asked; the shadow, if there is one, is asked as well."""
    tally().compare(answered, asked)
    pairs = zip(answered.decisions, asked, strict=True)
    said = [decision.json(language_of(each, answered.states)) for decision, each in pairs]
    if len(asked) == len(read):
        return said
    ready = iter(said)
    return [_unread(each) if isinstance(each, Unread) else next(ready) for each in read]


def _unread(unread: Unread) -> msgspec.Raw:
    decision = protective("", "none", "state.unavailable", "input.invalid")
    return msgspec.Raw(msgspec.json.encode(decision.as_dict() | {"problem": unread.problem}))


def experience(platform_id: str) -> dict[str, Any]:
    """Everything for one account: each decision, and how far guardian and self may move it."""
    account = get_account(platform_id)
    pack = live().in_force().for_account(platform_id)
    if pack is None:
        return {"account_id": platform_id, "pack": None, "decisions": {}}
    decisions = decide_everything(account, pack)
    found = {}
    for name, decision in decisions.items():
        read = read_question(pack.ruling, name, Question(actor=person_of(account)))
        bounds: dict[str, Any] = {"default": decision.value, "guardian": None, "self": None}
        if not isinstance(read, str):
            asked = read[0]
            rules = applying(pack.ruling, asked)
            bounds = bounds_of(asked.capability.kind, combine(asked.capability.kind, rules))
        found[name] = decision.as_dict(account.language) | {"bounds": bounds}
    return {
        "account_id": platform_id,
        "pack": pack.label,
        "on": today(),
        "decisions": found,
    }


def put_setting(platform_id: str, capability: str, body: bytes, actor: str) -> dict[str, Any]:
    """Make or end one setting; answers with the decision that now holds."""
    try:
        made = msgspec.json.decode(body, type=_SettingIn)
    except msgspec.ValidationError as error:
        raise Invalid(f"{error}.") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise WrongType(f"The body is not JSON: {error}.") from error
    account = get_account(platform_id)
    make_setting(
        account=account, layer=made.layer, capability=capability, value=made.value, actor=actor
    )
    question = Request(capability=capability, actor=About(id=platform_id))
    return live().decide([question])[0].as_dict(account.language)
