"""What every page of the console shows around its content."""

from django.http import HttpRequest

from kinward.access.models import Staff
from kinward.access.roles import OPERATE
from kinward.cases.queries import parked


def console(request: HttpRequest) -> dict[str, object]:
    """How many actions and reports are parked, for those who can do something about it."""
    staff = getattr(request, "user", None)
    if not isinstance(staff, Staff) or not staff.may(OPERATE):
        return {}
    return {"parked_count": sum(parked().values())}
