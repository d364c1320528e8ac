"""Removals: a case keeps some bytes removed, in every copy and regardless of owner.

A copy is removed once, however many cases remove its bytes, and restored when the last one ends its
removal.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from kinward.access import Actor
from kinward.casebook.api import Act
from kinward.enforcement.models import Effect, Removal
from kinward.enforcement.queries import told_of
from kinward.enforcement.services import issue_content_action
from kinward.evidence.api import Warrant, require_warrant
from kinward.ground.locks import in_turn
from kinward.matching.api import Check
from kinward.people.api import lock_account


@transaction.atomic
def remove_everywhere(case_id: UUID, sha256: str, warrant: Warrant | None) -> None:
    """Keep some bytes removed for a case. Idempotent. Requires the case's row lock.

    Raises `WarrantNeeded`.
    """
    require_warrant(warrant, Act.REMOVE_EVERYWHERE, case_id)
    in_turn(_name(sha256))
    Removal.objects.get_or_create(case_id=case_id, sha256=sha256)


def copies_left(sha256: str) -> list[Check]:
    """Return the copies of some bytes that the platform was not told to remove."""
    return _copies(sha256, told_not=(Effect.REMOVE,))


@transaction.atomic
def remove_copy(*, case_id: UUID, copy: Check, actor: Actor) -> None:
    """Have a copy removed for a case, unless the case has ended its removal meanwhile."""
    account = lock_account(copy.account_id)
    removals = Removal.objects.select_for_update(no_key=True).filter(
        case_id=case_id, sha256=copy.sha256, ended_at=None
    )
    if removals.first() is not None:
        issue_content_action(
            case_id=case_id,
            account=account,
            effect=Effect.REMOVE,
            content_id=copy.content_id,
            actor=actor,
        )


def end_removals(case_id: UUID) -> list[Check]:
    """End the removals of a case, in the caller's transaction.

    Returns the copies to restore: those that the platform was told to take down, and whose bytes
    no other case keeps removed.
    """
    restored: list[Check] = []
    for removal in Removal.objects.filter(case_id=case_id, ended_at=None).order_by("sha256"):
        in_turn(_name(removal.sha256))
        removal.ended_at = timezone.now()
        removal.save(update_fields=["ended_at"])
        if not Removal.objects.filter(sha256=removal.sha256, ended_at=None).exists():
            restored += _copies(removal.sha256, told_not=("", Effect.RESTORE))
    return restored


def _copies(sha256: str, *, told_not: Iterable[str]) -> list[Check]:
    """Return the copies whose latest effect is none of `told_not`, in a stable order."""
    last = told_of(OuterRef("account"), OuterRef("content_id")).values("effect")[:1]
    copies = Check.objects.filter(sha256=sha256).select_related("account").defer("signature")
    told = copies.annotate(told=Coalesce(Subquery(last), Value("")))
    return list(told.exclude(told__in=told_not).order_by("pk"))


def _name(sha256: str) -> str:
    return f"enforcement.removal:{sha256}"
