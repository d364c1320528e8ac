"""Asks and proposals: making, answering and withdrawing them."""

from datetime import timedelta
from typing import Final, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kinward.families.api import (
    Ask,
    AskAnswer,
    answer_ask,
    answer_proposal,
    ask_guardians,
    end_of_day,
    guardians_of,
    live_pairings,
    propose_setting,
    withdraw_ask,
)
from kinward.ground.errors import NotFound
from kinward.ground.text import is_number
from kinward.portal.views_family import guarded_pairing, sent_value
from kinward.portal.visitor import Visit, visited

GRANT_LENGTHS: Final = {"day": None, "week": timedelta(days=7), "month": timedelta(days=30)}


@require_POST
@visited
def ask(request: Visit) -> HttpResponse:
    """Ask the guardians for minutes or for a value, as a teen."""
    sent = request.POST
    minutes = sent.get("minutes", "")
    ask_guardians(
        teen=request.account,
        capability=sent.get("capability", "session.time"),
        reason=sent.get("reason", ""),
        minutes=int(minutes) if is_number(minutes) else None,
        value=None if is_number(minutes) else sent_value(request),
        readers=_sent_readers(request),
        to=_sent_home(request),
    )
    messages.success(request, _("We have asked your guardians."))
    return redirect("family")


def _sent_readers(request: Visit) -> list[UUID] | None:
    """Return the pairings whose guardians may read the reason, or None if the form does not ask."""
    reader = request.POST.get("reader")
    if reader is None:
        return None
    pairings = [pairing.pk for pairing in guardians_of(request.account)]
    return [pk for pk in pairings if reader in ("all", str(pk))]


def _sent_home(request: Visit) -> UUID | None:
    """Return the pairing whose guardian is asked, or None if the form does not ask."""
    home = request.POST.get("to")
    pairings = [pairing.pk for pairing in guardians_of(request.account)]
    return next((pk for pk in pairings if home == str(pk)), None)


@require_POST
@visited
def propose(request: Visit, pairing_id: UUID) -> HttpResponse:
    """Propose a value, as a guardian."""
    pairing = guarded_pairing(request, pairing_id)
    value = sent_value(request)
    propose_setting(
        guardian=request.account,
        teen_id=pairing.teen.platform_id,
        capability=request.POST.get("capability", ""),
        reason=request.POST.get("reason", ""),
        value="" if value is None else value,
    )
    messages.success(request, _("Your suggestion has been sent."))
    return redirect("teen", pairing_id)


@require_POST
@visited
def answer(request: Visit, ask_id: UUID) -> HttpResponse:
    """Answer an ask as a guardian, or a proposal as the teen."""
    ask = Ask.objects.filter(pk=ask_id).first()
    if ask is None:
        raise NotFound
    said = cast("AskAnswer", request.POST.get("said", ""))
    note = request.POST.get("note", "")
    if ask.teen_id == request.account.pk:
        answer_proposal(teen=request.account, ask_id=ask_id, said=said, note=note)
        return redirect("family")
    length = request.POST.get("for", "")
    now = timezone.now()
    until = (
        now + (GRANT_LENGTHS[length] or end_of_day(ask.teen, now) - now)
        if length in GRANT_LENGTHS
        else None
    )
    if ask.minutes is not None:
        until = None
    answer_ask(guardian=request.account, ask_id=ask_id, said=said, note=note, until=until)
    pairing = live_pairings().filter(guardian=request.account, teen=ask.teen_id).first()
    messages.success(request, _("Your answer has been sent."))
    if pairing is None or request.POST.get("back") == "home":
        return redirect("family")
    return redirect("teen", pairing.pk)


@require_POST
@visited
def withdraw(request: Visit, ask_id: UUID) -> HttpResponse:
    """Withdraw one's own ask or proposal."""
    withdraw_ask(account=request.account, ask_id=ask_id)
    messages.success(request, _("Withdrawn."))
    return redirect("family")
