"""Staff: who works here, and how their work pauses or ends."""

from collections.abc import Callable
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.access.api import Staff, end_staff, sign_out_everywhere, suspend_staff
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.web.guards import StaffRequest, done, needs, posts

# Each verb by its button, and the sentence that follows it.
VERBS: Final[dict[str, tuple[Callable[..., None], str]]] = {
    "suspend": (suspend_staff, "{} is suspended and signed out everywhere."),
    "end": (end_staff, "{} has left the staff and is signed out everywhere."),
    "sign-out": (sign_out_everywhere, "{} is signed out everywhere."),
}


@require_GET
@needs(Permission.END_STAFF, Permission.READ_LEDGER)
def staff(request: StaffRequest) -> HttpResponse:
    """Show everybody who works here or has worked here."""
    return _page(request)


def _page(request: StaffRequest, problem: KinwardError | None = None) -> HttpResponse:
    context = {
        "everybody": Staff.objects.order_by("-is_active", "-ended_at", "username"),
        "may_end": request.user.may(Permission.END_STAFF),
        "problem": problem,
    }
    return render(request, "web/staff.html", context, status=problem.status if problem else 200)


def _problem_page(request: StaffRequest, staff_id: int, *, problem: KinwardError) -> HttpResponse:
    return _page(request, problem)


@posts(Permission.END_STAFF, page=_problem_page)
def change(request: StaffRequest, staff_id: int) -> HttpResponse:
    """Suspend somebody, end their account, or sign them out everywhere."""
    person = Staff.objects.filter(pk=staff_id).first()
    if person is None:
        raise NotFound("There is no such staff account.")
    verb, sentence = VERBS.get(request.POST.get("verb", ""), (None, ""))
    if verb is None:
        raise Invalid("Choose what happens to the account.")
    verb(username=person.username, actor=request.user.actor)
    return done(request, sentence.format(person.username), "staff")
