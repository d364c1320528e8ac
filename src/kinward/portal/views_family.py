"""The family page, for the teen and for each guardian, with the same settings on both."""

import hashlib
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote, urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kinward.experience.api import holds, person_of
from kinward.families.api import (
    JOIN,
    MAX_REACH,
    SETTING_GROUPS,
    Notice,
    NotPaired,
    Pairing,
    add_keyword,
    ask_history,
    asks_consent,
    check_shown_power,
    choose_digest,
    choose_for_self,
    choose_setting,
    confirm_digest,
    counts_for,
    group_of_setting,
    groups_for,
    guardians_of,
    half_hours,
    has_consented,
    homes_are_apart,
    is_paused,
    is_proven,
    keywords_of,
    live_pairings,
    notice_sentence,
    open_asks,
    remove_keyword,
    rules_for,
    screen_time,
    seen_words,
    sent_hours,
    show_passcodes,
    shown_values,
    shows_power,
    view_of_ask,
)
from kinward.ground.config import config
from kinward.ground.errors import Invalid
from kinward.ground.text import is_number, whole_number
from kinward.people.api import Account
from kinward.policy import WEEK, Weekly
from kinward.portal.charts import week_chart
from kinward.portal.visitor import Visit, visited

MORE = (15, 30, 60)  # minutes, with a button each
NEWS = 8


def guarded_pairing(request: Visit, pairing_id: UUID) -> Pairing:
    """Return the pairing in which the visitor is the guardian. Raises unless it shows power now."""
    pairing = (
        live_pairings()
        .select_related("guardian", "teen")
        .filter(pk=pairing_id, guardian=request.account)
        .first()
    )
    if pairing is None:
        raise NotPaired
    check_shown_power(pairing)
    return pairing


@require_GET
@visited
def home(request: Visit) -> HttpResponse:
    """Show the teen's own page; to a guardian, or an adult, the list of their teens."""
    account = request.account
    pairings = list(live_pairings().select_related("teen", "guardian").filter(guardian=account))
    rules = rules_for(account)
    if pairings or not rules.may_be_guarded(person_of(account).age):
        context = {
            "pairings": [
                (pairing, shows_power(pairing), is_paused(pairing)) for pairing in pairings
            ],
            "open_asks": open_asks(account),
            "news": _news(account),
        }
        return render(request, "portal/guardian.html", _with_visitor(request, context))
    context = _common(account, account, None) | {
        "guardians": [
            (pairing, shows_power(pairing), is_paused(pairing), is_proven(pairing, None))
            for pairing in guardians_of(account)
        ],
        "apart": homes_are_apart(account),
        "rules": rules,
        "at_once": rules.leaves_at_once(person_of(account).age),
        "max_reach": MAX_REACH,
        "mail": False,  # only a guardian has a digest
        "more": MORE,
        "open_group": request.GET.get("group", "time"),
        "focus_ask": request.portal.start.get("page") == "ask",
    }
    return render(request, "portal/family.html", _with_visitor(request, context))


@require_GET
@visited
def teen(request: Visit, pairing_id: UUID) -> HttpResponse:
    """Show a teen's page to a guardian."""
    pairing = guarded_pairing(request, pairing_id)
    context = _common(pairing.teen, request.account, pairing) | {
        "guardians": [],  # a guardian does not see the teen's other guardians
        "mail": bool(config().mail_url),
        "unproven": not is_proven(pairing, None),
        "gives_minutes": is_proven(pairing, "session.time"),
        "asks_consent": asks_consent(pairing.teen) and not has_consented(pairing),
        "may_consent": is_proven(pairing, JOIN),
        "open_group": request.GET.get("group", "time"),
    }
    return render(request, "portal/family.html", _with_visitor(request, context))


def _common(teen: Account, reader: Account, pairing: Pairing | None) -> dict[str, Any]:
    return _now(teen, reader, pairing) | {
        "groups": groups_for(teen, reader=reader, pairing=pairing),
        "words": keywords_of(teen, reader),
        "sees": seen_words(teen),
        "times": half_hours(),
        "days": _days(),
    }


def _now(teen: Account, reader: Account, pairing: Pairing | None) -> dict[str, Any]:
    time = screen_time(teen, timezone.now(), shown_values(teen, reader))
    counts = counts_for(teen, time)
    minutes = pairing is None or "minutes" in rules_for(teen).guardian_sees
    asks = [view_of_ask(ask, reader=reader, pairing=pairing) for ask in ask_history(teen, pairing)]
    news = _news(reader)
    states = [(view.ask.pk, view.state, view.step, len(view.answers)) for view in asks]
    # The page sends its mark back, and is sent this part again only after the mark has changed.
    mark = hashlib.sha256(repr((time, counts, states, news[:1])).encode()).hexdigest()[:16]
    return {
        "teen": teen,
        "pairing": pairing,
        "time": time,
        "minutes": minutes,
        "chart": week_chart(time.week, time.allowed),
        "counts": counts,
        "asks": asks,
        "news": news,
        "mark": mark,
        "now_url": reverse("family_now")
        if pairing is None
        else reverse("teen_now", args=[pairing.pk]),
    }


def _news(account: Account) -> list[tuple[datetime, str, UUID | None]]:
    notices = Notice.objects.select_related("account").filter(account=account)
    return [(notice.at, notice_sentence(notice), notice.receipt) for notice in notices[:NEWS]]


def _days() -> list[str]:
    return [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]


def _with_visitor(request: Visit, context: dict[str, Any]) -> dict[str, Any]:
    return context | {"account": request.account, "app": config().family_url}


