"""What guardians and people set for themselves: made, replaced, ended; never deleted."""

from django.db import transaction
from django.utils import timezone

from kinward.errors import Invalid
from kinward.experience.live import live, load_states
from kinward.experience.models import Layer, Setting
from kinward.ledger.services import record
from kinward.people.models import Account
from kinward.people.services import lock_account
from kinward.policy import Decision, Pack, decide
from kinward.policy.values import Value
from kinward.watch import watch


@transaction.atomic
def make_setting(
    *, account: Account, layer: Layer, capability: str, value: Value | None, actor: str
) -> Setting | None:
    """Set a value, in place of an earlier one; None ends what was set.

    A value outside the bounds is kept as it was meant: the decision brings it inside, and says so.
    """
    pack = live().in_force().for_account(account.platform_id)
    known = None if pack is None else pack.capabilities.get(capability)
    if known is None:
        raise Invalid(f"Unknown capability {capability[:80]!r}.")
    try:
        if value is not None:
            known.kind.code(value)
    except ValueError as error:
        raise Invalid(f"{capability}: {error}.") from error
    watch().changed("account", account.platform_id)
    lock_account(account.pk)
    _end(account, layer, [capability], "replaced")
    made = None
    if value is not None:
        made = Setting.objects.create(
            account=account, layer=layer, capability=capability, value=value, set_by=actor
        )
    record(
        actor=actor,
        kind="setting.made" if made else "setting.ended",
        subject=f"account:{account.platform_id}",
        layer=str(layer),
        capability=capability,
        value=value,
    )
    return made


def end_guardian_settings(account: Account, capabilities: list[str], why: str) -> list[str]:
    """End a guardian's settings for capabilities; returns those that there were."""
    return _end(account, Layer.GUARDIAN, capabilities, why)


def _end(account: Account, layer: Layer, capabilities: list[str], why: str) -> list[str]:
    made = Setting.objects.filter(
        account=account, layer=layer, capability__in=capabilities, ended_at=None
    )
    ended = list(made.values_list("capability", flat=True))
    made.update(ended_at=timezone.now(), ended_why=why)
    return sorted(ended)


def decide_everything(account: Account, pack: Pack) -> dict[str, Decision]:
    """Every capability of an account, as the database has it at this moment."""
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
