"""Another key for the ledger: one operator asks, another one agrees. Then the ledger changes it.

The row stands above the protocol of two people. The face imports it, so Django knows it.
"""

from uuid import UUID

from django.db import models, transaction
from django.db.models import Q

from kinward.access.agreement import (
    AgreementState,
    AlreadyDecided,
    TwoPeopleAnywhere,
    asked,
    decide_agreement,
)
from kinward.access.glass import Decider, Person, actor_of
from kinward.access.permissions import Permission
from kinward.ground.errors import KinwardError
from kinward.ground.locks import in_turn
from kinward.ledger.api import (
    begin_rotation,
    kinds,
    make_next_key,
    record,
    require_rotatable,
)


class KeyChangedMeanwhile(KinwardError):
    """The key of the ledger has changed since this was asked for. Refuse it, and ask again."""

    code = "ledger.key_changed"
    status = 409


class LogKeyChange(TwoPeopleAnywhere):
    """A request that another key signs the ledger. No role of the console has its permission."""

    permission = Permission.MANAGE_KEYS

    before = models.CharField(max_length=400)  # verifier keys
    after = models.CharField(max_length=400)

    class Meta(TwoPeopleAnywhere.Meta):
        constraints = (
            *TwoPeopleAnywhere.Meta.constraints,
            models.UniqueConstraint(
                fields=("before",),
                condition=Q(state="asked"),
                name="access_one_log_key_asked",
            ),
        )

    def __str__(self) -> str:
        return f"log-key:{self.id}"


@transaction.atomic
def request_log_key(*, staff: Person) -> LogKeyChange:
    """Make another key beside the present one, and ask that it signs the ledger.

    Another operator must approve it. Raises `Invalid`, and `AlreadyDecided` while a request is open
    or the key changes: the next key of that is not replaced by one more.
    """
    staff.must(LogKeyChange.permission)
    in_turn("access.log_key")
    if LogKeyChange.objects.filter(state=AgreementState.ASKED).exists():
        raise AlreadyDecided("A request is open. Decide on that one first: `kinward agree`.")
    after = make_next_key().vkey
    before = require_rotatable(after)
    change = LogKeyChange.objects.create(before=before, after=after, **asked(staff))
    fact = kinds.LedgerRotationAsked(before=before, after=after)
    record(actor=actor_of(staff), subject=str(change), fact=fact)
    return change


@transaction.atomic
def decide_log_key(*, change_id: UUID, approve: bool, staff: Decider) -> LogKeyChange:
    """Let the ledger change its key, or refuse. The person who asked cannot approve.

    Raises `KeyChangedMeanwhile` if another change came before this one.
    """
    change = decide_agreement(LogKeyChange, change_id, approve=approve, staff=staff)
    actor = actor_of(staff)
    if approve:
        if require_rotatable(change.after) != change.before:
            raise KeyChangedMeanwhile
        begin_rotation(after=change.after, actor=actor)
    fact = kinds.LedgerRotationApproved if approve else kinds.LedgerRotationRefused
    record(actor=actor, subject=str(change), fact=fact(before=change.before, after=change.after))
    return change
