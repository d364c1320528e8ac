"""The one verb of the ledger: record."""

from datetime import UTC, datetime
from typing import Protocol

from django.db import connection

from kinward.ground.errors import KinwardError
from kinward.ledger.chain import GENESIS, digest
from kinward.ledger.kinds import Fact
from kinward.ledger.models import Entry
from kinward.ledger.words import set_apart

# Held from the first entry of a transaction to its end: the chain has one writer at a time.
# To keep this short and free of deadlocks, lock every row you will change before you record.
CHAIN_LOCK = 0x4B494E57415244  # "KINWARD"


class Named(Protocol):
    """Who did something. The ledger names them `kind:name`."""

    @property
    def kind(self) -> str:
        """What kind of actor it is."""

    @property
    def name(self) -> str:
        """Which one of that kind."""


class OutsideTransaction(KinwardError):
    """A ledger entry must be written in the transaction that it records."""

    code = "ledger.outside_transaction"


def record(*, actor: Named, subject: str, fact: Fact) -> Entry:
    """Append an entry, in the caller's transaction.

    `actor` is an `Actor`: a person of the staff, a key, an account, a rule, an operator or a room.
    `subject` is `<noun>:<id>`. `fact` is one of `ledger.kinds`, and never holds content. Its words
    are kept apart.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction
    kind, data = fact.kind, set_apart(fact)
    by = f"{actor.kind}:{actor.name}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    last = Entry.objects.order_by("-seq").values_list("seq", "digest").first()
    seq, previous = (last[0] + 1, bytes(last[1])) if last else (1, GENESIS)
    at = datetime.now(UTC)
    return Entry.objects.create(
        seq=seq,
        at=at,
        actor=by,
        kind=kind,
        subject=subject,
        data=data,
        previous=previous,
        digest=digest(
            previous=previous, seq=seq, at=at, actor=by, kind=kind, subject=subject, data=data
        ),
    )