@require_GET
@visited
def now(request: Visit) -> HttpResponse:
    """Return the live part of the teen's page."""
    return _if_new(request, _now(request.account, request.account, None))


@require_GET
@visited
def teen_now(request: Visit, pairing_id: UUID) -> HttpResponse:
    """Return the live part of a guardian's page."""
    pairing = guarded_pairing(request, pairing_id)
    return _if_new(request, _now(pairing.teen, request.account, pairing))


def _if_new(request: Visit, context: dict[str, Any]) -> HttpResponse:
    """Render the live part, or 204 if it has not changed, so that text being typed is kept."""
    if request.GET.get("since") == context["mark"]:
        return HttpResponse(status=204)
    return render(request, "portal/now.html", _with_visitor(request, context))


def sent_value(request: HttpRequest) -> Weekly | None:
    """Return the value that a form sent: one, a week of minutes, or hours with those of some days.

    None takes a choice back. Raises `Invalid` for a week with a day missing.
    """
    sent = request.POST
    if "back" in sent:
        return None
    if "opens" in sent:
        names = [f"hours{number}" for number in range(WEEK)]
        hours = [sent.get(name, "") for name in names if name in sent]
        return sent_hours(sent.getlist("opens"), sent.getlist("closes"), hours)
    if "day0" in sent:
        days = [whole_number(sent.get(f"day{number}", "")) for number in range(WEEK)]
        if None in days:
            raise Invalid("Say how many minutes on each day.")
        return days[0] if len(set(days)) == 1 else cast("tuple[int, ...]", tuple(days))
    value = sent.get("value", "")[:80]
    return int(value) if is_number(value) else value


@require_POST
@visited
def guardian_setting(request: Visit, pairing_id: UUID, capability: str) -> HttpResponse:
    """Choose a value for a teen, as a guardian."""
    pairing = guarded_pairing(request, pairing_id)
    value = sent_value(request)
    choose_setting(
        guardian=request.account,
        teen_id=pairing.teen.platform_id,
        capability=capability,
        value=value,
    )
    shown = shown_values(pairing.teen, request.account)
    if value is None or holds(pairing.teen, capability, value, shown):
        messages.success(request, _("Saved."))
    else:
        messages.warning(request, _("Saved. For now a more protective choice applies."))
    return _redirect_to(capability, "teen", pairing_id)


@require_POST
@visited
def own_setting(request: Visit, capability: str) -> HttpResponse:
    """Set a value for oneself."""
    choose_for_self(account=request.account, capability=capability, value=sent_value(request))
    messages.success(request, _("Saved."))
    return _redirect_to(capability, "family")


@require_POST
@visited
def guardian_words(request: Visit, pairing_id: UUID) -> HttpResponse:
    """Add a word to leave out, or remove one, as a guardian."""
    pairing = guarded_pairing(request, pairing_id)
    _words(request, pairing.teen.platform_id, request.account)
    return _redirect_to("content", "teen", pairing_id)


@require_POST
@visited
def own_words(request: Visit) -> HttpResponse:
    """Add a word to leave out, or remove one's own, as a teen."""
    _words(request, request.account.platform_id, None)
    return _redirect_to("content", "family")


def _words(request: Visit, teen_id: str, guardian: Account | None) -> None:
    who: dict[str, Any] = {"teen_id": teen_id, "guardian": guardian, "account": request.account}
    removed = request.POST.get("remove", "")
    if is_number(removed, 18):
        remove_keyword(keyword_id=int(removed), **who)
    else:
        add_keyword(word=request.POST.get("word", "")[:200], **who)


@require_POST
@visited
def codes(request: Visit, pairing_id: UUID) -> HttpResponse:
    """Show today's unused pass-codes to a guardian. A POST, because each look is recorded."""
    pairing = guarded_pairing(request, pairing_id)
    passcodes = show_passcodes(guardian=request.account, teen_id=pairing.teen.platform_id)
    context = {"codes": passcodes, "pairing": pairing, "teen": pairing.teen}
    return render(request, "portal/codes.html", _with_visitor(request, context))


@require_POST
@visited
def digest(request: Visit, pairing_id: UUID) -> HttpResponse:
    """Choose where the weekly digest goes."""
    pairing = guarded_pairing(request, pairing_id)
    wish = request.POST.get("way", "app")
    if wish == "mail":
        wish = request.POST.get("address", "")[:200]
    confirms = choose_digest(guardian=request.account, teen_id=pairing.teen.platform_id, wish=wish)
    mailed = _("We sent a link to this address. The digest starts once the link is opened.")
    messages.success(request, mailed if confirms else _("Saved."))
    return redirect("teen", pairing_id)


@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirm a mail address for the digest. By a button, because mail programs follow links."""
    token = (request.POST or request.GET).get("token", "")[:2000]
    context: dict[str, Any] = {"account": None, "token": token, "done": False, "problem": ""}
    if request.method == "POST":
        try:
            confirm_digest(token)
            context["done"] = True
        except (Invalid, NotPaired) as error:
            context["problem"] = _(error.sentence)
    return render(request, "portal/confirm.html", context)


def _redirect_to(where: str, name: str, *arguments: Any) -> HttpResponse:
    """Redirect to the place of a change: a capability, or the words of a group."""
    group, anchor = (
        (where, "words")
        if where in SETTING_GROUPS
        else (group_of_setting(where), f"setting-{where}")
    )
    response = redirect(name, *arguments)
    response["Location"] += f"?{urlencode({'group': group})}#{quote(anchor)}"
    return response
