"""What guardians and people set for themselves: made, replaced, ended; never deleted.

Also what enforcement withholds.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.live import decide_all, live, load_states
from kinward.experience.models import Layer, Setting
from kinward.ground.errors import Invalid
from kinward.ground.watch import watch
from kinward.ledger.api import record
from kinward.people.api import Account, LockedAccount, lock_account
from kinward.policy import About, Decision, Pack, Request, Weekly, answer_request, decide


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
    """Set a value, or a week of seven, in place of an earlier one; None ends what was set.

    With `until` it holds up to then, before the lasting one. A value outside the bounds is kept as
    it was meant: the decision brings it inside, and says so.
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
    made = None
    if value is not None:
        made = Setting.objects.create(
            account=account,
            layer=layer,
            capability=capability,
            value=value,
            set_by=str(actor),
            until=until,
        )
    record(
        actor=actor,
        kind="setting.made" if made else "setting.ended",
        subject=f"account:{account.platform_id}",
        layer=str(layer),
        capability=capability,
        value=value,
        **({} if until is None else {"until": until.isoformat()}),
    )
    return made


def end_guardian_settings(account: LockedAccount, capabilities: list[str], why: str) -> list[str]:
    """End a guardian's settings for capabilities; returns those that there were."""
    lasting = _end(account, Layer.GUARDIAN, capabilities, why, passing=False)
    return sorted({*lasting, *_end(account, Layer.GUARDIAN, capabilities, why, passing=True)})


def withhold(*, account: LockedAccount, until: Mapping[str, datetime | None], why: str) -> None:
    """Withhold exactly these capabilities, each until a moment or for good. The caller records.

    Whatever else was withheld is given back.
    """
    watch().changed("account", account.platform_id)
    made = Setting.objects.filter(account=account, layer=Layer.ENFORCEMENT, ended_at=None)
    held = {each.capability: each for each in made}
    wrong = [
        each.pk for name, each in held.items() if name not in until or each.until != until[name]
    ]
    Setting.objects.filter(pk__in=wrong).update(ended_at=timezone.now(), ended_why=why[:80])
    for name in sorted(until):
        if name not in held or held[name].pk in wrong:
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
    made = Setting.objects.filter(
        account=account,
        layer=layer,
        capability__in=capabilities,
        ended_at=None,
        until__isnull=not passing,
    )
    ended = list(made.values_list("capability", flat=True))
    made.update(ended_at=timezone.now(), ended_why=why)
    return sorted(ended)


def decide_afresh(account: Account, capability: str) -> Decision:
    """One decision as this transaction has it, past what is remembered."""
    request = Request(capability=capability, actor=About(id=account.platform_id))
    states = load_states([account.platform_id])
    return decide_all(live().in_force(), [request], states)[0]


def decide_as_it_stands(account: Account, pack: Pack) -> dict[str, Decision]:
    """Every capability of an account at this moment, without those that enforcement withholds."""
    states = load_states([account.platform_id])
    actor = About(id=account.platform_id)
    return {
        name: answer_request(pack, Request(capability=name, actor=actor), states)
        for name in pack.capabilities
    }


def decide_everything(account: Account, pack: Pack) -> dict[str, Decision]:
    """Every capability of an account by the rules and the settings alone, at this moment."""
    state = load_states([account.platform_id])[account.platform_id]
    return {
        name: decide(
            pack,
            name,
            state.person,
            guardian=state.guardian.get(name),
            self_=state.self_.get(name),
        )
        for name in pack.capabilities
    }
