"""Opinions on partners' hashes. They are sent to the partner if the operator allows it."""

from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import Decider, Person, actor_of, carry_out_due
from kinward.exchanges.bounds import SyncBounded, reading_in
from kinward.exchanges.kinds import NotTaken, OpinionKind
from kinward.exchanges.models import Exchange, Opinion, Signal
from kinward.exchanges.services import connected
from kinward.exchanges.sync import reading_of
from kinward.ground.jobs import enqueue
from kinward.ground.text import storable
from kinward.matching.api import (
    BankedHash,
    Marking,
    decide_marking,
    due_markings,
    kind_of,
    mark_alone,
    mark_or_ask,
)

log = structlog.get_logger(__name__)

SEND = "exchanges.send_opinion"


def give_opinion(*, hashes: list[int], kind: OpinionKind, actor: Actor) -> None:
    """Record an opinion on those of the banked hashes that are a partner's. Idempotent.

    It is sent to the partner if the exchange allows opinions. Requires a transaction.
    """
    rows = BankedHash.objects.filter(pk__in=hashes, bank__exchange__isnull=False)
    for row in rows.select_related("bank__exchange"):
        opinion, new = Opinion.objects.get_or_create(
            banked=row, kind=kind, defaults={"given_by": str(actor)}
        )
        if new and row.bank.exchange.opinions:
            enqueue(SEND, opinion_id=opinion.pk)


def send(opinion_id: int) -> None:
    """Send an opinion to the partner, for every entry with the hash. Idempotent."""
    opinion = Opinion.objects.select_related("banked__bank").get(pk=opinion_id)
    row = opinion.banked
    exchange = Exchange.objects.filter(bank=row.bank).first()
    if opinion.sent_at is not None or exchange is None:
        return
    api = connected(exchange)
    answer = "sent"
    keys = Signal.objects.filter(exchange=exchange, banked=row).values_list("key", flat=True)
    text = kind_of(row.kind).write(bytes(row.value))
    whole = reading_of(exchange, api)  # a partner may list one hash in any number of entries
    for key in keys.order_by("key").iterator():
        try:
            if not hasattr(api, "opine"):
                raise NotTaken(f"{exchange.api} has no way to take one.")
            whole.turn_page("POST", "")
            with reading_in(reading_of(exchange, api, ends=whole.ends)):
                api.opine(key, row.kind, text, OpinionKind(opinion.kind))
        except NotTaken as error:
            answer = storable(f"not taken: {error.detail}")[:200]
        except SyncBounded as error:
            answer = storable(f"not sent for all entries: {error.detail}")[:200]
            break
    Opinion.objects.filter(pk=opinion.pk).update(sent_at=timezone.now(), answer=answer)


@transaction.atomic
def mark_false_positive(*, row: BankedHash, wrong: bool, asker: Person) -> Marking | None:
    """Mark a banked hash as a false positive, or reinstate it. Of a verified one, ask for the mark.

    A false positive is also an opinion, which goes to the partner that shared the hash. Returns the
    request that waits for another person, if one does: see `mark_or_ask`.
    """
    asker.must(Permission.MARK_HASHES)
    waiting = mark_or_ask(row=row, wrong=wrong, asker=asker)
    if wrong and waiting is None:
        _tell_partner(row, actor_of(asker))
    return waiting


@transaction.atomic
def decide_false_positive(*, marking_id: UUID, approve: bool, staff: Decider) -> Marking:
    """Agree that a verified hash is a false positive, or refuse: see `decide_marking`."""
    marking = decide_marking(marking_id=marking_id, approve=approve, staff=staff)
    if approve:
        _tell_partner(marking.hash, actor_of(staff))
    return marking


def mark_due_alone() -> int:
    """Make the marks that nobody else can decide on, once their moment has come: how many."""
    return carry_out_due(due_markings(), _mark_alone)


def _mark_alone(marking_id: UUID) -> bool:
    row = mark_alone(marking_id)
    if row is None:
        return False
    _tell_partner(row, Actor.system("exchanges"))
    return True


def _tell_partner(row: BankedHash, actor: Actor) -> None:
    give_opinion(hashes=[row.pk], kind=OpinionKind.FALSE_POSITIVE, actor=actor)
