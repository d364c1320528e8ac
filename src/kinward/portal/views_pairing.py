"""Pairing, its end, disputes, and help for a teen who is not safe at home."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from kinward.experience.api import person_of
from kinward.families.api import (
    CODE_HOURS,
    Pairing,
    Side,
    TrustedAdult,
    accept_invitation,
    consent_to_account,
    create_invitation,
    end_pairing,
    name_in_notices,
    read_invitation,
    rules_for,
    seen_words,
    stay_paired,
    tidy_code,
)
from kinward.findings.api import report_pairing
from kinward.ground.config import config
from kinward.ground.errors import Invalid
from kinward.portal.views_family import guarded_pairing
from kinward.portal.visitor import Visit, visit_of, visited


@require_http_methods(["GET", "POST"])
def pair(request: HttpRequest) -> HttpResponse:
    """Start a pairing, or arrive with a scanned code."""
    if request.method == "GET" and visit_of(request) is None:
        code = tidy_code(request.GET.get("code", ""))
        if code and config().family_url:
            # Only the platform knows who is signed in. It opens a visit and sends them back here.
            joiner = "&" if "?" in config().family_url else "?"
            return redirect(f"{config().family_url}{joiner}{urlencode({'code': code})}")
    return _pair(request)


@visited
def _pair(request: Visit) -> HttpResponse:
    if request.method == "POST":
        return _show_code(request)
    if code := request.GET.get("code", ""):
        return _confirm_code(request, code)
    return render(request, "portal/pair.html", _about(request))


def _about(request: Visit) -> dict[str, Any]:
    account = request.account
    rules = rules_for(account)
    return {
        "account": account,
        "may_guard": rules.may_guard(person_of(account).age),
        "may_be_guarded": rules.may_be_guarded(person_of(account).age),
        "sees": seen_words(account),
        "rules": rules,
    }


def _show_code(request: Visit) -> HttpResponse:
    """Show a new code, as eight characters and as a QR code."""
    try:
        side = Side(request.POST.get("side", ""))
    except ValueError as error:
        raise Invalid from error
    code, _invitation = create_invitation(maker=request.account, side=side)
    where = f"{config().url}{reverse('pair')}?{urlencode({'code': code})}"
    drawn = segno.make(where, error="m").svg_inline(
        border=4, light="#fff", dark="#000", omitsize=True
    )
    context = {
        "code": f"{code[:4]} {code[4:]}",
        "picture": mark_safe(drawn),  # noqa: S308 - drawn here from our own address
        "hours": CODE_HOURS,
        "side": side,
    }
    return render(request, "portal/code.html", _about(request) | context)


@require_POST
@visited
def read(request: Visit) -> HttpResponse:
    """Read a typed code."""
    return _confirm_code(request, request.POST.get("code", ""))


def _confirm_code(request: Visit, code: str) -> HttpResponse:
    """Show the offer of a code in plain words, before anything is agreed."""
    offer = read_invitation(account=request.account, typed=code)
    teen = request.account if offer.side == Side.GUARDIAN else offer.maker
    context = {
        "account": request.account,
        "offer": offer,
        "other": name_in_notices(offer.maker),
        "code": tidy_code(code),
        "sees": seen_words(teen),
    }
    return render(request, "portal/offer.html", context)


@require_POST
@visited
def accept(request: Visit) -> HttpResponse:
    """Accept the offer of a code."""
    accepted = accept_invitation(account=request.account, typed=request.POST.get("code", ""))
    if isinstance(accepted, TrustedAdult):
        messages.success(
            request,
            _(
                "Thank you. They still have to confirm that it was you who used the code. After "
                "that we tell you when you are needed."
            ),
        )
        return redirect("family")
    messages.success(request, _("You are now paired."))
    return (
        redirect("teen", accepted.pk)
        if accepted.guardian_id == request.account.pk
        else redirect("family")
    )


@require_POST
@visited
def consent(request: Visit, pairing_id: UUID) -> HttpResponse:
    """Consent to a teen's account, as a guardian whom the law asks."""
    pairing = guarded_pairing(request, pairing_id)
    teen_id = pairing.teen.platform_id
    consent_to_account(guardian=request.account, teen_id=teen_id, consents=True)
    messages.success(request, _("Saved."))
    return redirect("teen", pairing_id)


@require_POST
@visited
def end(request: Visit, pairing_id: UUID) -> HttpResponse:
    """End a pairing."""
    pairing: Pairing = end_pairing(account=request.account, pairing_id=pairing_id)
    if pairing.ended_at:
        messages.success(request, _("The pairing has ended."))
    else:
        messages.success(request, _("The pairing will end after the notice period."))
    return redirect("family")


@require_POST
@visited
def stay(request: Visit, pairing_id: UUID) -> HttpResponse:
    """Cancel the end of a pairing, as the teen."""
    stay_paired(account=request.account, pairing_id=pairing_id)
    messages.success(request, _("The pairing continues."))
    return redirect("family")


@require_POST
@visited
def dispute(request: Visit, pairing_id: UUID) -> HttpResponse:
    """Dispute a pairing, quietly or not: a teen says, this is not my guardian."""
    way = request.POST.get("way", "")
    if way not in ("quiet", "now"):
        raise Invalid
    reach = request.POST.get("reach", "")
    report_pairing(teen=request.account, pairing_id=pairing_id, quiet=way == "quiet", reach=reach)
    quietly = _(
        "Thank you for telling us. A person will look into it. They notice nothing of it until "
        "that person has decided."
    )
    at_once = _(
        "Thank you for telling us. They can no longer see or do anything here, "
        "and a person will review it."
    )
    messages.success(request, quietly if way == "quiet" else at_once)
    return redirect("safe")
