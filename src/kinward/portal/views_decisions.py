"""Decisions about the visitor's account, and appeals against them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kinward.families.api import Notice
from kinward.ground.errors import NotFound
from kinward.guidelines.api import guidelines_in_force
from kinward.ledger.api import NotSignedYet, receipt_of
from kinward.portal.visitor import Visit, visited
from kinward.redress.api import (
    MAX_APPEAL,
    Statement,
    file_appeal,
    state_words,
    statement_sentences,
    told_to,
)

SHOWN = 50


@require_GET
@visited
def decisions(request: Visit) -> HttpResponse:
    """Show the statements that the visitor was told, newest first, with a form to appeal."""
    context = {
        "account": request.account,
        "decisions": [_decision(statement) for statement in told_to(request.account)[:SHOWN]],
        "longest": MAX_APPEAL,
    }
    return render(request, "portal/decisions.html", context)


def _decision(statement: Statement) -> dict[str, object]:
    appeal = getattr(statement, "appeal", None)
    until = statement.appeal_until
    open_ = until is not None and until > timezone.now() and statement.reversed_at is None
    return {
        "statement": statement,
        "sentences": statement_sentences(statement),
        "appeal": appeal,
        "state": state_words(appeal.state) if appeal else "",
        "may_appeal": open_ and appeal is None,
    }


@require_GET
@visited
def receipt(request: Visit, key: UUID) -> HttpResponse:
    """Give the receipt of what the visitor was told as a file. The log signs it within seconds."""
    own = Notice.objects.filter(account=request.account, receipt=key)
    if not own.exists() and not told_to(request.account).filter(pk=key).exists():
        raise NotFound("You were told nothing that has this receipt.")
    try:
        data = receipt_of(key).to_bytes()
    except NotSignedYet:
        messages.info(request, _("The receipt is ready in a few seconds. Try again then."))
        return redirect("family")
    answer = HttpResponse(data, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{key}.tlog-proof"'
    return answer


@require_POST
@visited
def appeal(request: Visit, statement_id: UUID) -> HttpResponse:
    """File an appeal."""
    file_appeal(
        account=request.account,
        statement_id=statement_id,
        text=request.POST.get("text", ""),
        days=guidelines_in_force().appeal_answer_days,
        actor=request.account.actor,
    )
    messages.success(request, _("We have received your appeal. Another person will review it."))
    return redirect("decisions")
