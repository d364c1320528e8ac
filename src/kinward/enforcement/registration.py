"""Blocked identifiers: somebody whose account was terminated cannot register another."""

from collections.abc import Iterable
from uuid import UUID

from django.utils import timezone

from kinward.casebook.api import Act
from kinward.enforcement.models import BlockedIdentifier
from kinward.evidence.api import Warrant, require_warrant
from kinward.people.api import Account


def block_registration(*, account: Account, case_id: UUID, warrant: Warrant | None) -> int:
    """Block every known identifier of an account; return their number. Raises `WarrantNeeded`."""
    require_warrant(warrant, Act.BLOCK_REGISTRATION, case_id)
    blocked = BlockedIdentifier.objects.bulk_create(
        [
            BlockedIdentifier(digest=identifier.digest, kind=identifier.kind, case_id=case_id)
            for identifier in account.identifiers.all()
        ],
        ignore_conflicts=True,
    )
    return len(blocked)


def unblock_registration(case_id: UUID) -> None:
    """Lift the blocks of a case."""
    BlockedIdentifier.objects.filter(case_id=case_id, lifted_at=None).update(
        lifted_at=timezone.now()
    )


def blocked_kinds(digests: Iterable[bytes]) -> list[str]:
    """Return the kinds of the blocked identifiers, sorted."""
    blocked = BlockedIdentifier.objects.filter(digest__in=list(digests), lifted_at=None)
    return sorted(set(blocked.values_list("kind", flat=True)))
