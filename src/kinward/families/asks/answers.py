"""Answers: a guardian's to a teen's ask, and a teen's to a guardian's proposal."""

from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kinward.families.asks.addressing import sees_ask
from kinward.families.asks.expiry import lapse
from kinward.families.asks.grants import (
    Missing,
    grant,
    may_say_yes,
    take_back_grant,
    take_back_quietly,
    value_of,
)
from kinward.families.asks.hearing import Outcome, tell_of_answer
from kinward.families.asks.requests import MAX_REASON
from kinward.families.asks.wording import words_of_ask
from kinward.families.errors import AskClosed, GuardianUnproven, NotPaired, TapRefused
from kinward.families.models import OPEN_ASKS, Answer, Ask, AskState, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import is_held, require_power, shows_power
from kinward.families.pairing.proof import method_of
from kinward.families.settings.choices import check_choice, put_choice
from kinward.families.settings.cooling import GUARDED, is_cooling_quietly, refuse_tightening
from kinward.families.settings.grant_order import yeses_of
from kinward.families.settings.held import sees_held
from kinward.families.settings.looks import is_passing, state_for
from kinward.ground.errors import Invalid, NotFound
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, lock_account

MAX_DAYS: Final = 31  # of a temporary grant

AskAnswer = Literal["yes", "no", "talk"]


ANSWERED: Final[dict[AskAnswer, type[kinds.Fact]]] = {
    "yes": kinds.AskYes,
    "no": kinds.AskNo,
    "talk": kinds.AskTalk,
}


@transaction.atomic
def answer_ask(
    *,
    guardian: Account,
    ask_id: UUID,
    said: AskAnswer,
    note: str = "",
    until: datetime | None = None,
    once: Pairing | None = None,
) -> Ask:
    """Answer a teen's ask as a guardian. A yes to a value can hold until a moment.

    With `once`, the pairing to which a link was sent, only as that pairing's guardian, only while
    the ask is open, and each answer only once: otherwise raises `TapRefused` or `AskClosed`.

    A yes grants the ask, unless another guardian's is missing: see `consensus`. Another guardian's
    no takes a temporary yes back, because the more protective answer counts. The teen and the
    other guardians are told. Raises `NotPaired`, also for an ask that does not exist, `AskClosed`,
    `SettingLocked` for a yes without an end that is outside a guardian's bounds,
    `GuardianCooling` where the guardian may not take back time or contact now, and
    `GuardianUnproven` for a yes to more than the default from one who is not proven for it.

    During a quiet dispute the answer looks given, and has no effect.
    """
    ask = Ask.objects.select_related("teen").filter(pk=ask_id, proposed_by=None).first()
    if ask is None:
        raise NotPaired
    pairing, teen = require_power(guardian=guardian, teen_id=ask.teen.platform_id)
    # Read again under the teen's lock: another guardian may have answered meanwhile.
    ask = Ask.objects.select_related("teen", "granted_by__guardian").get(pk=ask_id)
    lapse(ask)
    _check_addressed(once, pairing, ask, said)
    sees = sees_held(teen, guardian)
    takes_back = said == "no" and is_passing(ask, sees=sees) and once is None
    if state_for(ask, sees=sees) not in OPEN_ASKS and not takes_back:
        raise AskClosed
    _check_answer(note, said, until)
    until = until if said == "yes" and ask.minutes is None else None
    if said == "yes":
        _check_yes(pairing, ask, lasts=until is None)
    if takes_back:
        refuse_tightening(pairing, ask.capability)
    repeats = said == "yes" and pairing.pk in yeses_of(ask, held=True)
    shows = sees_held(teen, teen)
    looked_granted = said == "no" and is_passing(ask, sees=shows)
    looked_open = looked_granted or state_for(ask, sees=shows) in OPEN_ASKS
    Answer.objects.create(ask=ask, pairing=pairing, answer=said, note=note, until=until)
    actor = guardian.actor
    record(actor=actor, subject=str(ask), fact=_fact_of(said, pairing))
    quietly = is_held(pairing) or (
        takes_back and is_cooling_quietly(pairing) and ask.capability in GUARDED
    )
    missing = Missing()
    if said == "yes":
        missing = grant(ask, teen, pairing, actor)
    elif quietly:
        _say_quietly(ask, said)
    elif takes_back or (said == "no" and ask.state == AskState.GRANTED):
        take_back_grant(ask, teen, actor)
    elif not (ask.held and said == "talk"):
        ask.state = AskState.TALK if said == "talk" else AskState.REFUSED
        ask.save(update_fields=["state"])
    if not (repeats and missing.shown):
        really = None if quietly else Outcome(missing.really, takes_back)
        shown = Outcome(missing.shown, looked_granted) if looked_open else None
        tell_of_answer(ask, pairing, said, really, shown)
    return ask


