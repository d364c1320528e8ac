"""`POST /v1/media/hashes/batch` and `POST /v1/accounts/batch`: many at a time, each by itself.

A part that cannot be read, is refused or fails has its own error, and harms no other part. No part
is left without an answer: what was not begun says so, and never reads as clear.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, TypeVar

import msgspec
import structlog
from django.db import DatabaseError, InterfaceError, OperationalError
from msgspec import UNSET, UnsetType

from kinward.entrance import Unavailable, retry_after
from kinward.gate.accounts import KnownAccount, put_known_account
from kinward.gate.calls import Call, Created, Encoded
from kinward.gate.http import NOT_JSON, decode, decode_once, no_json
from kinward.gate.idempotency import KeyReused, find_kept
from kinward.gate.limits import AccountLimit
from kinward.gate.media import Checked, Hashes, check_hashes, check_hashes_together, claims_of
from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.text import MAX_ID, is_id
from kinward.people.api import Profile

log = structlog.get_logger(__name__)

P = TypeVar("P")
A = TypeVar("A")

MAX_CHECKS: Final = 10_000
MAX_CHECKS_BODY: Final = 8 * 1024 * 1024  # bytes
MAX_ACCOUNTS: Final = 1_000
MAX_ACCOUNTS_BODY: Final = 2 * 1024 * 1024  # bytes
GROUP: Final = 500  # clear checks that are written with one transaction
SECONDS: Final = 20.0  # after which no further part is begun

Read = dict[int, P]
Answers = dict[int, A | KinwardError]


class NotBegun(KinwardError):
    """This part of the batch was not begun in time. Send it again."""

    code = "batch.not_begun"
    status = 503


class Checks(msgspec.Struct, forbid_unknown_fields=True):
    """Files to check by their hashes."""

    checks: list[Hashes]


class NamedProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account, and what a platform knows about it."""

    account_id: str
    profile: Profile

    def __post_init__(self) -> None:
        if not is_id(self.account_id):
            raise ValueError(f"account_id has 1 to {MAX_ID} printable characters")


class Profiles(msgspec.Struct, forbid_unknown_fields=True):
    """Accounts to create or to replace."""

    accounts: list[NamedProfile]


class Refusal(msgspec.Struct, frozen=True):
    """Why a part has no answer. `retry_after`: the seconds to wait, if a later try can help."""

    code: str
    status: int
    detail: str
    retry_after: int | UnsetType = UNSET


