"""The community's pages: feed, sign-up, posting, account and family."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kinward.demo import phone, pictures, posting, safety
from kinward.demo.models import Member, Post

LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("sv", "Svenska"),
    ("nl", "Nederlands"),
    ("fr", "Français"),
    ("es", "Español"),
]

# The same words for a slow check and for a quarantined picture: uploaders learn nothing from them.
BEING_CHECKED = "Your picture is being checked. Only you see it until then."


class SignUp(forms.Form):
    """The form to join. It asks for little more than a handle and an age.

    A guardian needs a verified age, so the demo lets anybody pretend to have one.
    """

    handle = forms.RegexField(r"^[a-z0-9_-]{3,40}$", label="Handle (a-z, 0-9, -, _)")
    age = forms.IntegerField(min_value=1, max_value=120, label="Age")
    language = forms.ChoiceField(choices=LANGUAGES, label="Language", required=False)
    checked = forms.BooleanField(
        label="Pretend that an identity check confirmed this age", required=False
    )
    time_zone = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)


def visitor(request: HttpRequest) -> dict[str, object]:
    """Return the context of every template: the member who is signed in."""
    return {"member": _member(request)}


def _member(request: HttpRequest) -> Member | None:
    number: int | None = request.session.get("member")
    return Member.objects.filter(pk=number).first() if number else None


@require_GET
def feed(request: HttpRequest) -> HttpResponse:
    """Show published posts of members whose account is not closed."""
    published = Post.objects.filter(state="published").exclude(member__standing="closed")
    posts = published.select_related("member").defer("picture")[:60]
    time, member = _screen_time(request), _member(request)
    context = {
        "posts": posts,
        "time": time,
        "open": _is_open(time),
        # More time opens no account that is paused or closed.
        "may_ask": member is not None and member.standing == "active",
    }
    return render(request, "feed.html", context)


def _is_open(time: dict[str, Any]) -> bool:
    return time.get("left") != 0 and not time.get("closed")


def _screen_time(request: HttpRequest) -> dict[str, Any]:
    """Send a heartbeat; returns the member's screen time. Without an answer, no time is left."""
    member = _member(request)
    if member is None:
        return {}
    try:
        return safety.heartbeat(member.account_id)
    except (safety.NotNow, safety.Refused):
        return {
            "left": 0,
            "sentence": "We cannot check your screen time. Please come back in a minute.",
        }


def sign_up(request: HttpRequest) -> HttpResponse:
    """Let a person join. Kinward learns of the account before it can do anything."""
    form = SignUp(request.POST or None)
    if request.method == "POST" and form.is_valid():
        handle, age = form.cleaned_data["handle"], form.cleaned_data["age"]
        try:
            if why_not := safety.may_join(age):
                form.add_error("age", why_not)
                return render(request, "sign_up.html", {"form": form})
            with transaction.atomic():
                member, new = Member.objects.get_or_create(handle=handle, defaults={"age": age})
                if new:
                    safety.tell_account(
                        member.account_id,
                        age=age,
                        handle=handle,
                        language=form.cleaned_data["language"] or "en",
                        checked=form.cleaned_data["checked"],
                        time_zone=form.cleaned_data["time_zone"],
                    )
        except (safety.NotNow, safety.Refused):
            form.add_error(None, "You cannot join at the moment. Please try again later.")
        else:
            request.session["member"] = member.pk
            return redirect(request.session.pop("after", "feed"))
    return render(request, "sign_up.html", {"form": form})


@require_GET
def family(request: HttpRequest) -> HttpResponse:
    """Redirect the member to Kinward's family pages, with a scanned code if there is one."""
    member = _member(request)
    if member is None:
        request.session["after"] = request.get_full_path()
        return redirect("sign_up")
    sent = request.GET
    page = sent.get("page", "")
    start = {"page": page if page in ("ask", "decisions", "safe") else "family"}
    if code := sent.get("code", "")[:40]:
        start = {"page": "pair", "code": code}
    if reported := sent.get("content_id", "")[:40]:
        post = get_object_or_404(Post, pk=reported, state="published")
        start = {"page": "report", "account_id": post.member.account_id, "content_id": reported}
    try:
        return redirect(safety.family_pages(member.account_id, start))
    except (safety.NotNow, safety.Refused):
        messages.error(
            request, "The family pages are not available at the moment. Please try again later."
        )
        return redirect("feed")


@require_GET
def time(request: HttpRequest) -> HttpResponse:
    """Return whether the feed is open for the member. The page of a closed feed polls this."""
    member = _member(request)
    try:
        remaining = safety.screen_time(member.account_id) if member else {}
    except (safety.NotNow, safety.Refused):
        remaining = {"left": 0}
    return JsonResponse({"open": _is_open(remaining)})


@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Show Kinward's decisions for this member, and the notices for them."""
    member = _member(request)
    if member is None:
        return redirect("sign_up")
    try:
        decisions = safety.experience(member.account_id)
    except (safety.NotNow, safety.Refused):
        decisions = {}
    context = {"decisions": decisions, "notices": member.notices.all()[:20]}
    return render(request, "account.html", context)