def _check_yes(pairing: Pairing, ask: Ask, *, lasts: bool) -> None:
    if not may_say_yes(pairing, ask):
        raise GuardianUnproven
    if ask.minutes is None and lasts:
        check_choice(pairing.teen, ask.capability, value_of(ask))


def _fact_of(said: AskAnswer, pairing: Pairing) -> kinds.Fact:
    if said == "yes":
        return kinds.AskYes(proof=method_of(pairing.guardian, pairing.teen))
    return ANSWERED[said]()


def _say_quietly(ask: Ask, said: str) -> None:
    """Make a no or a "let's talk" look given. The ask stays open to other guardians."""
    if said == "no":
        take_back_quietly(ask)
    elif ask.state == AskState.OPEN:
        ask.state = AskState.TALK
        ask.save(update_fields=["state"])


def _check_addressed(once: Pairing | None, pairing: Pairing, ask: Ask, said: str) -> None:
    if not sees_ask(pairing, ask):
        raise NotPaired
    if once is None:
        return
    given = Answer.objects.filter(ask=ask, pairing=pairing, answer=said)
    if once.pk != pairing.pk or given.exists():
        raise TapRefused


def _check_answer(note: str, said: str, until: datetime | None) -> None:
    if said not in ("yes", "no", "talk"):
        raise Invalid("An answer is yes, no or talk.")
    if len(note) > MAX_REASON:
        raise Invalid(f"A note has at most {MAX_REASON} characters.")
    now = timezone.now()
    if until is not None and not now < until <= now + timedelta(days=MAX_DAYS):
        raise Invalid(f"A grant ends within {MAX_DAYS} days.")


@transaction.atomic
def answer_proposal(*, teen: Account, ask_id: UUID, said: AskAnswer, note: str = "") -> Ask:
    """Answer a guardian's proposal as the teen. A yes makes it the guardian's choice.

    Raises `NotFound` for a proposal to somebody else, and `AskClosed`.
    """
    teen = lock_account(teen.pk)
    proposal = (
        Ask.objects.select_related("teen", "proposed_by__guardian", "proposed_by__teen")
        .filter(pk=ask_id, teen=teen, proposed_by__isnull=False)
        .first()
    )
    if proposal is None or proposal.proposed_by is None:
        raise NotFound
    lapse(proposal)
    if proposal.state not in OPEN_ASKS or not shows_power(proposal.proposed_by):
        raise AskClosed
    _check_answer(note, said, None)
    Answer.objects.create(ask=proposal, pairing=None, answer=said, note=note)
    actor = teen.actor
    record(actor=actor, subject=str(proposal), fact=ANSWERED[said]())
    if said == "yes":
        by, value = proposal.proposed_by, value_of(proposal)
        put_choice(by, teen, proposal.capability, value, actor, agreed=True)
        proposal.state, proposal.granted_by = AskState.GRANTED, proposal.proposed_by
        proposal.save(update_fields=["state", "granted_by"])
    else:
        proposal.state = AskState.TALK if said == "talk" else AskState.REFUSED
        proposal.save(update_fields=["state"])
    guardian = proposal.proposed_by.guardian
    what = words_of_ask(proposal, guardian.language)
    tell(guardian, said, other=name_in_notices(teen), what=what)
    return proposal
