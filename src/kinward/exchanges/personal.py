"""What `exchanges` holds of a person: nothing."""

from kinward.exchanges.models import Exchange, Opinion, Signal, Sync
from kinward.ground.personal import holds_nobody

holds_nobody("partners and their lists", Exchange, Signal, Sync)
holds_nobody("what staff think of a partner's hash", Opinion)
