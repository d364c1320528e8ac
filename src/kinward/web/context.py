"""What every page of the console shows around its content."""

from django.http import HttpRequest
from django.utils import timezone

from kinward.access.models import Staff
from kinward.access.permissions import Permission
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
    audits = staff.may(Permission.READ_LEDGER)
    found["sees_queue"] = staff.may(Permission.WORK_ON_CASES) or audits
    found["opens_files"] = staff.may(Permission.OPEN_EVIDENCE)
    found["sees_banks"] = staff.may(Permission.SEE_BANKS)
    if staff.may(Permission.READ_VERDICTS) or audits:
        found["unread_count"] = unread().count()
    if found["sees_queue"]:
        found["appeal_count"] = appeals_waiting().count()
    found["sees_custody"] = staff.may(Permission.RELEASE_RECORDS) or audits
    if staff.may(Permission.REPLAY):
        found["parked_count"] = sum(parked().values())
    if staff.may(Permission.CHANGE_POLICY) or audits:
        found["proposal_count"] = waiting()
        found["edition_count"] = editions_waiting()
    return found
