"""The receiver of Kinward's webhooks. Three rules make it safe:

1. Verify the signature before reading anything (Standard Webhooks has libraries for it).
2. Carry out each action id once. Answer a repeated one with 200.
3. Actions on one target are numbered. Skip an action that is older than the last one carried out.
   Never skip a notice, because each one has its own reader.
Rules 2 and 3 run in one transaction with the effect.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from kinward.demo import safety
from kinward.demo.models import CarriedOut, Member, Notice, Post


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Verify a webhook, and carry out its action."""
    try:
        message = Webhook(settings.WEBHOOK_SECRET).verify(
            request.body, {name.lower(): value for name, value in request.headers.items()}
        )
    except WebhookVerificationError:
        return JsonResponse({"error": "the signature does not verify"}, status=401)
    return JsonResponse({"applied": carry_out(message["data"])})


@transaction.atomic
def carry_out(action: dict[str, Any]) -> bool:
    """Apply an action, unless it or a later one on the same target was applied before."""
    target = f"{action['target']}:{action['account_id']}:{action['content_id'] or ''}"
    with connection.cursor() as cursor:  # serialises deliveries about one target
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [target])
    if CarriedOut.objects.filter(action_id=action["action_id"]).exists():
        return False
    later = CarriedOut.objects.filter(target=target, number__gt=action["number"])
    newer = action["target"] != "notice" and later.exists()
    CarriedOut.objects.create(
        action_id=action["action_id"],
        target=target,
        number=action["number"],
        effect=action["effect"],
        applied=not newer,
    )
    if not newer:
        EFFECTS[action["target"], action["effect"]](action)
    return not newer


def _post(state: str, **changes: Any) -> Callable[[dict[str, Any]], None]:
    def apply(action: dict[str, Any]) -> None:
        Post.objects.filter(pk=action["content_id"]).update(state=state, **changes)

    return apply


def _restore(action: dict[str, Any]) -> None:
    """Show a hidden picture again. Fetch a removed one from Kinward's vault first."""
    post = Post.objects.filter(pk=action["content_id"]).first()
    if post is None:
        return
    if not post.picture and action.get("file"):
        post.picture = safety.fetch_restored(action["file"])
    post.state = "published"
    post.save(update_fields=["picture", "state"])


def _member(action: dict[str, Any]) -> None:
    """Set a member's standing. Each action on an account has the new standing.

    The restricted capabilities need not be stored: every message and stream asks `/v1/decide`.
    """
    standing = {"terminated": "closed"}.get(action["standing"], action["standing"])
    number = action["account_id"].removeprefix("member-")
    Member.objects.filter(pk=number).update(standing=standing)


def _notice(action: dict[str, Any]) -> None:
    notice = action["notice"]
    sentences = [
        *([notice["sentence"]] if "sentence" in notice else []),
        *notice.get("opened", {}).values(),
        *notice.get("closed", {}).values(),
    ]
    number = action["account_id"].removeprefix("member-")
    for member in Member.objects.filter(pk=number):
        Notice.objects.create(
            member=member, text="\n".join(sentences), answers=notice.get("answers", [])
        )


EFFECTS = {
    ("content", "quarantine"): _post("held"),
    ("content", "remove"): _post("removed", picture=b""),
    ("content", "restore"): _restore,
    ("account", "restrict"): _member,
    ("account", "suspend"): _member,
    ("account", "terminate"): _member,
    ("account", "restore"): _member,
    ("notice", "notify"): _notice,
}
