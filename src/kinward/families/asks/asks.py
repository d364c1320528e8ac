"""Asking: a teen asks with a reason, guardians answer; a guardian proposes, the teen answers."""

from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import Layer, live, make_setting
from kinward.families.errors import AskClosed, NoGuardian, NotPaired, TooManyTries
from kinward.families.models import Answer, Ask, AskState, ExtraMinutes, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import empowered, has_power, live_pairings
from kinward.families.screen_time.usage import local_now
from kinward.families.settings.choices import bounds_for, check_value, put_choice
from kinward.families.settings.settlement import end_grant
from kinward.ground.errors import Invalid, NotFound
from kinward.ground.jobs import enqueue
from kinward.ledger.api import record
from kinward.people.api import Account, LockedAccount, lock_account
from kinward.policy import (
    ValueKind,
    Weekly,
    capability_words,
    known_language,
    reason_words,
    value_words,
)

LAPSES: Final = timedelta(hours=24)
MAX_OPEN: Final = 5
MAX_DAILY: Final = 20
MAX_EXTRA: Final = 120  # minutes that one ask is about
MAX_DAYS: Final = 31  # for which a grant can hold
MAX_REASON: Final = 500
TIDY: Final = "families.tidy_asks"
OPEN_ASKS: Final = (AskState.OPEN, AskState.TALK)

AskAnswer = Literal["yes", "no", "talk"]


@transaction.atomic
def ask_guardians(
    *,
    teen: Account,
    capability: str,
    reason: str,
    value: Weekly | None = None,
    minutes: int | None = None,
) -> Ask:
    """A teen asks for a value, or for minutes more today. Guardians hear of it."""
    teen = lock_account(teen.pk)
    guardians = [each for each in live_pairings().filter(teen=teen) if has_power(each)]
    if not guardians:
        raise NoGuardian
    made = _make(teen, None, capability, reason, value, minutes)
    for pairing in guardians:
        what = words_of_ask(made, pairing.guardian.language)
        tell(pairing.guardian, "asked", other=name_in_notices(teen), what=what)
    return made


@transaction.atomic
def propose_setting(
    *, guardian: Account, teen_id: str, capability: str, reason: str, value: Weekly
) -> Ask:
    """A guardian proposes a value instead of setting it. The teen hears of it."""
    pairing, _teen = empowered(guardian=guardian, teen_id=teen_id)
    made = _make(pairing.teen, pairing, capability, reason, value, None)
    what = words_of_ask(made, pairing.teen.language)
    tell(pairing.teen, "proposed", other=name_in_notices(guardian), what=what)
    return made


def _make(
    teen: Account,
    by: Pairing | None,
    capability: str,
    reason: str,
    value: Weekly | None,
    minutes: int | None,
) -> Ask:
    reason = reason.strip()
    if len(reason) > MAX_REASON:
        raise Invalid(f"A reason has at most {MAX_REASON} characters.")
    if (value is None) == (minutes is None):
        raise Invalid("Ask for a value, or for minutes.")
    if minutes is not None and (capability != "session.time" or not 1 <= minutes <= MAX_EXTRA):
        raise Invalid(f"Ask for 1 to {MAX_EXTRA} minutes of time.")
    kind, bounds = bounds_for(teen, capability)
    if value is not None:
        check_value(kind, bounds, Layer.GUARDIAN, value, bounds.guardian_moves)
    now = timezone.now()
    made = Ask.objects.filter(teen=teen, made_at__gt=now - timedelta(days=1))
    if made.count() >= MAX_DAILY:
        raise TooManyTries(f"At most {MAX_DAILY} a day.")
    if Ask.objects.filter(teen=teen, state__in=OPEN_ASKS, lapses_at__gt=now).count() >= MAX_OPEN:
        raise TooManyTries(f"{MAX_OPEN} wait for an answer already.")
    lapses_at = now + LAPSES
    made_ask = Ask.objects.create(
        teen=teen,
        proposed_by=by,
        capability=capability,
        value=value,
        minutes=minutes,
        day=local_now(teen, now).date(),
        reason=reason,
        lapses_at=lapses_at,
    )
    who = teen if by is None else by.guardian
    record(
        actor=who.actor,
        kind="ask.made",
        subject=str(made_ask),
        capability=capability,
        value=value,
        minutes=minutes,
    )
    enqueue(TIDY, at=lapses_at, teen_id=teen.pk)
    return made_ask


