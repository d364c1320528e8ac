"""What guardians hear ahead of a birthday from which on other rules apply to a teen.

They hear neither the day nor what will change: the latter follows from what each guardian has set.
"""

from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import is_paused, live_pairings
from kinward.people.api import LockedAccount


def tell_guardians_of_growth(teen: LockedAccount) -> None:
    """Tell the guardians whose pairing is not paused, in the caller's transaction."""
    for pairing in live_pairings().filter(teen=teen).select_related("guardian"):
        if not is_paused(pairing):
            tell(pairing.guardian, "growing.theirs", other=name_in_notices(teen))
