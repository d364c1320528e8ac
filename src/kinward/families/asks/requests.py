"""Requests: a teen asks, a guardian proposes, and either of them withdraws."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kinward.families.asks.addressing import addressees, asks_between
from kinward.families.asks.expiry import LAPSES, TIDY
from kinward.families.asks.mailing import mail_soon
from kinward.families.asks.wording import words_of_ask
from kinward.families.errors import AskClosed, NoGuardian, TooManyTries
from kinward.families.models import OPEN_ASKS, Ask, AskState, ExtraMinutes, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.homes import homes_are_apart
from kinward.families.pairing.power import live_pairings, require_power, shows_power
from kinward.families.pairing.proof import refuse_loosening
from kinward.families.screen_time.usage import zones_of
from kinward.families.settings.choices import bounds_for, check_value
from kinward.families.settings.held import sees_held
from kinward.families.settings.looks import state_for
from kinward.families.settings.settlement import end_grant
from kinward.ground.errors import Invalid, NotFound
from kinward.ground.jobs import enqueue
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, lock_account
from kinward.policy import Weekly

MAX_OPEN: Final = 5
MAX_DAILY: Final = 20
MAX_EXTRA: Final = 120  # minutes in one ask
MAX_REASON: Final = 500


@transaction.atomic
def ask_guardians(
    *,
    teen: Account,
    capability: str,
    reason: str,
    value: Weekly | None = None,
    minutes: int | None = None,
    readers: Collection[UUID] | None = None,
    to: UUID | None = None,
) -> Ask:
    """Ask a teen's guardians for a value, or for more minutes today, and tell the guardians.

    `readers` are the pairings whose guardians may read the reason. Without any it is for the only
    guardian. If there are several, nobody reads it, since it may be about one of them.
    `to` is the pairing whose guardian is asked, where homes are apart. Nobody else hears of it.
    Raises `NoGuardian` if no pairing of the teen shows power now.
    """
    teen = lock_account(teen.pk)
    pairings = [pairing for pairing in live_pairings().filter(teen=teen) if shows_power(pairing)]
    if not pairings:
        raise NoGuardian
    apart = homes_are_apart(teen)
    pairings = addressees(pairings, to, apart=apart)
    home = pairings[0] if apart else None
    if readers is None:
        readers = [pairing.pk for pairing in pairings] if len(pairings) == 1 else []
    ask = _create_ask(teen, None, capability, reason, value, minutes, home)
    ask.readers.set([pairing for pairing in pairings if pairing.pk in readers])
    for pairing in pairings:
        what = words_of_ask(ask, pairing.guardian.language)
        tell(pairing.guardian, "asked", ask=ask, other=name_in_notices(teen), what=what)
        mail_soon(ask, pairing)
    return ask


@transaction.atomic
def propose_setting(
    *, guardian: Account, teen_id: str, capability: str, reason: str, value: Weekly
) -> Ask:
    """Propose a value to a teen instead of setting it, and tell the teen.

    A yes makes it the guardian's choice. So it raises `GuardianUnproven` as that would.
    """
    pairing, _teen = require_power(guardian=guardian, teen_id=teen_id)
    refuse_loosening(pairing, capability, value)
    proposal = _create_ask(pairing.teen, pairing, capability, reason, value, None, None)
    what = words_of_ask(proposal, pairing.teen.language)
    tell(pairing.teen, "proposed", other=name_in_notices(guardian), what=what)
    return proposal


def _create_ask(
    teen: Account,
    by: Pairing | None,
    capability: str,
    reason: str,
    value: Weekly | None,
    minutes: int | None,
    home: Pairing | None,
) -> Ask:
    reason = reason.strip()
    if len(reason) > MAX_REASON:
        raise Invalid(f"A reason has at most {MAX_REASON} characters.")
    if (value is None) == (minutes is None):
        raise Invalid("Ask for a value, or for minutes.")
    if minutes is not None and (capability != "session.time" or not 1 <= minutes <= MAX_EXTRA):
        raise Invalid(f"Ask for 1 to {MAX_EXTRA} minutes of time.")
    kind, bounds = bounds_for(teen, capability)
    if value is not None:
        check_value(kind, bounds, value)
    now = timezone.now()
    one = home or by
    asks = Ask.objects.filter(teen=teen) if one is None else asks_between(one)
    recent = asks.filter(made_at__gt=now - timedelta(days=1))
    if recent.count() >= MAX_DAILY:
        raise TooManyTries(f"At most {MAX_DAILY} a day.")
    waiting = asks.filter(state__in=OPEN_ASKS, lapses_at__gt=now, looks="")
    if waiting.count() >= MAX_OPEN:
        raise TooManyTries(f"{MAX_OPEN} wait for an answer already.")
    zones = zones_of(teen)
    lapses_at = now + LAPSES if minutes is None else min(now + LAPSES, zones.end_of_day(now))
    ask = Ask.objects.create(
        teen=teen,
        proposed_by=by,
        only_for=home,
        capability=capability,
        value=value,
        minutes=minutes,
        day=zones.local(now).date(),
        reason=reason,
        lapses_at=lapses_at,
    )
    who = teen if by is None else by.guardian
    record(
        actor=who.actor,
        subject=str(ask),
        fact=kinds.AskMade(capability=capability, value=value, minutes=minutes),
    )
    enqueue(TIDY, at=lapses_at, teen_id=teen.pk)
    return ask


@transaction.atomic
def withdraw_ask(*, account: Account, ask_id: UUID) -> None:
    """Withdraw an open ask or proposal as the person who made it.

    Raises `NotFound` for one that somebody else made, and `AskClosed`.
    """
    ask = Ask.objects.select_related("proposed_by").filter(pk=ask_id).first()
    maker_id = None
    if ask is not None:
        maker_id = ask.teen_id if ask.proposed_by is None else ask.proposed_by.guardian_id
    if ask is None or maker_id != account.pk:
        raise NotFound
    teen = lock_account(ask.teen_id)
    ask.refresh_from_db(fields=["state", "held", "looks"])
    if state_for(ask, sees=sees_held(teen, account)) not in OPEN_ASKS:
        raise AskClosed
    if ask.state == AskState.GRANTED:  # it only looks open
        end_grant(ask, teen, AskState.WITHDRAWN, actor=account.actor)
        ExtraMinutes.objects.filter(ask=ask).delete()
    ask.state, ask.looks = AskState.WITHDRAWN, ""
    ask.save(update_fields=["state", "looks"])
    record(actor=account.actor, subject=str(ask), fact=kinds.AskWithdrawn())


def ask_history(teen: Account, pairing: Pairing | None = None, limit: int = 30) -> list[Ask]:
    """Return a teen's asks and the proposals to that teen, newest first, with their answers.

    For a guardian, with the pairing, those that the guardian sees.
    """
    asks = Ask.objects.filter(teen=teen) if pairing is None else asks_between(pairing)
    return list(
        asks.select_related(
            "proposed_by__guardian", "granted_by__guardian", "only_for__guardian", "teen"
        ).prefetch_related("answers__pairing__guardian", "readers__guardian")[:limit]
    )
