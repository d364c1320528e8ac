"""Comments on a case, for colleagues."""

from django.db import transaction

from kinward.access import Permission
from kinward.access.api import Staff
from kinward.casebook.api import MAX_NOTE, Case
from kinward.ground.errors import Invalid
from kinward.ledger.api import kinds, record
from kinward.review.models import Comment


@transaction.atomic
def add_comment(*, case: Case, staff: Staff, text: str) -> Comment:
    """Add a comment to a case. Only colleagues read it."""
    staff.must(Permission.WORK_ON_CASES)
    if not text.strip() or len(text) > MAX_NOTE:
        raise Invalid(f"A comment has 1 to {MAX_NOTE} characters.")
    comment = Comment.objects.create(case=case, staff=staff, text=text.strip())
    record(actor=staff.actor, subject=str(case), fact=kinds.CaseCommented(comment=comment.pk))
    return comment