def words_of_ask(ask: Ask, language: str) -> str:
    """What an ask is about, in a sentence of a language."""
    tongue = known_language(language)
    if ask.minutes is not None:
        return reason_words("time.more", tongue).format(minutes=ask.minutes)
    pack = live().in_force().for_account(ask.teen.platform_id)
    known = None if pack is None else pack.capabilities.get(ask.capability)
    own = None if pack is None else pack.ruling.words(ask.capability)
    name = capability_words(ask.capability, tongue, own)
    if known is None or ask.value is None:
        return name
    return f"{name}: {words_of_value(known.kind, ask.value, tongue)}"


def words_of_value(kind: ValueKind, value: Weekly, language: str) -> str:
    """A value, or the values of a week, in words."""
    week = value if isinstance(value, tuple | list) else (value,)
    said = [value_words(kind, kind.code(each), known_language(language)) for each in week]
    return " / ".join(dict.fromkeys(said))


@transaction.atomic
def answer_ask(
    *,
    guardian: Account,
    ask_id: UUID,
    said: AskAnswer,
    note: str = "",
    until: datetime | None = None,
) -> Ask:
    """A guardian answers a teen's ask; a yes can hold up to a moment.

    One guardian's yes is enough. Another's no takes it back, which protects: both are told.
    """
    found = Ask.objects.select_related("teen").filter(pk=ask_id, proposed_by=None).first()
    if found is None:
        raise NotPaired
    pairing, teen = empowered(guardian=guardian, teen_id=found.teen.platform_id)
    found = Ask.objects.select_related("teen", "granted_by__guardian").get(pk=ask_id)
    _lapse(found)
    takes_back = found.state == AskState.GRANTED and said == "no" and is_passing(found)
    if found.state not in OPEN_ASKS and not takes_back:
        raise AskClosed
    _check_answer(note, said, until)
    Answer.objects.create(ask=found, pairing=pairing, answer=said, note=note)
    actor = guardian.actor
    record(actor=actor, kind=f"ask.{said}", subject=str(found))
    if takes_back:
        _take_back(found, teen, guardian, actor)
    elif said == "yes":
        _grant(found, teen, pairing, until, actor)
    else:
        found.state = AskState.TALK if said == "talk" else AskState.REFUSED
        found.save(update_fields=["state"])
    what = words_of_ask(found, found.teen.language)
    tell(found.teen, said, other=name_in_notices(guardian), what=what)
    return found


def _check_answer(note: str, said: str, until: datetime | None) -> None:
    if said not in ("yes", "no", "talk"):
        raise Invalid("An answer is yes, no or talk.")
    if len(note) > MAX_REASON:
        raise Invalid(f"A note has at most {MAX_REASON} characters.")
    now = timezone.now()
    if until is not None and not now < until <= now + timedelta(days=MAX_DAYS):
        raise Invalid(f"A grant ends within {MAX_DAYS} days.")


def is_passing(ask: Ask) -> bool:
    """Whether a grant ends by itself and has not ended yet."""
    if ask.state != AskState.GRANTED:
        return False
    return ask.minutes is not None or (ask.until is not None and ask.until > timezone.now())


def _grant(
    ask: Ask, teen: LockedAccount, pairing: Pairing, until: datetime | None, actor: Actor
) -> None:
    ask.state, ask.granted_by, ask.until = AskState.GRANTED, pairing, until
    if ask.minutes is not None:
        ask.until = None
        ExtraMinutes.objects.create(account=ask.teen, day=ask.day, minutes=ask.minutes, ask=ask)
    elif until is None:
        put_choice(pairing, teen, ask.capability, _weekly(ask.value), actor)
    else:
        _end_other_grants(ask, teen, actor)
        make_setting(
            account=ask.teen,
            layer=Layer.GUARDIAN,
            capability=ask.capability,
            value=_weekly(ask.value),
            actor=actor,
            until=until,
        )
        enqueue(TIDY, at=until, teen_id=ask.teen_id)
    ask.save(update_fields=["state", "granted_by", "until"])


def _end_other_grants(ask: Ask, teen: LockedAccount, actor: Actor) -> None:
    others = Ask.objects.select_related("teen").filter(
        teen=ask.teen, capability=ask.capability, state=AskState.GRANTED, until__isnull=False
    )
    for other in others:
        end_grant(other, teen, AskState.ENDED, actor=actor)


