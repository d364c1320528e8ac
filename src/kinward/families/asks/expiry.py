"""Asks that lapse, grants that end, and reasons that are forgotten."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.families.models import OPEN_ASKS, Answer, Ask, AskState
from kinward.families.screen_time.usage import zones_of
from kinward.families.settings.settlement import end_grant
from kinward.people.api import Account, lock_account

LAPSES: Final = timedelta(hours=24)
TIDY: Final = "families.tidy_asks"


def lapse(ask: Ask) -> None:
    """Lapse an open ask that has expired. An ask for minutes expires with the day of the ask."""
    if ask.state in OPEN_ASKS and ask.lapses_at <= timezone.now():
        ask.state = AskState.LAPSED
        ask.save(update_fields=["state"])


def tidy_asks(teen_id: int) -> None:
    """Lapse a teen's expired asks and end their expired grants. Takes the teen's lock."""
    with transaction.atomic():
        teen = lock_account(teen_id)
        for ask in Ask.objects.select_related("teen").filter(teen=teen, state__in=OPEN_ASKS):
            lapse(ask)
        for ask in Ask.objects.select_related("teen").filter(
            teen=teen, state=AskState.GRANTED, until__lte=timezone.now()
        ):
            end_grant(ask, teen, AskState.ENDED, actor=Actor.system("families"))


def teens_to_tidy() -> list[int]:
    """Return the teens who have an expired ask or an expired grant."""
    now = timezone.now()
    lapsed = Ask.objects.filter(state__in=OPEN_ASKS, lapses_at__lte=now)
    over = Ask.objects.filter(state=AskState.GRANTED, until__lte=now)
    return sorted({*lapsed.values_list("teen", flat=True), *over.values_list("teen", flat=True)})


def forget_reasons(before: datetime) -> None:
    """Erase reasons and notes written before a moment. The asks and answers themselves stay."""
    Ask.objects.filter(made_at__lt=before).exclude(reason="").update(reason="")
    Answer.objects.filter(at__lt=before).exclude(note="").update(note="")


def end_of_day(teen: Account, now: datetime) -> datetime:
    """Return the moment at which the teen's local day ends."""
    return zones_of(teen).end_of_day(now)
