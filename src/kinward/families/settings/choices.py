"""Choices: of a guardian for a teen, of a person for themselves, and words to leave out."""

import re
from typing import Final

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import (
    Layer,
    Setting,
    decide_afresh,
    holds,
    live,
    make_setting,
    person_of,
)
from kinward.families.errors import SettingLocked
from kinward.families.models import Choice, Keyword, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import in_power, live_pairings, require_power
from kinward.families.settings.groups import NOT_SETTINGS
from kinward.families.settings.settlement import choices_of, settle
from kinward.ground.errors import Invalid
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, lock_account
from kinward.policy import Bounds, ValueKind, Weekly, bounds_in_general

MAX_WORDS: Final = 50
MAX_WORD: Final = 40


def bounds_for(account: Account, capability: str) -> tuple[ValueKind, Bounds]:
    """Return the kind of a capability and how far guardian and self may move it for an account.

    Raises `Invalid` for an unknown capability and `SettingLocked` if nobody may move it.
    """
    pack = live().in_force().for_account(account.platform_id)
    if pack is None or capability not in pack.capabilities or capability in NOT_SETTINGS:
        raise Invalid(f"Unknown setting {capability[:80]!r}.")
    bounds = bounds_in_general(pack.ruling, capability, person_of(account))
    if bounds is None:
        raise SettingLocked
    return pack.capabilities[capability].kind, bounds


def check_value(kind: ValueKind, bounds: Bounds, value: Weekly) -> None:
    """Refuse a value, or a week of values, that is outside the bounds of a guardian.

    Raises `SettingLocked`, or `Invalid` for something that is no value of the kind.
    """
    floor, cap = bounds.guardian_floor, bounds.guardian_cap
    if not bounds.guardian_moves:
        raise SettingLocked
    try:
        for day in value if isinstance(value, tuple | list) else (value,):
            code = kind.code(day)
            if kind.clamp(code, floor, cap) != code:
                raise SettingLocked(f"{kind.value(floor)} .. {kind.value(cap)}")
        kind.code_on(value, None)
    except ValueError as error:
        raise Invalid(f"{error}.") from error


def check_choice(teen: Account, capability: str, value: Weekly) -> None:
    """Refuse a value that a guardian may not choose for a teen. Raises as `check_value`."""
    kind, bounds = bounds_for(teen, capability)
    check_value(kind, bounds, value)


@transaction.atomic
def choose_setting(
    *,
    guardian: Account,
    teen_id: str,
    capability: str,
    value: Weekly | None,
    actor: Actor | None = None,
) -> Pairing:
    """Choose a value for a teen as a guardian, or with None take the choice back.

    Locks the teen's account. Raises as `require_power` and `check_value` do.
    """
    pairing, teen = require_power(guardian=guardian, teen_id=teen_id)
    put_choice(pairing, teen, capability, value, actor or guardian.actor)
    return pairing


def put_choice(
    pairing: Pairing, teen: LockedAccount, capability: str, value: Weekly | None, actor: Actor
) -> None:
    """Replace a guardian's choice, settle it with the others', and tell the teen.

    Guardians who chose differently are told too.
    """
    if value is not None:
        check_choice(teen, capability, value)
    earlier = Choice.objects.filter(pairing=pairing, capability=capability, ended_at=None)
    earlier.update(ended_at=timezone.now(), ended_why="replaced")
    if value is not None:
        Choice.objects.create(pairing=pairing, capability=capability, value=value)
    record(
        actor=actor,
        subject=str(pairing),
        fact=(kinds.ChoiceMade if value is not None else kinds.ChoiceEnded)(
            capability=capability, value=value
        ),
    )
    settle(teen, capability, actor=actor)
    what = _sentence(teen, capability)
    tell(teen, "setting", other=name_in_notices(pairing.guardian), what=what)
    _tell_guardians_who_differ(teen, capability)


def _tell_guardians_who_differ(teen: Account, capability: str) -> None:
    """Tell each guardian that the most protective choice holds, if their choices differ."""
    choices = choices_of(teen).get(capability, [])
    if len({str(choice.value) for choice in choices}) < 2:
        return
    for choice in choices:
        guardian = choice.pairing.guardian
        what = _sentence(teen, capability, guardian.language)
        tell(guardian, "differ", other=name_in_notices(teen), what=what)


