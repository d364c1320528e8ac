"""A guardian's consent: who withdrew it, who gave it again, and what follows for the account.

Anybody's withdrawal closes the account. A word of the same source opens it again, if it is newer.
The platform may answer another source's withdrawal, but only by naming it, and on the record.
"""

import uuid
from collections.abc import Collection
from datetime import datetime
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
from kinward.people.models import Account, ChangeConsent, Consent, ConsentSource, Matter

# Its jobs tell the family. The arguments: `account_id`, and whether consent is now `withdrawn`.
CONSENT_CHANGED: Final = Event("people.consent_changed")

# The same for a significant change: `account_id`, and `state`, which is asked, given or refused.
CHANGE_CONSENT: Final = Event("people.change_consent")

# How the platform knows that consent was given: by a store that starts the app again, by the
# guardian directly, because the person is an adult now, or because the withdrawal was a mistake.
Basis = Literal["store", "guardian", "adult", "mistake"]


class ConsentUnanswered(KinwardError):
    """Consent was withdrawn, and this does not answer it. Read the account's consent again."""

    code = "consent.unanswered"
    status = 409


def consents_of(account: Account) -> list[Consent]:
    """Return the latest word of each source in each matter on an account."""
    return list(Consent.objects.filter(account=account).order_by("source", "matter"))


def count_without_change() -> int:
    """Count the accounts without consent for a significant change."""
    return Account.objects.exclude(change_consent="").count()


def hears_google() -> bool:
    """Whether Google Play has said anything about consent for a change of the app."""
    return Consent.objects.filter(source=ConsentSource.GOOGLE).exists()


@transaction.atomic
def withdraw_consent(
    *, account: LockedAccount, source: ConsentSource, at: datetime, actor: Actor
) -> bool:
    """Close an account, since a source says at its own time `at` that consent was withdrawn.

    Returns whether that was news. A store's withdrawal that is no newer than its latest one
    changes nothing: it was answered, or it still holds. The platform speaks of now, so its
    withdrawal always counts, even if a clock was wrong before, and holds until it is answered.
    """
    row = latest_word(account, source, Matter.APP)
    if row is not None and source == ConsentSource.PLATFORM:
        if row.withdrawn:
            return False
    elif row is not None and row.withdrawn_at is not None and at <= row.withdrawn_at:
        return False
    write_word(account, source, Matter.APP, withdrawn=True, withdrawn_at=at)
    record(
        actor=actor,
        subject=f"account:{account.platform_id}",
        fact=kinds.ConsentWithdrawn(source=str(source), at=at.isoformat()),
    )
    settle(account)
    return True


@transaction.atomic
def give_consent(
    *, account: LockedAccount, answers: Collection[UUID], basis: Basis, actor: Actor
) -> None:
    """Note the platform's word that consent was given, and open the account.

    `answers` has the id of each withdrawal that holds, whoever made it, and of each change without
    consent. Raises `ConsentUnanswered` if one is missing, or if one that is named holds no longer.
    """
    rows = list(Consent.objects.filter(account=account, withdrawn=True))
    if set(answers) != {row.word for row in rows}:
        raise ConsentUnanswered
    platform = (ConsentSource.PLATFORM, Matter.APP)
    for source, matter in {platform, *((row.source, row.matter) for row in rows)}:
        write_word(account, ConsentSource(source), Matter(matter), withdrawn=False)
    over = [row.source if row.matter == Matter.APP else f"{row.source} change" for row in rows]
    record(
        actor=actor,
        subject=f"account:{account.platform_id}",
        fact=kinds.ConsentGiven(source="platform", over=sorted(over), basis=basis),
    )
    settle(account)


def latest_word(account: Account, source: ConsentSource, matter: Matter) -> Consent | None:
    """Return the latest word of a source in a matter."""
    return Consent.objects.filter(account=account, source=source, matter=matter).first()


def write_word(
    account: LockedAccount,
    source: ConsentSource,
    matter: Matter,
    *,
    withdrawn: bool,
    asked: bool = False,
    **fields: datetime | str,
) -> None:
    """Replace the word of a source. `since` stays while the source says the same."""
    row = latest_word(account, source, matter)
    if row is None or (row.withdrawn, row.asked) != (withdrawn, asked):
        fields["since"] = timezone.now()
    Consent.objects.update_or_create(
        account=account,
        source=source,
        matter=matter,
        defaults={"withdrawn": withdrawn, "asked": asked, "word": uuid.uuid4(), **fields},
    )


def settle(account: LockedAccount) -> None:
    """Derive whether the account, or what a change brings, is closed, and announce what changed."""
    rows = Consent.objects.filter(account=account, withdrawn=True)
    withdrawn = any(row.matter == Matter.APP for row in rows)
    changes = [row for row in rows if row.matter == Matter.CHANGE]
    refused = any(not row.asked for row in changes)
    change = ChangeConsent.REFUSED if refused else ChangeConsent.ASKED if changes else ""
    before = (account.consent_withdrawn, account.change_consent)
    if (withdrawn, change) == before:
        return
    watch().changed("account", account.platform_id)
    account.consent_withdrawn, account.change_consent = withdrawn, change
    account.save(update_fields=["consent_withdrawn", "change_consent", "changed_at"])
    if withdrawn != before[0]:
        CONSENT_CHANGED.announce(account_id=account.pk, withdrawn=int(withdrawn))
    if change != before[1]:
        CHANGE_CONSENT.announce(account_id=account.pk, state=str(change) or "given")
