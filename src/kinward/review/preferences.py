"""How one person wants files to be shown. Nobody can loosen the operator's limits.

By default every file is a tiny grey blur, and an opened file is grey and small.
"""

from django.db import transaction

from kinward.access import Permission
from kinward.access.api import Staff
from kinward.ground.config import config
from kinward.ground.errors import Invalid
from kinward.review.models import Viewing


def preferences_of(staff: Staff) -> Viewing:
    """Return a person's choices, or the defaults."""
    return Viewing.objects.filter(staff=staff).first() or Viewing(staff=staff)


@transaction.atomic
def set_preferences(
    *, staff: Staff, described: bool, in_colour: bool, larger: bool, at_most: int | None
) -> Viewing:
    """Set a person's choices; `at_most` files in 24 hours, within the operator's limit."""
    staff.must(Permission.CHOOSE_VIEWING)
    if at_most is not None and not 0 <= at_most <= config().exposure_per_day:
        raise Invalid(f"At most {config().exposure_per_day} files in 24 hours, or fewer.")
    chosen = {
        "described": described,
        "in_colour": in_colour,
        "larger": larger,
        "at_most": at_most,
    }
    return Viewing.objects.update_or_create(staff=staff, defaults=chosen)[0]
