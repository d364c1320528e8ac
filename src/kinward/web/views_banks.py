"""Banks and partners: contents and provenance, and a search that never shows a picture."""

from typing import Final

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.exchanges.api import Exchange, exchange_health, mark_false_positive, overdue_exchanges
from kinward.findings.api import FileSearch, search_file
from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.text import whole_number
from kinward.ledger.api import kinds, record
from kinward.matching.api import (
    CARRIED,
    KINDS,
    BankedHash,
    KindUnmatched,
    Role,
    additions_of,
    banks_not_asked,
    count_quiet,
    disable_bank,
    disable_or_ask,
    get_bank,
    get_hash,
    kind_of,
    kinds_of,
    leaving_of,
    list_banks,
    list_hashes,
    markings_of,
    open_floods,
    open_markings,
    quiet_hits,
    search_value,
    silence_of,
    silenced_hits,
    weakenings_of,
    withdrawal_request_of,
)
from kinward.media import digest_bytes
from kinward.web.guards import StaffRequest, done, needs, posts

PAGE: Final = 50
SHOWN: Final = 200
OFFERED: Final = [*(kind.name for kind in KINDS), *CARRIED.values()]
# What is said to somebody who asked for what takes two people.
MARK_ASKED: Final = (
    "The hash is verified, so this is requested. Until another person agrees, the hash matches,"
    " and its findings wait for a person."
)
ASKED: Final = "The bank would match less, so this is requested. Another person must approve it."
# What a hit on a bank means, by the bank's role.
ROLES: Final = {
    Role.LIVE: "live: a hit is a match",
    Role.SHADOW: "shadow: a hit is only recorded here",
    Role.NEGATIVE: "negative: what looks like this is no match",
}


@require_GET
@needs(Permission.SEE_BANKS)
def banks(request: StaffRequest) -> HttpResponse:
    """Show all banks, the health of the partners, the floods, and the search."""
    return banks_page(request)


def banks_page(
    request: StaffRequest, *, problem: KinwardError | None = None, **_ids: int
) -> HttpResponse:
    """Show all banks, with the problem of a form on their page if there is one."""
    context = {
        "problem": problem,
        "floods": open_floods()[:SHOWN],
        "markings": open_markings()[:SHOWN],
        "settles_floods": request.user.may(Permission.SETTLE_FLOODS),
        "marks": request.user.may(Permission.MARK_HASHES),
        "banks": list_banks(),
        "exchanges": exchange_health(),
        "overdue": {exchange.pk for exchange in overdue_exchanges()},
        "kinds": OFFERED,
    }
    status = problem.status if problem else 200
    return render(request, "web/banks.html", context, status=status)


@require_GET
@needs(Permission.SEE_BANKS)
def bank(request: StaffRequest, name: str) -> HttpResponse:
    """Show one bank: how it matches, its additions, and one page of its hashes."""
    return bank_page(request, name)


def bank_page(
    request: StaffRequest, name: str, *, problem: KinwardError | None = None
) -> HttpResponse:
    """Show one bank, with the problem of a form on its page if there is one."""
    row = get_bank(name)
    kind, after = request.GET.get("kind", ""), request.GET.get("after", "0")
    hashes = list_hashes(row, kind, whole_number(after, digits=18) or 0, PAGE + 1)
    asked = markings_of(hashes[:PAGE])
    context = {
        "bank": row,
        "problem": problem,
        "roles": ROLES,
        "switches": request.user.may(Permission.SWITCH_BANKS),
        "marks": request.user.may(Permission.MARK_HASHES),
        "tunes": request.user.may(Permission.TUNE_BANKS),
        "silences": request.user.may(Permission.SILENCE_MATCHES),
        "silence": silence_of(row) if row.role == Role.NEGATIVE else None,
        "weakenings": weakenings_of(row),
        "quiet": count_quiet(row),
        "quiet_hits": quiet_hits(row)[:PAGE],
        "silenced": silenced_hits(row),
        "exchange": Exchange.objects.filter(bank=row).first(),
        "leaving": leaving_of(row),
        "leaving_asked": withdrawal_request_of(row),
        "counts": kinds_of(row),
        "additions": additions_of(row)[:PAGE],
        "hashes": [(banked, _short(banked), asked.get(banked.pk)) for banked in hashes[:PAGE]],
        "kind": kind,
        "next": hashes[PAGE - 1].pk if len(hashes) > PAGE else None,
    }
    status = problem.status if problem else 200
    return render(request, "web/bank.html", context, status=status)