def _take_back(ask: Ask, teen: LockedAccount, guardian: Account, actor: Actor) -> None:
    end_grant(ask, teen, AskState.REFUSED, actor=actor)
    ExtraMinutes.objects.filter(ask=ask).delete()
    granted = ask.granted_by
    if granted is not None and granted.guardian_id != guardian.pk:
        what = words_of_ask(ask, granted.guardian.language)
        tell(granted.guardian, "differ", other=name_in_notices(ask.teen), what=what)


def _weekly(value: object) -> Weekly:
    return tuple(value) if isinstance(value, list) else value  # type: ignore[return-value]


@transaction.atomic
def answer_proposal(*, teen: Account, ask_id: UUID, said: AskAnswer, note: str = "") -> Ask:
    """The teen answers a guardian's proposal; a yes makes it the guardian's choice."""
    teen = lock_account(teen.pk)
    found = (
        Ask.objects.select_related("teen", "proposed_by__guardian", "proposed_by__teen")
        .filter(pk=ask_id, teen=teen, proposed_by__isnull=False)
        .first()
    )
    if found is None or found.proposed_by is None:
        raise NotFound
    _lapse(found)
    if found.state not in OPEN_ASKS or not has_power(found.proposed_by):
        raise AskClosed
    _check_answer(note, said, None)
    Answer.objects.create(ask=found, pairing=None, answer=said, note=note)
    actor = teen.actor
    record(actor=actor, kind=f"ask.{said}", subject=str(found))
    if said == "yes":
        _grant(found, teen, found.proposed_by, None, actor)
    else:
        found.state = AskState.TALK if said == "talk" else AskState.REFUSED
        found.save(update_fields=["state"])
    guardian = found.proposed_by.guardian
    tell(guardian, said, other=name_in_notices(teen), what=words_of_ask(found, guardian.language))
    return found


@transaction.atomic
def withdraw_ask(*, account: Account, ask_id: UUID) -> None:
    """Whoever made an ask takes it back while it is open."""
    found = Ask.objects.select_related("proposed_by").filter(pk=ask_id).first()
    made_by = None
    if found is not None:
        made_by = found.teen_id if found.proposed_by is None else found.proposed_by.guardian_id
    if found is None or made_by != account.pk:
        raise NotFound
    lock_account(found.teen_id)
    found.refresh_from_db(fields=["state"])
    if found.state not in OPEN_ASKS:
        raise AskClosed
    found.state = AskState.WITHDRAWN
    found.save(update_fields=["state"])
    record(actor=account.actor, kind="ask.withdrawn", subject=str(found))


def _lapse(ask: Ask) -> None:
    """Let an open ask lapse whose time is over, or whose day is."""
    now = timezone.now()
    over = ask.minutes is not None and local_now(ask.teen, now).date() != ask.day
    if ask.state in OPEN_ASKS and (over or ask.lapses_at <= now):
        ask.state = AskState.LAPSED
        ask.save(update_fields=["state"])


def tidy(teen_id: int) -> None:
    """Let asks lapse and grants end, whose time has come."""
    with transaction.atomic():
        teen = lock_account(teen_id)
        for found in Ask.objects.select_related("teen").filter(teen=teen, state__in=OPEN_ASKS):
            _lapse(found)
        for found in Ask.objects.select_related("teen").filter(
            teen=teen, state=AskState.GRANTED, until__lte=timezone.now()
        ):
            end_grant(found, teen, AskState.ENDED, actor=Actor.system("families"))


def due() -> list[int]:
    """The teens whose asks or grants are past their time."""
    now = timezone.now()
    lapsed = Ask.objects.filter(state__in=OPEN_ASKS, lapses_at__lte=now)
    over = Ask.objects.filter(state=AskState.GRANTED, until__lte=now)
    return sorted({*lapsed.values_list("teen", flat=True), *over.values_list("teen", flat=True)})


def forget_reasons(before: datetime) -> None:
    """Forget what was written with an ask; that it was asked and answered stays."""
    Ask.objects.filter(made_at__lt=before).exclude(reason="").update(reason="")
    Answer.objects.filter(at__lt=before).exclude(note="").update(note="")


def ask_history(teen: Account, limit: int = 30) -> list[Ask]:
    """The latest asks and proposals, with their answers."""
    return list(
        Ask.objects.select_related("proposed_by__guardian", "granted_by__guardian", "teen")
        .prefetch_related("answers__pairing__guardian")
        .filter(teen=teen)[:limit]
    )


def end_of_day(teen: Account, now: datetime) -> datetime:
    """The moment at which the teen's local day ends."""
    local = local_now(teen, now)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return midnight.astimezone(now.tzinfo)
