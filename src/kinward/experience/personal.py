"""What `experience` holds of a person: settings, and an example of what a shadow decided."""

from django.db.models import Q

from kinward.experience.models import (
    Activation,
    Layer,
    PackVersion,
    Proposal,
    Setting,
    Shadow,
    ShadowDifference,
)
from kinward.ground.personal import Holding, holds, holds_nobody

holds(
    Holding(
        model=Setting,
        whose=("account",),
        acts=("set_by",),
        told=("capability", "value", "set_at", "until", "ended_at"),
        # What a guardian chose shows whether it has power, and so whether a dispute is quiet.
        shown=lambda person: Q(layer__in=(Layer.SELF, Layer.ENFORCEMENT)),
    ),
    Holding(model=ShadowDifference, mentions=("example",), untold="a trial of a pack"),
)
holds_nobody("policy packs, and who of the staff changed them", PackVersion, Proposal, Activation)
holds_nobody("a trial of a pack, started by staff", Shadow)