def _short(row: BankedHash) -> str:
    text = kind_of(row.kind).write(bytes(row.value))
    return text if len(text) <= 80 else f"{text[:79]}…"


def _problem_page(request: StaffRequest, *, problem: KinwardError) -> HttpResponse:
    context = {"kinds": OFFERED, "problem": problem, "quiet": [], "not_asked": []}
    return render(request, "web/bank_search.html", context, status=problem.status)


@posts(Permission.SEE_BANKS, page=_problem_page)
def search(request: StaffRequest) -> HttpResponse:
    """Show the banked hashes that match a file or a value. Keeps no file and shows no picture."""
    what, found = _search(request)
    met, matches = found.met, found.met.matches
    with transaction.atomic():
        record(
            actor=request.user.actor,
            subject=f"value:{what}"[:200],
            fact=kinds.BankSearched(found=len(matches)),
        )
    shown = matches[:SHOWN]
    rows = BankedHash.objects.select_related("addition").prefetch_related("opinions")
    by_id = rows.in_bulk([match.hash for match in shown])
    context = {
        "kinds": OFFERED,
        "problem": None,
        "marks": request.user.may(Permission.MARK_HASHES),
        "what": what,
        "count": len(matches),
        "checked": found.checked,
        "missed": found.missed,
        "hits": [(match, by_id[match.hash]) for match in shown],
        "quiet": met.quiet[:SHOWN],
        "not_asked": banks_not_asked(found.values),
    }
    return render(request, "web/bank_search.html", context)


def _search(request: StaffRequest) -> tuple[str, FileSearch]:
    """Return what is looked up, as a hash, and what was found."""
    file = request.FILES.get("file")
    if isinstance(file, UploadedFile):
        data = file.read()
        return f"sha256:{digest_bytes(data).sha256}", search_file(data, staff=request.user.username)
    text = request.POST.get("value", "").strip()
    if not text:
        raise Invalid("Choose a file of at most 2.5 MB, or enter a value.")
    try:
        kind, value, met = search_value(request.POST.get("kind", ""), text)
    except ValueError as error:
        raise Invalid(f"{error}.") from error
    checked: list[str] = [kind.name] if kind.matched else []
    missed: list[KinwardError] = [] if kind.matched else [KindUnmatched()]
    found = FileSearch([(kind.name, value)], met, checked, missed)
    return f"{kind.name}:{kind.write(value)}", found


@posts(Permission.SWITCH_BANKS, page=bank_page)
def switch(request: StaffRequest, name: str) -> HttpResponse:
    """Disable or enable a bank."""
    disabled = request.POST.get("disabled") == "yes"
    if not disabled:
        disable_bank(bank=get_bank(name), disabled=False, actor=request.user.actor)
        return done(request, "Bank enabled. It matches again.", "bank", name)
    asked = disable_or_ask(bank=get_bank(name), asker=request.user)
    return done(request, ASKED if asked else "Bank disabled. It matches nothing.", "bank", name)


@posts(Permission.MARK_HASHES)
def mark(request: StaffRequest, hash_id: int) -> HttpResponse:
    """Mark a hash as a false positive, or undo that."""
    row = get_hash(hash_id)
    wrong = request.POST.get("wrong") == "yes"
    asked = mark_false_positive(row=row, wrong=wrong, asker=request.user)
    if asked:
        sentence = MARK_ASKED
    elif wrong:
        sentence = "Hash marked as a false positive."
    elif row.false_positive:
        sentence = "False positive undone. The hash matches again."
    else:
        sentence = "Not a false positive. The hash matches as before."
    return done(request, sentence, "bank", row.bank.name)