@require_POST
def answer(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Answer what a notice asks, in one tap: send the link of the button that was tapped."""
    member = _member(request)
    if member is None:
        return redirect("sign_up")
    notice = get_object_or_404(member.notices, pk=notice_id)
    links = {link["answer"]: link["url"] for link in notice.answers}
    given = request.POST.get("answer", "")
    if given not in links:
        messages.error(request, "This has been answered already.")
        return redirect("account")
    try:
        safety.answer_ask(links.pop(given))
    except safety.NotNow:
        messages.error(request, "Your answer was not sent. Please try again in a moment.")
        return redirect("account")
    except safety.Refused as refusal:
        messages.error(request, str(refusal))
        links = {}
    else:
        messages.success(request, f"Your answer has been sent: {notice.text}")
    # After "Let's talk" the ask is still open, for its yes or its no.
    rest = links if given == "talk" else {}
    notice.answers = [{"answer": answer, "url": url} for answer, url in rest.items()]
    notice.save(update_fields=["answers"])
    return redirect("account")


@require_GET
def guardians_phone(request: HttpRequest) -> HttpResponse:
    """Show what a guardian could decide on their phone for this member, for practice."""
    member = _member(request)
    if member is None:
        return redirect("sign_up")
    try:
        withdrawn = safety.consent(member.account_id)["withdrawn"]
    except (safety.NotNow, safety.Refused):
        withdrawn = None
    return render(request, "phone.html", {"withdrawn": withdrawn})


@require_POST
def decide_on_phone(request: HttpRequest) -> HttpResponse:
    """Withdraw a guardian's consent, or give it again, as they would on their phone."""
    member = _member(request)
    if member is None:
        return redirect("sign_up")
    try:
        if "withdraw" in request.POST:
            safety.link_download(member.account_id, phone.download_of(member.account_id))
            if not phone.withdraw(member.account_id):
                raise safety.NotNow
        else:
            phone.give(member.account_id)
            safety.give_consent(member.account_id)
    except (safety.NotNow, safety.Refused):
        messages.error(request, "The practice store or Kinward did not answer.")
    return redirect("phone")


@require_http_methods(["GET", "POST"])
def guardian(request: HttpRequest) -> HttpResponse:
    """Pretend that a check of documents confirmed whose guardian this member is."""
    member = _member(request)
    if member is None:
        return redirect("sign_up")
    if request.method == "POST":
        handle = request.POST.get("handle", "")[:40]
        child = Member.objects.filter(handle=handle).exclude(pk=member.pk).first()
        try:
            if child is None:
                raise safety.Refused("Nobody else has this handle.")
            safety.prove_guardian(child.account_id, member.account_id)
            messages.success(request, f"The check says: you are the guardian of {handle}.")
        except (safety.NotNow, safety.Refused) as error:
            messages.error(request, str(error))
    return render(request, "guardian.html")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    request.session.flush()
    return redirect("feed")


@require_POST
def post(request: HttpRequest) -> HttpResponse:
    """Receive a picture, ask Kinward, and publish it only if it is clear."""
    member = _member(request)
    file = request.FILES.get("picture")
    if member is None or file is None:
        return redirect("sign_up")
    if member.standing != "active":
        messages.error(request, "This account cannot post.")
        return redirect("mine")
    try:
        why_not = safety.why_not(member.account_id, "content.audience")
    except (safety.NotNow, safety.Refused):
        why_not = ""  # the check of the picture is asked again later
    if why_not:
        messages.error(request, why_not)
        return redirect("mine")
    new = Post.objects.create(
        member=member,
        caption=request.POST.get("caption", "")[:200],
        filename=(file.name or "picture")[:200],
        media_type=file.content_type or "image/jpeg",
        picture=file.read(),
        address=request.META.get("REMOTE_ADDR"),
    )
    try:
        posting.check(new)
    except safety.NotNow:
        messages.info(request, BEING_CHECKED)
    except safety.Refused as error:
        new.delete()
        messages.error(request, str(error))
    else:
        new.refresh_from_db(fields=["state"])
        if new.state != "published":
            messages.info(request, BEING_CHECKED)
    _count_posts(member)
    return redirect("mine")


def _count_posts(member: Member) -> None:
    """Tell Kinward today's number of posts. A failure does not stop the post."""
    today = datetime.now(UTC).date()
    posts = member.posts.filter(posted_at__date=today).count()
    try:
        safety.tell_posts(member.account_id, day=today, posts=posts)
    except (safety.NotNow, safety.Refused):
        return


@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """Show a member's own posts, and the standing of the account."""
    member = _member(request)
    if member is None:
        return redirect("sign_up")
    return render(request, "mine.html", {"posts": member.posts.defer("picture")[:60]})


@require_GET
def picture(request: HttpRequest, post_id: str) -> HttpResponse:
    """Return a published picture. Any other picture is a 404."""
    published = get_object_or_404(Post, pk=post_id, state="published")
    response = HttpResponse(bytes(published.picture), content_type=published.media_type)
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_GET
def samples(request: HttpRequest) -> HttpResponse:
    """Show generated pictures to post. Some of them are in the demo's bank."""
    banked = pictures.BANKED_SEEDS
    return render(request, "samples.html", {"banked": banked, "plain": pictures.PLAIN_SEEDS})


@require_GET
def sample(request: HttpRequest, seed: int) -> HttpResponse:
    """Return a generated picture as a JPEG. Its bytes differ from those of the banked file."""
    if seed not in (*pictures.BANKED_SEEDS, *pictures.PLAIN_SEEDS):
        raise Http404
    image = pictures.draw(seed).resize((800, 600))
    return HttpResponse(pictures.encode(image, "JPEG", quality=82), content_type="image/jpeg")


@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """Answer once the community and its database are ready."""
    Member.objects.exists()
    return HttpResponse("ok")
