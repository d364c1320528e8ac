"""Which rows of `custody` stand for which entries: releases and destructions."""

from kinward.access.api import ANYWHERE, marks_of_agreement
from kinward.casebook.api import HANDED_OVER
from kinward.custody.models import Destruction, Release
from kinward.ledger.api import Counterpart, Mark, declare, kinds

declare(
    Counterpart(
        name="release",
        model=Release,
        related=(*ANYWHERE, "account", "handed_by"),
        marks=(
            *marks_of_agreement(
                asked=kinds.ReleaseAsked,
                approved=kinds.ReleaseApproved,
                refused=kinds.ReleaseRefused,
                same={
                    "account": lambda row: row.account.platform_id,
                    "since": lambda row: row.since.isoformat(),
                    "until": lambda row: row.until.isoformat(),
                },
            ),
            Mark(
                facts=(kinds.ReleaseHandedOver,),
                happened=lambda row: row.state == HANDED_OVER,
                by=lambda row: str(row.handed_by.actor),
            ),
        ),
        also=(kinds.ReleasePacked,),
        made="asked_at",
    ),
    Counterpart(
        name="destruction",
        model=Destruction,
        related=ANYWHERE,
        marks=marks_of_agreement(
            asked=kinds.DestructionAsked,
            approved=kinds.DestructionDone,
            refused=kinds.DestructionRefused,
            same={"case": lambda row: str(row.case_id)},
        ),
        made="asked_at",
    ),
)