class CheckedPart(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an upload may be published, as `POST /v1/media/hashes` says it; or `error`.

    A part with an `error` has no `outcome`: it was not checked.
    """

    check_id: str | UnsetType = UNSET
    outcome: Literal["clear", "quarantine"] | UnsetType = UNSET
    case_id: str | UnsetType = UNSET
    checked: list[str] | UnsetType = UNSET
    not_checked: list[str] | UnsetType = UNSET
    error: Refusal | UnsetType = UNSET


class CheckedParts(msgspec.Struct, frozen=True):
    """The answers to a batch of checks, in the order of the checks."""

    answers: list[CheckedPart]


class AccountPart(msgspec.Struct, frozen=True, kw_only=True):
    """An account, as `PUT /v1/accounts/{account_id}` answers; or `error`."""

    account: KnownAccount | UnsetType = UNSET
    error: Refusal | UnsetType = UNSET


class AccountParts(msgspec.Struct, frozen=True):
    """The answers to a batch of accounts, in the order of the accounts."""

    answers: list[AccountPart]


class Batch(msgspec.Struct, frozen=True):
    """What was read of a batch: its parts by their place, and an error for each other place."""

    count: int
    parts: Mapping[int, Any]
    errors: Mapping[int, KinwardError]


def accounts_of(batch: Batch) -> Counter[str]:
    """Return how many parts of a batch each account has."""
    return Counter(part.account_id for part in batch.parts.values())


def read_checks(body: bytes) -> Batch:
    """Read a batch of checks. Raises `Malformed`, and `Invalid` if it is no list or too long."""
    return _read(body, "checks", MAX_CHECKS, lambda part: decode(part, Hashes))


def read_profiles(body: bytes) -> Batch:
    """Read a batch of accounts. Raises as `read_checks` does.

    An account that the batch has twice is refused there, because only one of both can hold.
    """
    batch = _read(body, "accounts", MAX_ACCOUNTS, lambda part: decode_once(part, NamedProfile))
    often = {name for name, count in accounts_of(batch).items() if count > 1}
    twice = {at for at, part in batch.parts.items() if part.account_id in often}
    error = Invalid("The batch has this account twice. Send it once.")
    return Batch(
        batch.count,
        {at: part for at, part in batch.parts.items() if at not in twice},
        {**batch.errors, **dict.fromkeys(twice, error)},
    )


def _read(body: bytes, field: str, most: int, read: Callable[[bytes], Any]) -> Batch:
    try:
        sent = msgspec.json.decode(body, type=dict[str, list[msgspec.Raw]])
    except msgspec.ValidationError as error:
        raise Invalid(f'Send {{"{field}": […]}}: {error}.') from error
    except NOT_JSON as error:
        raise no_json(error) from error
    if set(sent) != {field}:
        raise Invalid(f'Send {{"{field}": […]}}, and nothing else.')
    raw = sent[field]
    if len(raw) > most:
        raise Invalid(f"A batch has at most {most:,} {field}, but this one has {len(raw):,}.")
    parts: dict[int, Any] = {}
    errors: dict[int, KinwardError] = {}
    for at, part in enumerate(raw):
        try:
            parts[at] = read(bytes(part))
        except KinwardError as error:
            errors[at] = error
    return Batch(len(raw), parts, errors)


def check_many(call: Call[Batch]) -> Encoded[CheckedParts]:
    """Check many files by their hashes, each by itself."""
    begun = _begin(call)
    answers: Answers[Checked] = dict(begun.answers)
    for group in _groups(begun.parts):
        if begun.is_over:
            break
        calls = {at: _as_sent_alone(call, at) for at in group}
        answers |= _clear(calls)
        answers |= begun.each({at: calls[at] for at in group if at not in answers}, check_hashes)
    parts = [_checked_part(answers.get(at)) for at in range(call.body.count)]
    return Encoded(msgspec.json.encode(CheckedParts(parts)))


def put_many_accounts(call: Call[Batch]) -> Encoded[AccountParts]:
    """Create many accounts, or replace what Kinward knows about them, each by itself."""

    def put(part: NamedProfile) -> KnownAccount:
        known = put_known_account(Call(part.profile, call.api_key), part.account_id)
        return known.value if isinstance(known, Created) else known

    begun = _begin(call)
    answers: Answers[KnownAccount] = dict(begun.answers)
    answers |= begun.each(begun.parts, put)
    parts = [_account_part(answers.get(at)) for at in range(call.body.count)]
    return Encoded(msgspec.json.encode(AccountParts(parts)))


class _Begun:
    """A batch at work: its parts, the answers that are known already, and its end."""

    def __init__(self, parts: Mapping[int, Any], answers: Mapping[int, KinwardError]) -> None:
        self.parts, self.answers = parts, dict(answers)
        self._until = time.monotonic() + SECONDS
        self._lost = False

    @property
    def is_over(self) -> bool:
        """Whether no further part is begun: the time is up, or the database is gone."""
        return self._lost or time.monotonic() > self._until

    def each(self, parts: Mapping[int, P], answer: Callable[[P], A]) -> Answers[A]:
        """Answer parts one after the other, each with a transaction of its own."""
        answers: Answers[A] = {}
        for at, part in parts.items():
            if self.is_over:
                break
            try:
                answers[at] = answer(part)
            except KinwardError as error:
                answers[at] = error
            except (OperationalError, InterfaceError) as error:
                log.error("gate.database", error=str(error).split("\n")[0])
                answers[at], self._lost = Unavailable(), True
            except Exception:
                log.exception("gate.part_failed")
                answers[at] = KinwardError("The error was logged. Hold the upload back.")
        return answers


def _begin(call: Call[Batch]) -> _Begun:
    batch = call.body
    spent = {at for at, part in batch.parts.items() if part.account_id in call.spent}
    parts = {at: part for at, part in batch.parts.items() if at not in spent}
    answers = dict(batch.errors)
    for at in spent:
        answers[at] = AccountLimit()
    return _Begun(parts, answers)


def _groups(places: Mapping[int, Any]) -> Iterator[list[int]]:
    listed = list(places)
    return (listed[first : first + GROUP] for first in range(0, len(listed), GROUP))


def _as_sent_alone(call: Call[Batch], at: int) -> Call[Hashes]:
    """Return a part as a call of its own. Its Idempotency-Key follows from the batch's."""
    key = call.idempotency_key
    if key:
        key = hashlib.sha256(msgspec.json.encode(("batch", key, at))).hexdigest()
    return Call(call.body.parts[at], call.api_key, key)


def _clear(calls: Mapping[int, Call[Hashes]]) -> Answers[Checked]:
    """Return the answers to what is clear, refused or was asked before."""
    try:
        together = check_hashes_together(list(calls.values()))
    except (DatabaseError, InterfaceError) as error:
        log.warning("gate.group_failed", calls=len(calls), error=str(error).split("\n")[0])
        return {}  # each then meets the same error by itself, or gets its answer
    answers: Answers[Checked] = {
        at: answer for at, answer in zip(calls, together, strict=True) if answer is not None
    }
    again = claims_of({at: call for at, call in calls.items() if at not in answers})
    for at, kept in find_kept(again).items():
        answers[at] = kept if isinstance(kept, KeyReused) else msgspec.convert(kept, Checked)
    return answers


def _checked_part(answer: Checked | KinwardError | None) -> CheckedPart:
    if isinstance(answer, Checked):
        return CheckedPart(
            check_id=answer.check_id,
            outcome=answer.outcome,
            case_id=answer.case_id,
            checked=answer.checked,
            not_checked=answer.not_checked,
        )
    return CheckedPart(error=_refusal(answer))


def _account_part(answer: KnownAccount | KinwardError | None) -> AccountPart:
    if isinstance(answer, KnownAccount):
        return AccountPart(account=answer)
    return AccountPart(error=_refusal(answer))


def _refusal(error: KinwardError | None) -> Refusal:
    error = NotBegun() if error is None else error
    seconds = retry_after(error)
    return Refusal(error.code, error.status, str(error), UNSET if seconds is None else seconds)
