"""Banks and partners: what is in them and where from, and a search that shows no picture."""

from typing import Final

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.exchanges.api import Exchange, exchange_health, mark_false_positive, overdue_exchanges
from kinward.findings.api import file_matches
from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.text import whole_number
from kinward.ledger.api import record
from kinward.matching.api import (
    CARRIED,
    KINDS,
    BankedHash,
    Match,
    additions_of,
    disable_bank,
    get_bank,
    get_hash,
    kind_named,
    kind_of,
    kinds_of,
    list_banks,
    list_hashes,
    look_up,
)
from kinward.media import digest_bytes
from kinward.web.guards import StaffRequest, done, needs, posts

PAGE: Final = 50
SHOWN: Final = 200
OFFERED: Final = [*(kind.name for kind in KINDS), *CARRIED.values()]


@require_GET
@needs(Permission.SEE_BANKS)
def banks(request: StaffRequest) -> HttpResponse:
    """All banks, how the partners are, and the search."""
    context = {
        "banks": list_banks(),
        "exchanges": exchange_health(),
        "overdue": {each.pk for each in overdue_exchanges()},
        "kinds": OFFERED,
    }
    return render(request, "web/banks.html", context)


@require_GET
@needs(Permission.SEE_BANKS)
def bank(request: StaffRequest, name: str) -> HttpResponse:
    """One bank: its additions, and its hashes page by page."""
    row = get_bank(name)
    kind, after = request.GET.get("kind", ""), request.GET.get("after", "0")
    shown = list_hashes(row, kind, whole_number(after, digits=18) or 0, PAGE + 1)
    context = {
        "bank": row,
        "exchange": Exchange.objects.filter(bank=row).first(),
        "counts": kinds_of(row),
        "additions": additions_of(row)[:PAGE],
        "hashes": [(each, _short(each)) for each in shown[:PAGE]],
        "kind": kind,
        "next": shown[PAGE - 1].pk if len(shown) > PAGE else None,
    }
    return render(request, "web/bank.html", context)


def _short(row: BankedHash) -> str:
    text = kind_of(row.kind).write(bytes(row.value))
    return text if len(text) <= 80 else f"{text[:79]}…"


def _problem_page(request: StaffRequest, *, problem: KinwardError) -> HttpResponse:
    context = {"kinds": OFFERED, "problem": problem}
    return render(request, "web/found.html", context, status=problem.status)


@posts(Permission.SEE_BANKS, page=_problem_page)
def search(request: StaffRequest) -> HttpResponse:
    """What a file or a value hits. The file is hashed and forgotten; no picture is shown."""
    what, matches = _search(request)
    with transaction.atomic():
        record(
            actor=request.user.actor,
            kind="bank.searched",
            subject=f"value:{what}"[:200],
            found=len(matches),
        )
    shown = matches[:SHOWN]
    rows = BankedHash.objects.select_related("addition").prefetch_related("opinions")
    by_id = rows.in_bulk([match.hash for match in shown])
    context = {
        "kinds": OFFERED,
        "problem": None,
        "what": what,
        "count": len(matches),
        "found": [(match, by_id[match.hash]) for match in shown],
    }
    return render(request, "web/found.html", context)


def _search(request: StaffRequest) -> tuple[str, list[Match]]:
    file = request.FILES.get("file")
    if isinstance(file, UploadedFile):
        data = file.read()
        return f"sha256:{digest_bytes(data).sha256}", file_matches(data)
    text = request.POST.get("value", "").strip()
    if not text:
        raise Invalid("Choose a file of at most 2.5 MB, or give a value.")
    try:
        kind = kind_named(request.POST.get("kind", ""))
        value = kind.parse(text)
    except ValueError as error:
        raise Invalid(f"{error}.") from error
    return f"{kind.name}:{kind.write(value)}", look_up([(kind.name, value)])


@posts(Permission.SWITCH_BANKS)
def switch(request: StaffRequest, name: str) -> HttpResponse:
    """Let a bank match nothing, or match again."""
    disabled = request.POST.get("disabled") == "yes"
    disable_bank(bank=get_bank(name), disabled=disabled, actor=request.user.actor)
    sentence = "This bank matches nothing now." if disabled else "This bank matches again."
    return done(request, sentence, "bank", name)


@posts(Permission.MARK_HASHES)
def mark(request: StaffRequest, hash_id: int) -> HttpResponse:
    """Say that a hash hits what is harmless, or that it was right after all."""
    row = get_hash(hash_id)
    wrong = request.POST.get("wrong") == "yes"
    mark_false_positive(row=row, wrong=wrong, actor=request.user.actor)
    sentence = "It matches nothing now." if wrong else "It matches again."
    return done(request, sentence, "bank", row.bank.name)
