"""A guardian's consent: who withdrew it, who gave it again, and what follows for the account.

Anybody's withdrawal closes the account. A word of the same source opens it again, if it is newer.
The platform may answer another source's withdrawal, but only by naming it, and on the record.
"""

import uuid
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.ground.errors import KinwardError
from kinward.ground.events import Event
from kinward.ground.watch import watch
from kinward.ledger.api import kinds, record
from kinward.people.locks import LockedAccount
from kinward.people.models import Account, Consent, ConsentSource
from kinward.policy import ConsentWord

# Its jobs tell the family. The arguments: `account_id`, and whether consent is now `withdrawn`.
CONSENT_CHANGED: Final = Event("people.consent_changed")

# An approved change may begin later. A day that is further ahead than this is no approval's.
FURTHEST: Final = timedelta(days=90)

# How the platform knows that consent was given: by a store that starts the app again, by the
# guardian directly, because the person is an adult now, or because the withdrawal was a mistake.
Basis = Literal["store", "guardian", "adult", "mistake"]


class ConsentUnanswered(KinwardError):
    """Consent was withdrawn, and this does not answer it. Read the account's consent again."""

    code = "consent.unanswered"
    status = 409


def consents_of(account: Account) -> list[Consent]:
    """Return the latest word of each source on an account, by source."""
    return list(Consent.objects.filter(account=account).order_by("source"))


@transaction.atomic
def withdraw_consent(
    *, account: LockedAccount, source: ConsentSource, at: datetime, actor: Actor
) -> bool:
    """Close an account, since a source says at its own time `at` that consent was withdrawn.

    Returns whether that was news. A withdrawal that is no newer than the source's latest one
    changes nothing: it was answered, or it still holds. The platform's holds until it is answered.
    """
    row = Consent.objects.filter(account=account, source=source).first()
    if row is not None and row.withdrawn and source == ConsentSource.PLATFORM:
        return False
    if row is not None and row.withdrawn_at is not None and at <= row.withdrawn_at:
        return False
    _write(account, source, withdrawn=True, withdrawn_at=at)
    record(
        actor=actor,
        subject=f"account:{account.platform_id}",
        fact=kinds.ConsentWithdrawn(source=str(source), at=at.isoformat()),
    )
    _settle(account)
    return True


@transaction.atomic
def give_consent(
    *, account: LockedAccount, answers: Collection[UUID], basis: Basis, actor: Actor
) -> None:
    """Note the platform's word that consent was given, and open the account.

    `answers` has the id of each withdrawal that holds, whoever made it. Raises `ConsentUnanswered`
    if one is missing, or if one that is named holds no longer.
    """
    rows = list(Consent.objects.filter(account=account, withdrawn=True))
    if set(answers) != {row.word for row in rows}:
        raise ConsentUnanswered
    over = [row.source for row in rows]
    for source in {*over, ConsentSource.PLATFORM}:
        _write(account, ConsentSource(source), withdrawn=False)
    _record_given(account, ConsentSource.PLATFORM, over, basis, actor)
    _settle(account)


@transaction.atomic
def hear_google(*, account: LockedAccount, word: ConsentWord, actor: Actor) -> None:
    """Apply what an answer of Play Age Signals says about consent.

    A denial withdraws it. An approval ends a denial only if it is newer than every approval that
    Google had named before, so that an answer from before the denial opens nothing. Google does
    not sign its answers: they are the platform's word.
    """
    google, now = ConsentSource.GOOGLE, timezone.now()
    approved_on = word.approved_on
    if approved_on is not None and approved_on > now.date() + FURTHEST:
        approved_on = None
    row = Consent.objects.filter(account=account, source=google).first()
    was = None if row is None else row.withdrawn
    seen = None if row is None else row.approved_on
    if word.withdrawn:
        if not was:
            withdraw_consent(account=account, source=google, at=now, actor=actor)
    elif row is None:
        _write(account, google, withdrawn=False)
        _record_given(account, google, [], "store", actor)
    elif was and _is_newer(approved_on, row):
        _write(account, google, withdrawn=False)
        _record_given(account, google, [google], "store", actor)
        _settle(account)
    newest = max(filter(None, (seen, approved_on)), default=None)
    if newest != seen:
        Consent.objects.filter(account=account, source=google).update(approved_on=newest)


def _is_newer(approved_on: date | None, row: Consent) -> bool:
    """Whether an approval came after a denial, by the days that Google names."""
    if approved_on is None:
        return False
    if row.approved_on is not None:
        return approved_on > row.approved_on
    return approved_on >= row.since.date()


def _write(
    account: LockedAccount, source: ConsentSource, *, withdrawn: bool, **fields: datetime
) -> None:
    """Replace the word of a source. `since` stays while the source says the same."""
    row = Consent.objects.filter(account=account, source=source).first()
    if row is None or row.withdrawn != withdrawn:
        fields["since"] = timezone.now()
    Consent.objects.update_or_create(
        account=account,
        source=source,
        defaults={"withdrawn": withdrawn, "word": uuid.uuid4(), **fields},
    )


def _record_given(
    account: LockedAccount, source: str, over: list[str], basis: str, actor: Actor
) -> None:
    record(
        actor=actor,
        subject=f"account:{account.platform_id}",
        fact=kinds.ConsentGiven(source=str(source), over=sorted(map(str, over)), basis=basis),
    )


def _settle(account: LockedAccount) -> None:
    """Derive whether the account is closed, and announce a change."""
    withdrawn = Consent.objects.filter(account=account, withdrawn=True).exists()
    if withdrawn == account.consent_withdrawn:
        return
    watch().changed("account", account.platform_id)
    account.consent_withdrawn = withdrawn
    account.save(update_fields=["consent_withdrawn", "changed_at"])
    CONSENT_CHANGED.announce(account_id=account.pk, withdrawn=int(withdrawn))
