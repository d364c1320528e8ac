"""What `review` holds of a person: what staff wrote and looked at in their cases."""

from kinward.ground.personal import Holding, holds, holds_nobody
from kinward.review.models import Comment, Look, SecondReading, StaffAlert, Viewing

INTERNAL = "what staff wrote for each other"

holds(
    Holding(model=Comment, whose=("case__account",), ids=(), untold=INTERNAL),
    Holding(model=Look, whose=("evidence__case__account",), ids=(), untold="protects staff"),
    Holding(model=SecondReading, whose=("verdict__case__account",), ids=(), untold=INTERNAL),
)
holds_nobody("the work of staff, and how files are shown to them", StaffAlert, Viewing)
