"""What every page of the console shows around its content."""

from django.http import HttpRequest
from django.utils import timezone

from kinward.access.models import Staff
from kinward.access.roles import AUDIT, BANKS, CUSTODY, OPERATE, POLICY, REVIEW, SENIOR
from kinward.cases.quality import unread
from kinward.cases.queries import parked
from kinward.experience.queries import waiting
from kinward.guidelines.queries import waiting as editions_waiting
from kinward.redress.queries import waiting as appeals_waiting


def console(request: HttpRequest) -> dict[str, object]:
    """Which pages this person works on, and how much waits on them."""
    staff = getattr(request, "user", None)
    if not isinstance(staff, Staff):
        return {}
    found: dict[str, object] = {"reader": f"{staff.username} {timezone.now():%Y-%m-%d %H:%M} UTC"}
    found |= {"sees_queue": staff.may(REVIEW) or staff.may(AUDIT)}
    found["opens_files"] = staff.may(REVIEW)
    found["sees_banks"] = staff.may(BANKS)
    if staff.may(SENIOR) or staff.may(AUDIT):
        found["unread_count"] = unread().count()
    if found["sees_queue"]:
        found["appeal_count"] = appeals_waiting().count()
    found["sees_custody"] = staff.may(CUSTODY) or staff.may(AUDIT)
    if staff.may(OPERATE):
        found["parked_count"] = sum(parked().values())
    if staff.may(POLICY) or staff.may(AUDIT):
        found["proposal_count"] = waiting()
        found["edition_count"] = editions_waiting()
    return found
