"""Grant order: a grant never exceeds the standing choice of a guardian who did not agree to it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.utils import timezone

from kinward.families.models import Answer, Ask, AskState, Choice
from kinward.people.api import Account


def was_held(answer: Answer) -> bool:
    """Whether a guardian gave an answer during a dispute that still waits: it has no effect."""
    disputed_at = None if answer.pairing is None else answer.pairing.disputed_at
    return disputed_at is not None and answer.at >= disputed_at


def yeses_of(ask: Ask, *, held: bool = False) -> dict[UUID, Answer]:
    """Return each guardian's newest answer to an ask, by pairing, if it is a yes that lasts.

    With `held`, the answers are those that are shown.
    """
    now = timezone.now()
    newest: dict[UUID, Answer] = {}
    for answer in ask.answers.all():  # oldest first
        if answer.pairing_id is not None and (held or not was_held(answer)):
            newest[answer.pairing_id] = answer
    return {
        pairing_id: answer
        for pairing_id, answer in newest.items()
        if answer.answer == "yes" and (answer.until is None or answer.until > now)
    }


def is_agreed(choice: Choice, yeses: Mapping[UUID, Answer]) -> bool:
    """Whether a choice's guardian said yes after making the choice. A newer choice counts again."""
    answer = yeses.get(choice.pairing_id)
    return answer is not None and answer.at >= choice.made_at


def standing_against(choices: Iterable[Choice], yeses: Mapping[UUID, Answer]) -> list[Choice]:
    """Return the choices that bind a grant, because their guardians did not agree to it."""
    return [choice for choice in choices if not is_agreed(choice, yeses)]


def grant_of(teen: Account, capability: str) -> Ask | None:
    """Return the ask whose temporary grant of a value holds now.

    A capability has at most one, or one for each home that is apart. Then the newest counts.
    """
    return (
        Ask.objects.prefetch_related("answers__pairing")
        .filter(
            teen=teen,
            capability=capability,
            minutes=None,
            state=AskState.GRANTED,
            until__gt=timezone.now(),
            held=False,
        )
        .order_by("-made_at")
        .first()
    )
