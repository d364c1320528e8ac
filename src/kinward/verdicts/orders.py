"""Orders about pairings: staff pause one in a case, and two people end it or hand it over.

A pause takes one person and a reason, since it only takes power away and a decision follows. What
the papers say is sealed in the case, and what is not sealed is not there for the second person.
"""

from datetime import date
from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from kinward.access import Actor
from kinward.access.api import (
    AgreementState,
    Decider,
    Person,
    Staff,
    actor_of,
    asked,
    decide_agreement,
)
from kinward.casebook.api import UNDECIDED, Case, get_case
from kinward.evidence.api import seal_excerpt
from kinward.families.api import (
    Pairing,
    Told,
    end_by_person,
    hand_over,
    method_of,
    pairings_of,
    pause_by_person,
)
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, get_account
from kinward.review.api import require_lease
from kinward.verdicts.models import MAX_WHY, OrderVerb, PairingOrder, PairingPause

MAX_PAPERS: Final = 20_000  # characters
KNOWS: Final = ("school", "court")  # who can name another guardian


class OrderWaits(KinwardError):
    """Somebody has asked for something about this pairing already. Decide about that first."""

    code = "pairing.order_waits"
    status = 409


class OrderForm(msgspec.Struct, frozen=True):
    """What is asked about a pairing in a case, and why.

    `to` is the account id of another guardian, whom somebody who knows names: `method`. `papers` is
    what their papers say, and where they are.
    """

    case_id: UUID
    pairing_id: UUID
    why: str
    to: str = ""
    method: str = "court"
    papers: str = ""


def pairings_of_case(case: Case) -> list[tuple[Pairing, str]]:
    """Return the live pairings of a case's account, each with its guardian's proof."""
    return [(one, method_of(one.guardian, one.teen)) for one in pairings_of(case.account)]


def orders_of_case(case: Case) -> QuerySet[PairingOrder]:
    """Return what was asked about pairings in a case, newest first."""
    people = ("asked_by", "decided_by", "pairing__guardian", "pairing__teen", "to")
    return PairingOrder.objects.select_related(*people).filter(case=case)


@transaction.atomic
def pause_pairing(
    *, case_id: UUID, pairing_id: UUID, why: str, quiet: bool, staff: Staff
) -> Pairing:
    """Pause a pairing of a case's account until a person decides about it. Requires the lease.

    Idempotent.
    """
    staff.must(PairingOrder.permission)
    require_lease(get_case(case_id), staff)
    return _pause(case_id, pairing_id, why, quiet=quiet, actor=staff.actor)


@transaction.atomic
def pause_by_command(
    *, case_id: UUID, pairing_id: UUID, why: str, quiet: bool, actor: Actor
) -> Pairing:
    """As `pause_pairing`, for an operator, who has no lease."""
    actor.must(PairingOrder.permission)
    return _pause(case_id, pairing_id, why, quiet=quiet, actor=actor)


def _pause(case_id: UUID, pairing_id: UUID, why: str, *, quiet: bool, actor: Actor) -> Pairing:
    case, _pairing = _about(case_id, pairing_id, why)
    if case.state not in UNDECIDED:
        raise Invalid("This case is decided, so nobody would decide about the pause in it.")
    paused = pause_by_person(pairing_id=pairing_id, quiet=quiet, actor=actor)
    _pause_row, new = PairingPause.objects.get_or_create(
        case=case, pairing=paused, defaults={"why": why.strip(), "paused_by": str(actor)}
    )
    if new:
        fact = kinds.PairingOrdered(verb="pause", pairing=str(paused), why=why.strip())
        record(actor=actor, subject=str(case), fact=fact)
    return paused


@transaction.atomic
def request_pairing_order(*, form: OrderForm, staff: Person) -> PairingOrder:
    """Ask to end a pairing of a case's account, or to hand its teen over. Another person agrees.

    Seals the papers in the case. Raises `OrderWaits` while another request waits.
    """
    staff.must(PairingOrder.permission)
    if isinstance(staff, Staff):
        require_lease(get_case(form.case_id), staff)
    case, pairing = _about(form.case_id, form.pairing_id, form.why)
    papers, to = form.papers.strip(), _successor(form, pairing)
    if len(papers) > MAX_PAPERS:
        raise Invalid(f"Papers have at most {MAX_PAPERS} characters.")
    if PairingOrder.objects.filter(pairing=pairing, state=AgreementState.ASKED).exists():
        raise OrderWaits
    verb = OrderVerb.END if to is None else OrderVerb.HAND_OVER
    order = PairingOrder.objects.create(
        case=case,
        pairing=pairing,
        verb=verb,
        to=to,
        method="" if to is None else form.method,
        why=form.why.strip(),
        **asked(staff),
    )
    actor = actor_of(staff)
    if papers:
        seal_excerpt(case_id=case.id, text=papers, actor=actor)
    fact = kinds.PairingOrdered(
        verb=str(verb),
        pairing=str(pairing),
        why=order.why,
        to="" if to is None else to.platform_id,
    )
    record(actor=actor, subject=str(case), fact=fact)
    return order


@transaction.atomic
def decide_pairing_order(*, order_id: UUID, approve: bool, staff: Decider) -> PairingOrder:
    """Carry a request about a pairing out, or refuse it. The person who asked cannot approve."""
    order = decide_agreement(PairingOrder, order_id, approve=approve, staff=staff)
    actor = actor_of(staff)
    if approve and order.to is None:
        end_by_person(pairing_id=order.pairing_id, actor=actor)
    elif approve and order.to is not None:
        told = Told(
            method=order.method,  # type: ignore[arg-type]
            checked_on=_day_of(order),
            evidence=str(order.case),
        )
        hand_over(pairing_id=order.pairing_id, to=order.to, told=told, actor=actor)
    fact = (kinds.PairingOrderDone if approve else kinds.PairingOrderRefused)(
        verb=order.verb, pairing=str(order.pairing)
    )
    record(actor=actor, subject=str(order.case), fact=fact)
    return order


def _about(case_id: UUID, pairing_id: UUID, why: str) -> tuple[Case, Pairing]:
    case = get_case(case_id)
    if not 1 <= len(why.strip()) <= MAX_WHY:
        raise Invalid(f"Say why, in 1 to {MAX_WHY} characters.")
    pairing = next((one for one in pairings_of(case.account) if one.pk == pairing_id), None)
    if pairing is None:
        raise NotFound("The account of this case is in no such pairing.")
    return case, pairing


def _successor(form: OrderForm, pairing: Pairing) -> Account | None:
    """Return the account that is to be the guardian, None to end a pairing only."""
    if not form.to.strip():
        return None
    if form.method not in KNOWS:
        raise Invalid(f"Another guardian is named by a {' or a '.join(KNOWS)}.")
    if not form.papers.strip():
        raise Invalid("Say what the papers about the other guardian say, and where they are.")
    to = get_account(form.to.strip())
    if to.pk in (pairing.guardian_id, pairing.teen_id):
        raise Invalid("Hand the teen over to somebody who is not in this pairing.")
    return to


def _day_of(order: PairingOrder) -> date:
    return order.asked_at.date()
