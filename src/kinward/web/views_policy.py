"""The policy: the pack in force, proposed changes and whom they affect, and the decision."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET, require_http_methods

from kinward.access import Permission
from kinward.experience.api import (
    PackVersion,
    Proposal,
    RuleChange,
    activation_history,
    can_revert,
    changed_expectations,
    current_pack,
    current_shadow,
    decide_proposal,
    free_version,
    get_pack_version,
    get_proposal,
    list_proposals,
    newer_edition,
    pack_versions,
    propose_pack,
    raw_rule,
    revert_pack,
    start_shadow,
    stop_shadow,
    store_pack,
    today,
    with_change,
)
from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.text import is_number, whole_number
from kinward.ledger.api import entries_about
from kinward.policy import (
    MOVERS,
    Capability,
    Pack,
    decode_pack,
    diff_over_time,
    read_files,
    shipped_packs,
)
from kinward.policy.api import Change, Simulation, svg
from kinward.web.forms import RuleSent, fill
from kinward.web.guards import StaffRequest, done, needs, posts

SHOWN = 40
EVERYWHERE = "the platform"
ANYWHERE = "the platform and every law"


@require_GET
@needs(Permission.CHANGE_POLICY, Permission.READ_LEDGER)
def policy(request: StaffRequest) -> HttpResponse:
    """Show the pack in force and its rules, the proposals, the activations, and shadow mode."""
    now = current_pack()
    pack = decode_pack(now.pack.files)
    wanted = request.GET.get("capability", "")
    where = request.GET.get("where", EVERYWHERE)
    shadow = current_shadow()
    context = {
        "now": now,
        "pack": pack,
        "rules": _rules(pack, wanted, where),
        "where": where,
        "places": [EVERYWHERE, ANYWHERE, *pack.places],
        "capabilities": sorted(pack.capabilities),
        "wanted": wanted,
        "history": activation_history()[:20],
        "can_revert": can_revert(),
        "proposals": list_proposals()[:20],
        "shadow": shadow,
        "differences": shadow.differences.all()[:SHOWN] if shadow else [],
        "packs": _choices(now.pack),
        "newer": newer_edition(now.pack),
        "may_change": request.user.may(Permission.CHANGE_POLICY),
    }
    return render(request, "web/policy.html", context)


def _rules(pack: Pack, capability: str, where: str) -> list[dict[str, Any]]:
    """Return a row for each rule of a file, with all the capabilities of the rule."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    place = "" if where == EVERYWHERE else where
    for rule in pack.rules:
        if capability and rule.capability != capability:
            continue
        if where != ANYWHERE and rule.place != place:
            continue
        kind = pack.capabilities[rule.capability].kind
        row = rows.setdefault(
            (rule.file, rule.id),
            {"rule": rule, "capabilities": [], "places": set(), "default": set()},
        )
        if rule.capability not in row["capabilities"]:
            row["capabilities"].append(rule.capability)
        row["places"].add(rule.place)
        row["default"].add(str(kind.value(rule.default)))
    return list(rows.values())


def _choices(now: PackVersion) -> list[str]:
    stored = [str(version) for version in pack_versions() if version.pk != now.pk]
    return [*shipped_packs(), *stored]


@require_http_methods(["GET", "POST"])
@needs(Permission.CHANGE_POLICY)
def rule(request: StaffRequest, rule_id: str) -> HttpResponse:
    """Show the form for one rule, or propose the change that was sent."""
    show = _change_rule if request.method == "POST" else _rule_page
    return show(request, rule_id=rule_id)


def _rule_page(
    request: StaffRequest, *, rule_id: str, problem: KinwardError | None = None
) -> HttpResponse:
    file, raw = raw_rule(current_pack().pack.files, rule_id)
    context = {
        "id": rule_id,
        "file": file,
        "age": raw.get("age"),
        "source": raw.get("source", ""),
        "may": raw.get("may", []),
        "capabilities": _named(raw),
        "sent": _rule_sent(request, raw, again=problem is not None),
        "words": _words(raw, decode_pack(current_pack().pack.files).capabilities),
        "problem": problem,
    }
    return render(request, "web/rule.html", context, status=problem.status if problem else 200)


def _rule_sent(request: StaffRequest, raw: dict[str, Any], *, again: bool) -> dict[str, Any]:
    """Return the values of the form: those of the rule, or those that were just sent."""
    if again:
        sent = {name: request.POST.get(name, "") for name in ("default", "floor", "cap", "why")}
        return sent | {"share": request.POST.get("share") or 100}
    floor, cap = raw.get("bounds", ["", ""])
    return {"default": raw.get("default", ""), "floor": floor, "cap": cap, "why": "", "share": 100}


@posts(Permission.CHANGE_POLICY, page=_rule_page)
def _change_rule(request: StaffRequest, rule_id: str) -> HttpResponse:
    """Propose the pack in force with one rule changed."""
    sent = fill(RuleSent, request.POST)
    base = current_pack().pack
    bounds = [_value(sent.floor), _value(sent.cap)]
    filled = [bound for bound in bounds if bound != ""]
    if len(filled) == 1:
        raise Invalid("Enter both bounds, or neither.")
    _, raw = raw_rule(base.files, rule_id)
    may = [mover for mover in sent.may if mover in MOVERS]
    change = RuleChange(
        rule=rule_id,
        default=_value(sent.default),
        bounds=bounds if filled else None,
        may=may if set(may) != set(raw.get("may", [])) else None,
    )
    version = free_version(decode_pack(base.files))
    return _propose(request, with_change(base.files, change, version=version))


