"""The context that every page of the console shares: navigation, and counts of waiting work."""

from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from kinward.access import TAKES_TWO, Permission
from kinward.access.api import Staff, open_resets, unreviewed_glasses, waiting_appointments
from kinward.experience.api import waiting_proposals
from kinward.ground.names import isolated
from kinward.guidelines.api import waiting_editions
from kinward.ledger.api import is_late
from kinward.redress.api import waiting_appeals
from kinward.review.api import alerts_for, parked_counts, unread_verdicts
from kinward.web.provider import is_offered

ALARMS: Final = 5  # on every page; *Quality* shows all


def console(request: HttpRequest) -> dict[str, object]:
    """Return the pages that this person may open, and how much work waits on each.

    A count is None if the person may not open its page.
    """
    staff = getattr(request, "user", None)
    if not isinstance(staff, Staff):
        return {"reader": "", "broken_glasses": [], "ledger_late": "", "sso_offered": is_offered()}
    audits = staff.may(Permission.READ_LEDGER)
    reads_cases = staff.may(Permission.WORK_ON_CASES) or audits
    reads_policy = staff.may(Permission.CHANGE_POLICY) or audits
    reads_verdicts = staff.may(Permission.READ_VERDICTS) or audits
    agrees = bool(staff.actor.permissions & TAKES_TWO)
    newcomers = waiting_appointments().count() if agrees or audits else 0
    return {
        "reader": f"{isolated(staff.username)} {timezone.now():%Y-%m-%d %H:%M} UTC",
        "sees_queue": reads_cases,
        "opens_files": staff.may(Permission.OPEN_EVIDENCE),
        "sees_banks": staff.may(Permission.SEE_BANKS),
        "sees_custody": staff.may(Permission.RELEASE_RECORDS) or audits,
        "sees_staff": staff.may(Permission.END_STAFF) or audits or newcomers > 0,
        "newcomer_count": newcomers,
        "own_reset": open_resets().filter(staff=staff).first(),
        "unread_count": (
            unread_verdicts().count() + alerts_for(staff).count() if reads_verdicts else None
        ),
        "appeal_count": waiting_appeals().count() if reads_cases else None,
        "parked_count": sum(parked_counts().values()) if staff.may(Permission.REPLAY) else None,
        "proposal_count": waiting_proposals() if reads_policy else None,
        "broken_glasses": unreviewed_glasses()[:ALARMS],
        "ledger_late": is_late(),
        "reviews_glass": staff.may(Permission.REVIEW_GLASS),
        "edition_count": waiting_editions() if reads_policy else None,
    }