def _sentence(teen: Account, capability: str, language: str = "") -> str:
    return decide_afresh(teen, capability).sentence(language or teen.language)


@transaction.atomic
def choose_for_self(*, account: Account, capability: str, value: Weekly | None) -> None:
    """Set a value for oneself; None ends it. Locks the account.

    More protection than now always holds, at any age. Less holds as far as the pack and the
    guardians allow. Raises `SettingLocked` for a value that would not hold, and changes nothing.
    """
    account = lock_account(account.pk)
    if value is not None:
        bounds_for(account, capability)
    actor = account.actor
    make_setting(account=account, layer=Layer.SELF, capability=capability, value=value, actor=actor)
    if value is not None and not holds(account, capability, value):
        raise SettingLocked


def own_settings(account: Account) -> dict[str, Setting]:
    """Return what a person set for themselves, by capability."""
    settings = Setting.objects.filter(account=account, layer=Layer.SELF, ended_at=None, until=None)
    return {setting.capability: setting for setting in settings}


def _editor(
    *, guardian: Account | None, teen_id: str, account: Account
) -> tuple[Pairing | None, LockedAccount]:
    """Return who edits a teen's words, a guardian's pairing or None for the teen; and the teen."""
    if guardian is None:
        return None, lock_account(account.pk)
    return require_power(guardian=guardian, teen_id=teen_id)


def tidy_word(word: str) -> str:
    """Return a word in the form in which words are compared: case-folded, with single spaces."""
    return re.sub(r"\s+", " ", word).strip().casefold()


@transaction.atomic
def add_keyword(*, teen_id: str, word: str, guardian: Account | None, account: Account) -> None:
    """Add a word to leave out of a teen's feed and search, as a guardian or as the teen (None).

    Locks the teen's account. A word that is there already changes nothing.
    """
    pairing, teen = _editor(guardian=guardian, teen_id=teen_id, account=account)
    word = tidy_word(word)
    if not word or len(word) > MAX_WORD or not word.isprintable():
        raise Invalid(f"A word has 1 to {MAX_WORD} characters.")
    keywords = keywords_of(teen)
    if any(keyword.word == word for keyword in keywords):
        return
    if len(keywords) >= MAX_WORDS:
        raise Invalid(f"There are {MAX_WORDS} words already. Remove one first.")
    # Somebody without power may have left it out. That has no effect, and makes room for this.
    Keyword.objects.filter(teen=teen, word=word, ended_at=None).update(ended_at=timezone.now())
    Keyword.objects.create(teen=teen, pairing=pairing, word=word)
    _record_keyword(teen, pairing, kinds.KeywordAdded())


@transaction.atomic
def remove_keyword(
    *, teen_id: str, keyword_id: int, guardian: Account | None, account: Account
) -> None:
    """Remove a word. A guardian may remove anybody's, the teen only their own.

    Locks the teen's account. A word that is not there changes nothing.
    """
    pairing, teen = _editor(guardian=guardian, teen_id=teen_id, account=account)
    keywords = Keyword.objects.filter(pk=keyword_id, teen=teen, ended_at=None)
    if pairing is None:
        keywords = keywords.filter(pairing=None)
    if keywords.update(ended_at=timezone.now()):
        _record_keyword(teen, pairing, kinds.KeywordRemoved())


def _record_keyword(teen: Account, pairing: Pairing | None, fact: kinds.Fact) -> None:
    who = teen if pairing is None else pairing.guardian
    actor = who.actor
    record(actor=actor, subject=f"account:{teen.platform_id}", fact=fact)
    if pairing is not None:
        tell(teen, "keyword", other=name_in_notices(who))


def keywords_of(account: Account) -> list[Keyword]:
    """Return the words to leave out of an account's feed and search.

    Words of somebody who lost power stop at once.
    """
    keywords = Keyword.objects.select_related("pairing__guardian", "pairing__teen")
    return [
        keyword
        for keyword in keywords.filter(teen=account, ended_at=None)
        if keyword.pairing is None or in_power(keyword.pairing)
    ]


def guardians_of(teen: Account) -> list[Pairing]:
    """Return the live pairings of a teen, with their guardians."""
    return list(live_pairings().select_related("guardian").filter(teen=teen))
