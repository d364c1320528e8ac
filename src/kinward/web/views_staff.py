"""Staff: who works here, who joins, and how their work changes, pauses or ends."""

from collections.abc import Callable
from typing import Final, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from kinward.access import ROLES, TAKES_TWO, Permission, in_words
from kinward.access.api import (
    Staff,
    appointments_for,
    decide_appointment,
    decide_factor_reset,
    end_staff,
    give_role,
    invite_staff,
    link_of,
    mail_invitation,
    open_invitations,
    open_resets,
    refuse_own_reset,
    request_factor_reset,
    resume_staff,
    sign_out_everywhere,
    suspend_staff,
    take_role,
    waiting_appointments,
    withdraw_invitation,
)
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.web.guards import StaffRequest, done, needs, posts

# Each verb by its button, and the sentence that follows it.
VERBS: Final[dict[str, tuple[Callable[..., None], str]]] = {
    "suspend": (suspend_staff, "{} is suspended and signed out everywhere."),
    "end": (end_staff, "{} has left the staff and is signed out everywhere."),
    "sign-out": (sign_out_everywhere, "{} is signed out everywhere."),
}
CONFIRMERS: Final = tuple(sorted(TAKES_TWO))


@require_GET
@needs(Permission.END_STAFF, Permission.READ_LEDGER, *CONFIRMERS)
def staff(request: StaffRequest) -> HttpResponse:
    """Show everybody who works here or has worked here, and who waits to begin."""
    return _page(request)


def _page(
    request: StaffRequest,
    *,
    problem: KinwardError | None = None,
    link: str = "",
    **_ids: UUID | int,
) -> HttpResponse:
    sees_all = request.user.may(Permission.END_STAFF) or request.user.may(Permission.READ_LEDGER)
    everybody = Staff.objects.order_by("-is_active", "-ended_at", "username")
    mine = {row.pk for row in appointments_for(request.user)}
    context = {
        "everybody": everybody if sees_all else None,
        "waiting": [(row, row.pk in mine) for row in waiting_appointments()],
        "resets": open_resets() if sees_all else (),
        "invitations": open_invitations() if sees_all else (),
        "may_end": request.user.may(Permission.END_STAFF),
        "may_invite": request.user.may(Permission.MANAGE_STAFF),
        "roles": list(ROLES),
        "mails": bool(config().mail_url),
        "sent": {name: request.POST.get(name, "") if problem else "" for name in ("name", "mail")},
        "sent_roles": request.POST.getlist("role") if problem else [],
        "link": link,
        "problem": problem,
    }
    return render(request, "web/staff.html", context, status=problem.status if problem else 200)


@posts(Permission.END_STAFF, page=_page)
def change(request: StaffRequest, staff_id: int) -> HttpResponse:
    """Give or take a role, suspend, resume or end somebody, or sign them out everywhere."""
    person = Staff.objects.filter(pk=staff_id).first()
    if person is None:
        raise NotFound("There is no such staff account.")
    name = person.username
    if request.POST.get("verb") == "give":
        return _give_role(request, name, request.POST.get("role", ""))
    if request.POST.get("take"):
        return _take_role(request, name, request.POST["take"])
    if request.POST.get("verb") == "resume":
        return _resume(request, name)
    if request.POST.get("verb") == "reset":
        return _ask_reset(request, name, request.POST.get("why", ""))
    verb, sentence = VERBS.get(request.POST.get("verb", ""), (None, ""))
    if verb is None:
        raise Invalid("Choose what happens to the account.")
    if verb is end_staff and request.POST.get("sure") != "yes":
        return render(request, "web/staff_end.html", {"person": person})
    verb(username=name, actor=request.user.actor)
    return done(request, sentence.format(name), "staff")


def _give_role(request: StaffRequest, name: str, role: str) -> HttpResponse:
    waiting = give_role(username=name, role=role, actor=request.user.actor)
    if waiting is None:
        return done(request, f"{name} has the role of {role}.", "staff")
    sentence = f"{name} has the role of {role} as soon as a colleague confirms it."
    return done(request, sentence, "staff")


def _take_role(request: StaffRequest, name: str, role: str) -> HttpResponse:
    take_role(username=name, role=role, actor=request.user.actor)
    return done(request, f"{name} no longer has the role of {role}.", "staff")


def _resume(request: StaffRequest, name: str) -> HttpResponse:
    sentence = f"{name} can sign in again."
    if waiting := resume_staff(username=name, actor=request.user.actor):
        roles = in_words([row.role for row in waiting])
        sentence += f" {name} is {roles} again as soon as a colleague confirms it."
    return done(request, sentence, "staff")


def _ask_reset(request: StaffRequest, name: str, why: str) -> HttpResponse:
    row = request_factor_reset(username=name, why=why, actor=request.user.actor)
    sentence = f"Another person must agree. {name}'s second factor stays until "
    return done(request, f"{sentence}{row.not_before:%Y-%m-%d %H:%M} UTC.", "staff")


@posts(Permission.MANAGE_STAFF, page=_page)
def answer_reset(request: StaffRequest, reset_id: UUID) -> HttpResponse:
    """Agree that a colleague's lost second factor is removed in its time, or refuse it."""
    approve = request.POST.get("decision") == "agree"
    row = decide_factor_reset(reset_id=reset_id, approve=approve, staff=request.user)
    what = "is removed when its time has come" if approve else "stays"
    return done(request, f"The second factor of {row.staff.username} {what}.", "staff")


@require_POST
@login_required
def keep_factor(request: HttpRequest) -> HttpResponse:
    """Refuse the removal of one's own second factor, whatever one's role."""
    refuse_own_reset(staff=cast("StaffRequest", request).user)
    return done(request, "Your second factor stays.", "mfa_index")


@posts(Permission.MANAGE_STAFF, page=_page)
def invite(request: StaffRequest) -> HttpResponse:
    """Invite somebody. The link is mailed, or else shown once, to be copied."""
    name, address = request.POST.get("name", "").strip(), request.POST.get("mail", "").strip()
    roles = [role for role in request.POST.getlist("role") if role]
    secret = invite_staff(username=name, roles=roles, actor=request.user.actor, email=address)
    if address and mail_invitation(address, secret):
        sentence = f"The invitation of {name} was mailed to {address}."
        return done(request, sentence, "staff")
    return _page(request, link=link_of(secret))


@posts(Permission.MANAGE_STAFF, page=_page)
def withdraw(request: StaffRequest) -> HttpResponse:
    """Withdraw an invitation: its link opens nothing any more."""
    name = request.POST.get("name", "")
    withdraw_invitation(username=name, actor=request.user.actor)
    return done(request, "The invitation is withdrawn.", "staff")


@posts(*CONFIRMERS, page=_page)
def confirm_role(request: StaffRequest, appointment_id: UUID) -> HttpResponse:
    """Confirm a colleague's role, or refuse it."""
    approve = request.POST.get("decision") == "confirm"
    row = decide_appointment(appointment_id=appointment_id, approve=approve, staff=request.user)
    name, role = row.staff.username, row.role
    sentence = f"{name} has the role of {role}." if approve else f"{name} does not become {role}."
    return done(request, sentence, "staff")
