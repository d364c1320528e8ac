"""Which acts ask whoever is at the console for a fresh second factor: by their gravity."""

from kinward.access.api import require_fresh_factor
from kinward.casebook.gravity import Act, Gravity


def require_fresh(*acts: Act) -> None:
    """Raise `FactorNotFresh` if one of these acts is grave, and no factor was shown lately."""
    if any(act.gravity is not Gravity.REVERSIBLE for act in acts):
        require_fresh_factor()
