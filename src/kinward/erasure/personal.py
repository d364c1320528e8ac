"""What `erasure` holds of a person: that somebody asked for their erasure."""

from kinward.erasure.models import Erasure, Replayed, Wish
from kinward.ground.personal import ERASED, Holding, holds, holds_nobody

holds(
    Holding(model=Wish, whose=("account",), ids=(), told=("asked_at",)),
    # One that was refused stays, and names nobody.
    Holding(
        model=Erasure,
        whose=("account",),
        ids=(),
        blank={"account": None, "why": ERASED},
        untold="what staff ask and agree to",
    ),
)
holds_nobody("numbers of erasures, which name nobody", Replayed)
