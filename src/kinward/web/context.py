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
    """Which pages this person works on, and how much waits on them.

    A count is None where the person does not work on the page.
    """
    staff = getattr(request, "user", None)
    if not isinstance(staff, Staff):
        return {"reader": ""}
    audits = staff.may(Permission.READ_LEDGER)
    reads_cases = staff.may(Permission.WORK_ON_CASES) or audits
    reads_policy = staff.may(Permission.CHANGE_POLICY) or audits
    reads_verdicts = staff.may(Permission.READ_VERDICTS) or audits
    return {
        "reader": f"{staff.username} {timezone.now():%Y-%m-%d %H:%M} UTC",
        "sees_queue": reads_cases,
        "opens_files": staff.may(Permission.OPEN_EVIDENCE),
        "sees_banks": staff.may(Permission.SEE_BANKS),
        "sees_custody": staff.may(Permission.RELEASE_RECORDS) or audits,
        "unread_count": unread().count() if reads_verdicts else None,
        "appeal_count": appeals_waiting().count() if reads_cases else None,
        "parked_count": sum(parked().values()) if staff.may(Permission.REPLAY) else None,
        "proposal_count": waiting() if reads_policy else None,
        "edition_count": editions_waiting() if reads_policy else None,
    }