def _propose(request: StaffRequest, files: dict[str, str]) -> HttpResponse:
    proposal = propose_pack(
        files=files,
        why=request.POST.get("why", ""),
        share=whole_number(request.POST.get("share", "100")) or 0,
        staff=request.user,
    )
    return done(
        request, "Change proposed. Another person must approve it.", "proposal", proposal.id
    )


def _value(text: str) -> str | int:
    """Convert typed text to a value of a pack: minutes become a number, all else stays text."""
    text = text.strip()
    return int(text) if is_number(text) else text


def _named(raw: dict[str, Any]) -> list[str]:
    names = raw.get("capability", [])
    return names if isinstance(names, list) else [names]


def _words(raw: dict[str, Any], capabilities: Mapping[str, Capability]) -> list[str]:
    """Return the words that the form suggests as a rule's value."""
    kinds = {capabilities[name].kind for name in _named(raw) if name in capabilities}
    if len(kinds) != 1:
        return ["most protective", "unrestricted"]
    (kind,) = kinds
    return list(kind.words) or (["unlimited"] if kind.name == "minutes" else ["always", "never"])


@posts(Permission.CHANGE_POLICY)
def propose(request: StaffRequest) -> HttpResponse:
    """Propose a whole pack: a shipped one or a stored version."""
    name = request.POST.get("pack", "")
    files = read_files(name) if name in shipped_packs() else get_pack_version(name).files
    return _propose(request, dict(files))


@require_GET
@needs(Permission.CHANGE_POLICY, Permission.READ_LEDGER)
def proposal(request: StaffRequest, proposal_id: UUID) -> HttpResponse:
    """Show one proposal: the difference in words, the affected accounts, and the decision."""
    shown = get_proposal(proposal_id)
    before, after = decode_pack(shown.base.files), decode_pack(shown.pack.files)
    differences = diff_over_time(before, after, today())
    context = {
        **_touched(shown),
        "differences": differences[:SHOWN],
        "more_differences": max(0, len(differences) - SHOWN),
        "expectations": changed_expectations(shown.base.files, shown.pack.files),
        "may_decide": request.user.may(Permission.CHANGE_POLICY) and shown.state == "asked",
        "mine": shown.asked_by_id == request.user.pk,
        "timeline": entries_about(str(shown), f"pack:{shown.pack}"),
    }
    return render(request, "web/proposal.html", context)


@require_GET
@needs(Permission.CHANGE_POLICY, Permission.READ_LEDGER)
def touched(request: StaffRequest, proposal_id: UUID) -> HttpResponse:
    """Render the progress or the result of the count. The page polls this."""
    return render(request, "web/touched.html", _touched(get_proposal(proposal_id)))


def _touched(proposal: Proposal) -> dict[str, Any]:
    if proposal.simulation is None:
        return {"proposal": proposal, "simulation": None}
    kept = {key: proposal.simulation[key] for key in ("before", "after", "accounts", "touched")}
    changes = [Change(**change) for change in proposal.simulation["changes"]]
    simulation = Simulation(**kept, changes=changes)
    return {
        "proposal": proposal,
        "simulation": simulation,
        "changes": changes[:SHOWN],
        "more_changes": len(changes) - len(changes[:SHOWN]) + proposal.simulation["left_out"],
        "picture": _safe(svg(simulation)),
    }


def _safe(picture: str) -> SafeString:
    # `svg` in kinward.policy.picture escapes every text that it draws.
    return mark_safe(picture)  # noqa: S308


@posts(Permission.CHANGE_POLICY)
def decide(request: StaffRequest, proposal_id: UUID) -> HttpResponse:
    """Approve or reject a proposal. The proposer withdraws it by rejecting it."""
    approve = request.POST.get("decision") == "approve"
    proposal = decide_proposal(proposal_id=proposal_id, approve=approve, staff=request.user)
    if approve:
        return done(request, f"{proposal.pack} is in force.", "policy")
    return done(request, "The proposal was rejected.", "proposal", proposal_id)


@posts(Permission.CHANGE_POLICY)
def revert(request: StaffRequest) -> HttpResponse:
    """Revert the newest activation."""
    now = revert_pack(actor=request.user.actor)
    return done(request, f"Activation reverted. {now.pack} is in force again.", "policy")


@posts(Permission.CHANGE_POLICY)
def shadow(request: StaffRequest) -> HttpResponse:
    """Start shadow mode with a pack. An empty name stops it."""
    name = request.POST.get("pack", "")
    if not name:
        stop_shadow(actor=request.user.actor)
        return done(request, "Shadow mode has stopped.", "policy")
    files = read_files(name) if name in shipped_packs() else get_pack_version(name).files
    version = store_pack(files=files, actor=request.user.actor)
    start_shadow(pack=version, actor=request.user.actor)
    return done(request, f"{version} now runs in shadow mode.", "policy")
