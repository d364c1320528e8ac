"""Which rows of `erasure` stand for which entries."""

from kinward.access.api import ANYWHERE, marks_of_agreement
from kinward.erasure.models import Erasure, Replayed, Wish
from kinward.ledger.api import Counterpart, Mark, declare, kinds, rowless, unrecorded

declare(
    Counterpart(
        name="erasure",
        model=Erasure,
        related=ANYWHERE,
        marks=(
            *marks_of_agreement(asked=kinds.ErasureAsked, refused=kinds.ErasureRefused),
            *marks_of_agreement(
                approved=kinds.AccountErased,
                same={"rows": lambda row: row.rows, "values": lambda row: row.values},
            ),
        ),
        made="asked_at",
    ),
    Counterpart(
        name="erasure after a restore",
        model=Replayed,
        marks=(Mark(facts=(kinds.ErasureReplayed,)),),
        made="at",
    ),
)
rowless("the wish goes with the account", kinds.ErasureWanted)
rowless("the list of erasures is a file outside the database", kinds.ErasuresListed)
unrecorded("the wish of the platform, whose entry goes with it", Wish)
