"""What a yes to an ask leads to: a choice, a temporary setting or extra minutes."""

from datetime import datetime

from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import Layer, make_setting
from kinward.families.asks.expiry import TIDY
from kinward.families.asks.wording import words_of_ask
from kinward.families.models import Ask, AskState, ExtraMinutes, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.settings.choices import put_choice
from kinward.families.settings.held import is_held, weekly
from kinward.families.settings.settlement import end_grant
from kinward.ground.jobs import enqueue
from kinward.people.api import Account, LockedAccount


def is_passing(ask: Ask) -> bool:
    """Whether a grant is temporary and has not ended. Extra minutes always are temporary."""
    if ask.state != AskState.GRANTED:
        return False
    return ask.minutes is not None or (ask.until is not None and ask.until > timezone.now())


def grant(
    ask: Ask, teen: LockedAccount, pairing: Pairing, until: datetime | None, actor: Actor
) -> None:
    """Grant a teen's ask on behalf of a pairing's guardian.

    An ask for minutes adds them to its day and ignores `until`. A value with `until` becomes a
    temporary setting, and a value without it the guardian's choice. During a quiet dispute the
    grant is held: it looks given.
    """
    ask.state, ask.granted_by, ask.until = AskState.GRANTED, pairing, until
    ask.held = is_held(pairing)
    if ask.minutes is not None:
        ask.until = None
        ExtraMinutes.objects.create(
            account=teen, day=ask.day, minutes=ask.minutes, ask=ask, held=ask.held
        )
    elif until is None:
        put_choice(pairing, teen, ask.capability, weekly(ask.value), actor, agreed=True)
    else:
        # A capability has one temporary setting, so the earlier grant ends with its setting.
        _end_other_grants(ask, teen, actor)
        if not ask.held:
            make_setting(
                account=teen,
                layer=Layer.GUARDIAN,
                capability=ask.capability,
                value=weekly(ask.value),
                actor=actor,
                until=until,
            )
        enqueue(TIDY, at=until, teen_id=ask.teen_id)
    ask.save(update_fields=["state", "granted_by", "until", "held"])


def _end_other_grants(ask: Ask, teen: LockedAccount, actor: Actor) -> None:
    others = Ask.objects.select_related("teen").filter(
        teen=teen, capability=ask.capability, state=AskState.GRANTED, until__isnull=False
    )
    for other in others:
        end_grant(other, teen, AskState.ENDED, actor=actor)


def take_back_grant(ask: Ask, teen: LockedAccount, guardian: Account, actor: Actor) -> None:
    """End a grant because a guardian says no, and tell the guardian who had granted it."""
    end_grant(ask, teen, AskState.REFUSED, actor=actor)
    ExtraMinutes.objects.filter(ask=ask).delete()
    granted_by = ask.granted_by
    if granted_by is not None and granted_by.guardian_id != guardian.pk:
        what = words_of_ask(ask, granted_by.guardian.language)
        tell(granted_by.guardian, "differ", other=name_in_notices(ask.teen), what=what)
