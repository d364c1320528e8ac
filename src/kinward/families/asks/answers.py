"""Answers: a guardian's to a teen's ask, and a teen's to a guardian's proposal."""

from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kinward.families.asks.expiry import lapse
from kinward.families.asks.grants import grant, is_passing, take_back_grant
from kinward.families.asks.requests import MAX_REASON
from kinward.families.asks.wording import words_of_ask
from kinward.families.errors import AskClosed, NotPaired
from kinward.families.models import OPEN_ASKS, Answer, Ask, AskState
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import require_power, shows_power
from kinward.families.settings.cooling import refuse_tightening
from kinward.ground.errors import Invalid, NotFound
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, lock_account

MAX_DAYS: Final = 31  # of a temporary grant

AskAnswer = Literal["yes", "no", "talk"]


ANSWERED: Final = {"yes": kinds.AskYes, "no": kinds.AskNo, "talk": kinds.AskTalk}


@transaction.atomic
def answer_ask(
    *,
    guardian: Account,
    ask_id: UUID,
    said: AskAnswer,
    note: str = "",
    until: datetime | None = None,
) -> Ask:
    """Answer a teen's ask as a guardian. A yes to a value can hold until a moment.

    One guardian's yes is enough. Another guardian's no takes a temporary yes back, because the
    more protective answer counts; the teen and the guardian who granted it are told.
    Raises `NotPaired`, also for an ask that does not exist, `AskClosed`, and `GuardianCooling`
    where the guardian may not take back time or contact now.
    """
    ask = Ask.objects.select_related("teen").filter(pk=ask_id, proposed_by=None).first()
    if ask is None:
        raise NotPaired
    pairing, teen = require_power(guardian=guardian, teen_id=ask.teen.platform_id)
    # Read again under the teen's lock: another guardian may have answered meanwhile.
    ask = Ask.objects.select_related("teen", "granted_by__guardian").get(pk=ask_id)
    lapse(ask)
    takes_back = ask.state == AskState.GRANTED and said == "no" and is_passing(ask)
    if ask.state not in OPEN_ASKS and not takes_back:
        raise AskClosed
    _check_answer(note, said, until)
    if takes_back:
        refuse_tightening(pairing, ask.capability)
    Answer.objects.create(ask=ask, pairing=pairing, answer=said, note=note)
    actor = guardian.actor
    record(actor=actor, subject=str(ask), fact=ANSWERED[said]())
    if takes_back:
        take_back_grant(ask, teen, guardian, actor)
    elif said == "yes":
        grant(ask, teen, pairing, until, actor)
    else:
        ask.state = AskState.TALK if said == "talk" else AskState.REFUSED
        ask.save(update_fields=["state"])
    what = words_of_ask(ask, ask.teen.language)
    tell(ask.teen, said, other=name_in_notices(guardian), what=what)
    return ask


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
        grant(proposal, teen, proposal.proposed_by, None, actor)
    else:
        proposal.state = AskState.TALK if said == "talk" else AskState.REFUSED
        proposal.save(update_fields=["state"])
    guardian = proposal.proposed_by.guardian
    what = words_of_ask(proposal, guardian.language)
    tell(guardian, said, other=name_in_notices(teen), what=what)
    return proposal
