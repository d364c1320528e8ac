"""Settings: what a guardian chooses for a teen, what a person chooses, and words left out."""

import re
from typing import Final

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import Layer, Setting, decide_afresh, live, make_setting, person_of
from kinward.families.errors import SettingLocked
from kinward.families.models import Choice, Keyword, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import empowered, live_pairings
from kinward.families.settings.groups import NOT_SETTINGS
from kinward.families.settings.settlement import choices_of, settle
from kinward.ground.errors import Invalid
from kinward.ledger.api import record
from kinward.people.api import Account, LockedAccount, lock_account
from kinward.policy import Bounds, ValueKind, Weekly, bounds_in_general

MAX_WORDS: Final = 50
MAX_WORD: Final = 40


def bounds_for(account: Account, capability: str) -> tuple[ValueKind, Bounds]:
    """How far guardian and self may move a capability, by what is known of the account now."""
    pack = live().in_force().for_account(account.platform_id)
    if pack is None or capability not in pack.capabilities or capability in NOT_SETTINGS:
        raise Invalid(f"Unknown setting {capability[:80]!r}.")
    bounds = bounds_in_general(pack.ruling, capability, person_of(account))
    if bounds is None:
        raise SettingLocked
    return pack.capabilities[capability].kind, bounds


def check_value(kind: ValueKind, bounds: Bounds, layer: Layer, value: Weekly, moves: bool) -> None:
    """Refuse a value that its bounds would change."""
    floor, cap = (
        (bounds.guardian_floor, bounds.guardian_cap)
        if layer == Layer.GUARDIAN
        else (bounds.self_floor, bounds.self_cap)
    )
    if not moves:
        raise SettingLocked
    try:
        for day in value if isinstance(value, tuple | list) else (value,):
            code = kind.code(day)
            if kind.clamp(code, floor, cap) != code:
                raise SettingLocked(f"{kind.value(floor)} .. {kind.value(cap)}")
        kind.code_on(value, None)
    except ValueError as error:
        raise Invalid(f"{error}.") from error


@transaction.atomic
def choose_setting(
    *,
    guardian: Account,
    teen_id: str,
    capability: str,
    value: Weekly | None,
    actor: Actor | None = None,
) -> Pairing:
    """A guardian chooses a value for a teen, or with None takes their choice back."""
    pairing, teen = empowered(guardian=guardian, teen_id=teen_id)
    put_choice(pairing, teen, capability, value, actor or guardian.actor)
    return pairing


def put_choice(
    pairing: Pairing, teen: LockedAccount, capability: str, value: Weekly | None, actor: Actor
) -> None:
    """Write a guardian's choice for the teen of a pairing, and settle it with the others'."""
    if value is not None:
        kind, bounds = bounds_for(teen, capability)
        check_value(kind, bounds, Layer.GUARDIAN, value, bounds.guardian_moves)
    mine = Choice.objects.filter(pairing=pairing, capability=capability, ended_at=None)
    mine.update(ended_at=timezone.now(), ended_why="replaced")
    if value is not None:
        Choice.objects.create(pairing=pairing, capability=capability, value=value)
    record(
        actor=actor,
        kind="choice.made" if value is not None else "choice.ended",
        subject=str(pairing),
        capability=capability,
        value=value,
    )
    settle(teen, capability, actor=actor)
    tell(teen, "setting", other=name_in_notices(pairing.guardian), what=_said(teen, capability))
    _tell_differing(teen, capability)


def _tell_differing(teen: Account, capability: str) -> None:
    """Tell guardians who chose differently that the more protective choice holds."""
    chosen = choices_of(teen).get(capability, [])
    if len({str(each.value) for each in chosen}) < 2:
        return
    for each in chosen:
        guardian = each.pairing.guardian
        what = _said(teen, capability, guardian.language)
        tell(guardian, "differ", other=name_in_notices(teen), what=what)


def _said(teen: Account, capability: str, language: str = "") -> str:
    return decide_afresh(teen, capability).sentence(language or teen.language)


@transaction.atomic
def choose_for_self(*, account: Account, capability: str, value: Weekly | None) -> None:
    """A person sets a value for themselves, inside what the rules and their guardians leave."""
    account = lock_account(account.pk)
    if value is not None:
        kind, bounds = bounds_for(account, capability)
        check_value(kind, bounds, Layer.SELF, value, bounds.self_floor != bounds.self_cap)
    actor = account.actor
    make_setting(account=account, layer=Layer.SELF, capability=capability, value=value, actor=actor)


def own_settings(account: Account) -> dict[str, Setting]:
    """What a person set for themselves."""
    made = Setting.objects.filter(account=account, layer=Layer.SELF, ended_at=None, until=None)
    return {each.capability: each for each in made}


def _editor(
    *, guardian: Account | None, teen_id: str, account: Account
) -> tuple[Pairing | None, LockedAccount]:
    """Return who edits a teen's words, a guardian's pairing or None for the teen; and the teen."""
    if guardian is None:
        return None, lock_account(account.pk)
    return empowered(guardian=guardian, teen_id=teen_id)


def tidy_word(word: str) -> str:
    """A word as it is compared: lower case, one space between parts."""
    return re.sub(r"\s+", " ", word).strip().casefold()


@transaction.atomic
def add_keyword(*, teen_id: str, word: str, guardian: Account | None, account: Account) -> None:
    """Leave a word out of a teen's feed and search; by a guardian, or by the teen (None)."""
    pairing, teen = _editor(guardian=guardian, teen_id=teen_id, account=account)
    word = tidy_word(word)
    if not word or len(word) > MAX_WORD or not word.isprintable():
        raise Invalid(f"A word has 1 to {MAX_WORD} characters.")
    there = Keyword.objects.filter(teen=teen, ended_at=None)
    if there.filter(word=word).exists():
        return
    if there.count() >= MAX_WORDS:
        raise Invalid(f"There are {MAX_WORDS} words already. Remove one first.")
    Keyword.objects.create(teen=teen, pairing=pairing, word=word)
    _keywords_changed(teen, pairing, "keyword.added")


@transaction.atomic
def remove_keyword(
    *, teen_id: str, keyword_id: int, guardian: Account | None, account: Account
) -> None:
    """Let a word in again: a guardian any guardian's or the teen's, the teen only their own."""
    pairing, teen = _editor(guardian=guardian, teen_id=teen_id, account=account)
    words = Keyword.objects.filter(pk=keyword_id, teen=teen, ended_at=None)
    if pairing is None:
        words = words.filter(pairing=None)
    if words.update(ended_at=timezone.now()):
        _keywords_changed(teen, pairing, "keyword.removed")


def _keywords_changed(teen: Account, pairing: Pairing | None, kind: str) -> None:
    who = teen if pairing is None else pairing.guardian
    actor = who.actor
    record(actor=actor, kind=kind, subject=f"account:{teen.platform_id}")
    if pairing is not None:
        tell(teen, "keyword", other=name_in_notices(who))


def keywords_of(account: Account) -> list[Keyword]:
    """The words that are left out for an account."""
    return list(
        Keyword.objects.select_related("pairing__guardian").filter(teen=account, ended_at=None)
    )


def guardians_of(teen: Account) -> list[Pairing]:
    """The live pairings of a teen."""
    return list(live_pairings().select_related("guardian").filter(teen=teen))
