"""Settings of guardians, of people for themselves, and of enforcement. They end, but are kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta

import msgspec
from django.db import transaction
from django.utils import timezone
from msgspec.structs import replace

from kinward.access import Actor
from kinward.experience.live import decide_all, live, load_states
from kinward.experience.models import Layer, Setting
from kinward.ground.errors import Invalid
from kinward.ground.watch import watch
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, local_day, lock_account
from kinward.policy import (
    WEEK,
    About,
    Decision,
    Pack,
    Request,
    State,
    Weekly,
    answer_request,
    decide_in_state,
)


@transaction.atomic
def make_setting(
    *,
    account: Account,
    layer: Layer,
    capability: str,
    value: Weekly | None,
    actor: Actor,
    until: datetime | None = None,
) -> Setting | None:
    """Replace a layer's setting by a value or by a week of seven values; None ends the setting.

    With `until` the setting is temporary, and takes precedence over the permanent one until then.
    A value outside the bounds is stored as it is: decisions clamp it and give that as a reason.
    Raises `Invalid` for an unknown capability or value. Locks the account.
    """
    pack = live().in_force().for_account(account.platform_id)
    known = None if pack is None else pack.capabilities.get(capability)
    if known is None:
        raise Invalid(f"Unknown capability {capability[:80]!r}.")
    try:
        if value is not None:
            known.kind.code_on(value, None)
    except ValueError as error:
        raise Invalid(f"{capability}: {error}.") from error
    watch().changed("account", account.platform_id)
    lock_account(account.pk)
    _end(account, layer, [capability], "replaced", passing=until is not None)
    setting = None
    if value is not None:
        setting = Setting.objects.create(
            account=account,
            layer=layer,
            capability=capability,
            value=value,
            set_by=str(actor),
            until=until,
        )
    record(
        actor=actor,
        subject=f"account:{account.platform_id}",
        fact=(kinds.SettingMade if setting else kinds.SettingEnded)(
            layer=str(layer),
            capability=capability,
            value=value,
            **{} if until is None else {"until": until.isoformat()},
        ),
    )
    return setting


def end_guardian_settings(account: LockedAccount, capabilities: list[str], why: str) -> list[str]:
    """End the guardian settings for capabilities; return the capabilities that had one."""
    permanent = _end(account, Layer.GUARDIAN, capabilities, why, passing=False)
    asleep = _end(account, Layer.ASLEEP, capabilities, why, passing=False)
    passing = _end(account, Layer.GUARDIAN, capabilities, why, passing=True)
    return sorted({*permanent, *asleep, *passing})


def withhold(*, account: LockedAccount, until: Mapping[str, datetime | None], why: str) -> None:
    """Withhold exactly these capabilities, each until a moment or for good (None).

    Gives back whatever else was withheld. The caller writes the ledger entry.
    """
    watch().changed("account", account.platform_id)
    settings = Setting.objects.filter(account=account, layer=Layer.ENFORCEMENT, ended_at=None)
    withheld = {setting.capability: setting for setting in settings}
    outdated = [
        setting.pk
        for name, setting in withheld.items()
        if name not in until or setting.until != until[name]
    ]
    Setting.objects.filter(pk__in=outdated).update(ended_at=timezone.now(), ended_why=why[:80])
    for name in sorted(until):
        if name not in withheld or withheld[name].pk in outdated:
            Setting.objects.create(
                account=account,
                layer=Layer.ENFORCEMENT,
                capability=name,
                value=False,
                set_by="system:enforcement",
                until=until[name],
            )


def _end(
    account: Account, layer: Layer, capabilities: list[str], why: str, *, passing: bool
) -> list[str]:
    settings = Setting.objects.filter(
        account=account,
        layer=layer,
        capability__in=capabilities,
        ended_at=None,
        until__isnull=not passing,
    )
    ended = list(settings.values_list("capability", flat=True))
    settings.update(ended_at=timezone.now(), ended_why=why)
    return sorted(ended)


class GuardianValues(msgspec.Struct, frozen=True):
    """What guardians want, by capability: those in power, and those whose choices sleep."""

    in_power: Mapping[str, Weekly]
    asleep: Mapping[str, Weekly] = {}


def decide_afresh(
    account: Account, capability: str, guardian: GuardianValues | None = None
) -> Decision:
    """Decide one capability from the database, past the caches, as this transaction sees it.

    `guardian`: what guardians want, to decide by instead of what is in force.
    """
    request = Request(capability=capability, actor=About(id=account.platform_id))
    return decide_with(account, [request], guardian)[0]


def decide_with(
    account: Account, requests: Sequence[Request], guardian: GuardianValues | None
) -> list[Decision]:
    """Decide requests of one account afresh, by these values of guardians if any are given."""
    states = load_states([account.platform_id])
    states = {name: _by_values(state, guardian) for name, state in states.items()}
    return decide_all(live().in_force(), requests, states)


def _by_values(state: State, guardian: GuardianValues | None) -> State:
    if guardian is None:
        return state
    return replace(state, guardian=guardian.in_power, asleep=guardian.asleep)


def decide_as_it_stands(account: Account, pack: Pack) -> dict[str, Decision]:
    """Decide every capability of an account now, including what enforcement withholds."""
    states = load_states([account.platform_id])
    actor = About(id=account.platform_id)
    return {
        name: answer_request(pack, Request(capability=name, actor=actor), states)
        for name in pack.capabilities
    }


def decide_everything(
    account: Account, pack: Pack, guardian: GuardianValues | None = None
) -> dict[str, Decision]:
    """Decide every capability of an account now by rules and settings, ignoring enforcement.

    `guardian`: what guardians want, to decide by instead of what is in force.
    """
    state = _by_values(load_states([account.platform_id])[account.platform_id], guardian)
    return {name: decide_in_state(pack, name, state) for name in pack.capabilities}


def holds(
    account: Account, capability: str, value: Weekly, guardian: GuardianValues | None = None
) -> bool:
    """Return whether a value is exactly what rules and settings give an account, on each weekday.

    `guardian`: what guardians want, to decide by instead of what is in force.

    Read from the database, as this transaction sees it. A sanction or a missing consent can close
    the capability all the same. Raises `ValueError` for something that is no value of the kind.
    """
    pack = live().in_force().for_account(account.platform_id)
    known = None if pack is None else pack.capabilities.get(capability)
    if pack is None or known is None:
        return False
    state = _by_values(load_states([account.platform_id])[account.platform_id], guardian)
    state = replace(state, person=replace(state.person, consent_withdrawn=False, change=""))
    first = datetime.combine(local_day(account.time_zone), time())
    days = [first + timedelta(days=number) for number in range(WEEK)]
    return all(
        decide_in_state(pack, capability, state, at=day).code
        == known.kind.code_on(value, day.weekday())
        for day in days
    )
