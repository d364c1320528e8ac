"""How a bank matches, silence by two people, a flooded hash, a large withdrawal."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from kinward.access import Permission
from kinward.findings.api import release_flood
from kinward.ground.errors import Invalid
from kinward.ground.text import whole_number
from kinward.matching.api import (
    allow_withdrawal,
    decide_silencing,
    decide_weakening,
    decide_withdrawal,
    end_silencing,
    get_bank,
    get_hash,
    leaving_of,
    request_silencing,
    request_withdrawal,
    tune_or_ask,
)
from kinward.web.guards import StaffRequest, done, posts
from kinward.web.views_banks import ASKED, bank_page, banks_page


@posts(Permission.TUNE_BANKS, page=bank_page)
def tune(request: StaffRequest, name: str) -> HttpResponse:
    """Change what a hit on a bank means, how near it must be, or how often it is asked."""
    sent = request.POST
    asked = tune_or_ask(
        bank=get_bank(name),
        role=sent.get("role", ""),
        distance=_bits(sent.get("distance", "")),
        enabled_ratio=_ratio(sent.get("enabled_ratio", "")),
        asker=request.user,
    )
    return done(request, ASKED if asked else "Bank changed.", "bank", name)


def _bits(text: str) -> int:
    bits = whole_number(text, digits=3)
    if bits is None:
        raise Invalid("Write a distance as a whole number of bits.")
    return bits


def _ratio(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise Invalid("Write a ratio like this: 0.25.") from error


@posts(Permission.SILENCE_MATCHES, page=bank_page)
def ask_silence(request: StaffRequest, name: str) -> HttpResponse:
    """Ask that the hashes of a negative bank silence matches."""
    request_silencing(bank=get_bank(name), why=request.POST.get("why", ""), staff=request.user)
    return done(request, "Silence requested. Another person must approve it.", "bank", name)


@posts(Permission.SILENCE_MATCHES, page=bank_page)
def end_silence(request: StaffRequest, name: str) -> HttpResponse:
    """End a negative bank's silence at once."""
    end_silencing(bank=get_bank(name), staff=request.user)
    return done(request, "The bank silences nothing now.", "bank", name)


@posts(Permission.SILENCE_MATCHES)
def decide_silence(request: StaffRequest, silencing_id: UUID) -> HttpResponse:
    """Approve that the hashes of a negative bank silence matches, or refuse it."""
    approve = request.POST.get("decision") == "agree"
    silencing = decide_silencing(silencing_id=silencing_id, approve=approve, staff=request.user)
    sentence = "These hashes silence matches now." if approve else "Request refused."
    return done(request, sentence, "bank", silencing.bank.name)


@posts(Permission.TUNE_BANKS)
def decide_weaker(request: StaffRequest, weakening_id: UUID) -> HttpResponse:
    """Approve that a bank of verified hashes answers less than before, or refuse it."""
    approve = request.POST.get("decision") == "agree"
    weakening = decide_weakening(weakening_id=weakening_id, approve=approve, staff=request.user)
    sentence = "The bank answers less now." if approve else "Request refused."
    return done(request, sentence, "bank", weakening.bank.name)


@posts(Permission.SETTLE_FLOODS, page=banks_page)
def release(request: StaffRequest, hash_id: int) -> HttpResponse:
    """Release a hash that the flood guard holds, because it is right."""
    release_flood(hash_id=get_hash(hash_id).pk, staff=request.user)
    return done(request, "Hash released. Its hits count again.", "banks")


@posts(Permission.SWITCH_BANKS, page=bank_page)
def allow(request: StaffRequest, name: str) -> HttpResponse:
    """Show a bank before and after a large withdrawal. Allow it, or ask, once it is confirmed."""
    bank = get_bank(name)
    hashes = whole_number(request.POST.get("hashes", ""), digits=12) or 0
    leaving = leaving_of(bank)
    if not 1 <= hashes <= leaving.live:
        raise Invalid(f"Write how many hashes may be removed, from 1 to {leaving.live:,}.")
    if request.POST.get("confirmed") != str(hashes):
        context = {
            "bank": bank,
            "hashes": hashes,
            "leaving": leaving,
            "after": leaving.live - hashes,
            "percent": round(100 * hashes / leaving.live, 1),
        }
        return render(request, "web/bank_withdrawal.html", context)
    if request_withdrawal(bank=bank, hashes=hashes, asker=request.user):
        return done(request, ASKED, "bank", name)
    allow_withdrawal(bank=bank, hashes=hashes, actor=request.user.actor)
    return done(request, "Withdrawal allowed for 24 hours.", "bank", name)


@posts(Permission.SWITCH_BANKS)
def decide_leaving(request: StaffRequest, withdrawal_id: UUID) -> HttpResponse:
    """Allow a large withdrawal that a colleague asked for, or refuse it."""
    approve = request.POST.get("decision") == "agree"
    withdrawal = decide_withdrawal(withdrawal_id=withdrawal_id, approve=approve, staff=request.user)
    sentence = "Withdrawal allowed for 24 hours." if approve else "Request refused."
    return done(request, sentence, "bank", withdrawal.bank.name)
