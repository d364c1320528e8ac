"""A guardian's consent: `/v1/accounts/…/consent`, and the notifications of app stores."""

from datetime import datetime
from functools import partial
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.consents.api import link_download, receive_notification
from kinward.gate.calls import Call
from kinward.ground.errors import Invalid
from kinward.people.api import (
    Account,
    Basis,
    ConsentSource,
    consents_of,
    get_account,
    give_consent,
    lock_account,
    note_change,
    note_unread,
    withdraw_consent,
)
from kinward.policy import ChangeState, change_from_apple

State = Literal["given", "withdrawn"]
MAX_ANSWERS: Final = 10
MAX_QUESTION: Final = 64  # characters
PERMISSION_KIT: Final = "permission-kit"


class ConsentIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The platform's word on consent.

    Consent that is `given` needs its `basis`, and in `answers` the id of each withdrawal that
    holds.
    """

    state: State
    basis: Basis | None = None
    answers: list[UUID] = []


class ChangeIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word on a guardian's consent for a significant change of the app.

    `question` is your app's own name of the question to the guardian. Give either `apple`, which is
    what PermissionKit answered, or the `state`, if you asked the guardian yourself.
    """

    question: str
    apple: dict[str, Any] | None = None
    state: ChangeState | None = None


class WordOut(msgspec.Struct, frozen=True):
    """The latest word of one source, with its id.

    For a significant change, `change` says more than `state`, and `question` names what was asked.
    """

    id: UUID
    source: Literal["apple", "google-play", "platform"]
    state: State
    since: datetime
    change: ChangeState | None
    question: str


class ConsentOut(msgspec.Struct, frozen=True):
    """Whether consent for an account is withdrawn, and the latest word of each source.

    `change` says why the account may not do what a significant change brings, if it may not.
    """

    account_id: str
    withdrawn: bool
    change: Literal["asked", "refused"] | None
    words: list[WordOut]


class DownloadIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An app's download as Apple signed it: StoreKit's `jwsRepresentation` of `AppTransaction`."""

    signed_app_transaction: str


class Signed(msgspec.Struct, frozen=True):
    """A notification as Apple sends it (App Store Server Notifications, version 2)."""

    signedPayload: str  # noqa: N815


class Received(msgspec.Struct, frozen=True):
    """The notification was verified and is stored."""

    received: bool = True


def see_consent(call: Call[None], account_id: str) -> ConsentOut:
    """Return whether a guardian's consent for an account is withdrawn, and who said what."""
    return _consent(get_account(account_id))


@transaction.atomic
def put_consent(call: Call[ConsentIn], account_id: str) -> ConsentOut:
    """Say that a guardian withdrew their consent for an account, or gave it."""
    word, account = call.body, lock_account(get_account(account_id).pk)
    if len(word.answers) > MAX_ANSWERS:
        raise Invalid(f"There are at most {MAX_ANSWERS} withdrawals to answer.")
    if word.state == "withdrawn":
        now, platform = timezone.now(), ConsentSource.PLATFORM
        withdraw_consent(account=account, source=platform, at=now, actor=call.actor)
    elif word.basis is None:
        raise Invalid("Consent that is given needs its basis: how do you know of it?")
    else:
        give_consent(account=account, answers=word.answers, basis=word.basis, actor=call.actor)
    return _consent(account)


@transaction.atomic
def put_change(call: Call[ChangeIn], account_id: str) -> ConsentOut:
    """Say what became of a guardian's consent for a significant change of the app."""
    word, account = call.body, lock_account(get_account(account_id).pk)
    if not 1 <= len(word.question) <= MAX_QUESTION or not word.question.isprintable():
        raise Invalid(f"A question has a name of 1 to {MAX_QUESTION} printable characters.")
    if (word.apple is None) == (word.state is None):
        raise Invalid("Give either apple or state.")
    source, state = ConsentSource.PLATFORM, word.state
    if word.apple is not None:
        source = ConsentSource.APPLE
        try:
            state = change_from_apple(word.apple, partial(note_unread, PERMISSION_KIT))
        except ValueError as error:
            raise Invalid(f"apple: {error}.") from None
    note_change(
        account=account,
        source=source,
        question=word.question,
        state=state or "asked",
        actor=call.actor,
    )
    return _consent(account)


def put_download(call: Call[DownloadIn], account_id: str) -> ConsentOut:
    """Link an app's download to an account, so that Apple's notifications find the account."""
    account = get_account(account_id)
    link_download(account=account, signed=call.body.signed_app_transaction)
    account.refresh_from_db()
    return _consent(account)


def receive_from_apple(call: Call[Signed]) -> Received:
    """Receive a notification of the App Store. Its signature stands in for a key."""
    receive_notification(call.body.signedPayload)
    return Received()


def _consent(account: Account) -> ConsentOut:
    words = [
        {
            "id": row.word,
            "source": str(row.source),
            "state": "withdrawn" if row.withdrawn else "given",
            "since": row.since,
            "change": row.change,
            "question": row.question,
        }
        for row in consents_of(account)
    ]
    fields = {
        "account_id": account.platform_id,
        "withdrawn": account.consent_withdrawn,
        "change": account.change_consent or None,
        "words": words,
    }
    return msgspec.convert(fields, ConsentOut)
