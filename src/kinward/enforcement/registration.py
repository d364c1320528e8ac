"""Who lost an account for good does not come back under another: blocked identifiers."""

from collections.abc import Iterable
from uuid import UUID

from django.utils import timezone

from kinward.enforcement.models import BlockedIdentifier
from kinward.people.api import Account


def block_registration(*, account: Account, case_id: UUID) -> int:
    """Block everything that the account is known to have; returns how much that is."""
    made = BlockedIdentifier.objects.bulk_create(
        [
            BlockedIdentifier(digest=each.digest, kind=each.kind, case_id=case_id)
            for each in account.identifiers.all()
        ],
        ignore_conflicts=True,
    )
    return len(made)


def unblock_registration(case_id: UUID) -> None:
    """Take back what a case blocked."""
    BlockedIdentifier.objects.filter(case_id=case_id, lifted_at=None).update(
        lifted_at=timezone.now()
    )


def blocked_kinds(digests: Iterable[bytes]) -> list[str]:
    """Of what kinds the identifiers are that are blocked, if any."""
    found = BlockedIdentifier.objects.filter(digest__in=list(digests), lifted_at=None)
    return sorted(set(found.values_list("kind", flat=True)))
