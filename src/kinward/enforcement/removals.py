"""What is removed everywhere: a case holds some bytes, and with them each copy, whoever's it is.

A copy is removed once, however many cases hold its bytes, and given back when the last lets go.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from kinward.access import Actor
from kinward.enforcement.models import Effect, Removal
from kinward.enforcement.queries import told_of
from kinward.enforcement.services import issue_content_action
from kinward.ground.locks import in_turn
from kinward.matching.api import Check
from kinward.people.api import lock_account


@transaction.atomic
def remove_everywhere(case_id: UUID, sha256: str) -> None:
    """Hold some bytes for a case, whose row is locked. Again, it does nothing."""
    in_turn(_name(sha256))
    Removal.objects.get_or_create(case_id=case_id, sha256=sha256)


def copies_left(sha256: str) -> list[Check]:
    """The copies of some bytes that the platform was not told to remove."""
    return _copies(sha256, told_not=(Effect.REMOVE,))


@transaction.atomic
def remove_copy(*, case_id: UUID, copy: Check, actor: Actor) -> None:
    """Have a copy removed for a case, unless it has let go of the bytes meanwhile."""
    account = lock_account(copy.account_id)
    held = Removal.objects.select_for_update(no_key=True).filter(
        case_id=case_id, sha256=copy.sha256, ended_at=None
    )
    if held.first() is not None:
        issue_content_action(
            case_id=case_id,
            account=account,
            effect=Effect.REMOVE,
            content_id=copy.content_id,
            actor=actor,
        )


def end_removals(case_id: UUID) -> list[Check]:
    """End what a case holds, in the caller's transaction.

    Returns the copies that the platform holds back, and whose bytes no other case holds.
    """
    left: list[Check] = []
    for held in Removal.objects.filter(case_id=case_id, ended_at=None).order_by("sha256"):
        in_turn(_name(held.sha256))
        held.ended_at = timezone.now()
        held.save(update_fields=["ended_at"])
        if not Removal.objects.filter(sha256=held.sha256, ended_at=None).exists():
            left += _copies(held.sha256, told_not=("", Effect.RESTORE))
    return left


def _copies(sha256: str, *, told_not: Iterable[str]) -> list[Check]:
    """Every copy of which the platform was not told this last, in a lasting order."""
    last = told_of(OuterRef("account"), OuterRef("content_id")).values("effect")[:1]
    copies = Check.objects.filter(sha256=sha256).select_related("account").defer("signature")
    told = copies.annotate(told=Coalesce(Subquery(last), Value("")))
    return list(told.exclude(told__in=told_not).order_by("pk"))


def _name(sha256: str) -> str:
    return f"enforcement.hold:{sha256}"
