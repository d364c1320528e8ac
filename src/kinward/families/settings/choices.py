"""Choices: of a guardian for a teen, and of a person for themselves."""

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
from kinward.families.models import Choice, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.homes import are_apart
from kinward.families.pairing.power import is_held, live_pairings, require_power
from kinward.families.pairing.proof import method_of, refuse_loosening
from kinward.families.settings.cooling import is_cooling_quietly, refuse_tightening, tightens
from kinward.families.settings.groups import NOT_SETTINGS
from kinward.families.settings.held import hold_choice, shown_values
from kinward.families.settings.settlement import choices_of, settle
from kinward.ground.errors import Invalid
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, lock_account
from kinward.policy import Bounds, Decision, ValueKind, Weekly, bounds_in_general


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
    pairing: Pairing,
    teen: LockedAccount,
    capability: str,
    value: Weekly | None,
    actor: Actor,
    *,
    agreed: bool = False,
    held: bool = False,
) -> None:
    """Replace a guardian's choice, settle it with the others', and tell the teen.

    Raises `GuardianUnproven` for a value that is looser than the default, from a guardian who is
    not proven for it. `agreed`: the teen asked for it or said yes. Otherwise raises
    `GuardianCooling` where the guardian may not tighten alone now. `held`: it is part of a grant
    that is held.

    Guardians who chose differently are told too. During a quiet dispute the choice is held, and
    looks to its guardian and to the teen as if it were in force.
    """
    if value is not None:
        check_choice(teen, capability, value)
        refuse_loosening(pairing, capability, value)
    held = held or is_held(pairing)
    if not agreed and tightens(pairing, teen, capability, value):
        refuse_tightening(pairing, capability)
        held = held or is_cooling_quietly(pairing)
    write_choice(pairing, teen, capability, value, actor, held=held)
    what = _sentence(teen, capability, teen)
    tell(teen, "setting", other=name_in_notices(pairing.guardian), what=what)
    _tell_guardians_who_differ(pairing, teen, capability, only_quiet=held)


def write_choice(
    pairing: Pairing,
    teen: LockedAccount,
    capability: str,
    value: Weekly | None,
    actor: Actor,
    *,
    held: bool,
) -> None:
    """Write a choice that was checked, as held or in force, with its proof, and settle it."""
    if held:
        hold_choice(pairing, capability, value, actor)
    else:
        _replace_choice(pairing, capability, value, actor)
    settle(teen, capability, actor=actor)


def _replace_choice(pairing: Pairing, capability: str, value: Weekly | None, actor: Actor) -> None:
    earlier = Choice.objects.filter(pairing=pairing, capability=capability, ended_at=None)
    earlier.update(ended_at=timezone.now(), ended_why="replaced")
    fact: kinds.Fact = kinds.ChoiceEnded(capability=capability, value=value)
    if value is not None:
        proof = method_of(pairing.guardian, pairing.teen)
        Choice.objects.create(pairing=pairing, capability=capability, value=value, proof=proof)
        fact = kinds.ChoiceMade(capability=capability, value=value, proof=proof)
    record(actor=actor, subject=str(pairing), fact=fact)


def _tell_guardians_who_differ(
    pairing: Pairing, teen: Account, capability: str, *, only_quiet: bool
) -> None:
    """Tell each guardian that the most protective choice holds, if their choices differ.

    Each of them hears it as their own pages show it, and of guardians whose homes are not apart.
    `pairing`: whose guardian has just chosen. `only_quiet`: only those for whom it changed.
    """
    for quiet in (True,) if only_quiet else (False, True):
        choices = choices_of(teen, held=quiet).get(capability, [])
        choices = [choice for choice in choices if not are_apart(choice.pairing, pairing)]
        if len({str(choice.value) for choice in choices}) < 2:
            continue
        for choice in choices:
            guardian = choice.pairing.guardian
            if choice.pairing.quiet == quiet:
                what = _sentence(teen, capability, guardian)
                tell(guardian, "differ", other=name_in_notices(teen), what=what)


def decide_as_shown(teen: Account, capability: str, reader: Account) -> Decision:
    """Decide one capability of a teen as a reader's pages show it."""
    return decide_afresh(teen, capability, shown_values(teen, reader))


def _sentence(teen: Account, capability: str, reader: Account) -> str:
    return decide_as_shown(teen, capability, reader).sentence(reader.language or teen.language)


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
    # As the person's own page shows it: during a quiet dispute, too, it says nothing of that.
    shown = shown_values(account, account)
    if value is not None and not holds(account, capability, value, shown):
        raise SettingLocked


def own_settings(account: Account) -> dict[str, Setting]:
    """Return what a person set for themselves, by capability."""
    settings = Setting.objects.filter(account=account, layer=Layer.SELF, ended_at=None, until=None)
    return {setting.capability: setting for setting in settings}


def guardians_of(teen: Account) -> list[Pairing]:
    """Return the live pairings of a teen, with their guardians."""
    return list(live_pairings().select_related("guardian").filter(teen=teen))
