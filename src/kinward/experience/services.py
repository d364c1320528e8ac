"""Packs: store a version, activate it for all or a share, revert it, or run it as a shadow."""

from collections.abc import Mapping
from typing import Final

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import AgreementState
from kinward.experience.live import FIRST_PACK, UNPINNED, today
from kinward.experience.models import Activation, PackVersion, Proposal, Shadow
from kinward.ground.errors import Forbidden, Invalid, KinwardError, NotFound
from kinward.ground.locks import in_turn
from kinward.ledger.api import Entry, kinds, record
from kinward.people.api import Account
from kinward.policy import decode_pack, pack_digest, read_files, require_sound

SYSTEM: Final = Actor.system("experience")
IN_FORCE: Final = "experience.in_force"  # a lock: one activation at a time


class VersionTaken(KinwardError):
    """This version of the pack is stored with other rules. Give the changed pack a new version."""

    code = "pack.version_taken"
    status = 409


class NothingToRevert(KinwardError):
    """There is nothing to revert: the pack in force is the first one."""

    code = "pack.nothing_to_revert"
    status = 409


class RevertedAlready(KinwardError):
    """The pack before the newest one is in force again. To go further back, propose a pack."""

    code = "pack.reverted_already"
    status = 409


def store_pack(*, files: Mapping[str, str], actor: Actor) -> PackVersion:
    """Store a pack's files under its name and version. Idempotent.

    Raises `PackInvalid` for a pack with errors, and `VersionTaken` if other files have the version.
    """
    actor.must(Permission.CHANGE_POLICY)
    require_sound(files, today=today())
    return _store(files, actor)


@transaction.atomic
def _store(files: Mapping[str, str], actor: Actor) -> PackVersion:
    pack = decode_pack(files)
    version, new = PackVersion.objects.get_or_create(
        name=pack.name,
        version=pack.version,
        defaults={"digest": pack.digest, "files": dict(files), "made_by": str(actor)},
    )
    if version.digest != pack_digest(files):
        raise VersionTaken(f"{version} is stored already.")
    if new:
        record(actor=actor, subject=f"pack:{version}", fact=kinds.PackStored(digest=version.digest))
    return version


def current_pack() -> Activation:
    """Return the newest activation.

    Without any, stores the pack that ships as the first and returns an unsaved activation of it.
    """
    newest = Activation.objects.select_related("pack", "rest").order_by("-number").first()
    if newest is not None:
        return newest
    version = _store(read_files(FIRST_PACK), SYSTEM)
    return Activation(pack=version, share=100, actor=str(SYSTEM))


@transaction.atomic
def pin_first_pack() -> Activation:
    """Activate the pack that is in force without any activation, so that no upgrade replaces it.

    A database that nobody has used gets the edition that ships today. Any other keeps the one by
    which it has decided so far. Idempotent.
    """
    lock_pack_in_force()
    newest = Activation.objects.select_related("pack", "rest").order_by("-number").first()
    if newest is not None:
        return newest
    used = Entry.objects.exists() or Account.objects.exists()
    version = _store(read_files(UNPINNED if used else FIRST_PACK), SYSTEM)
    record(actor=SYSTEM, subject=f"pack:{version}", fact=kinds.PackActivated(share=100))
    return Activation.objects.create(pack=version, share=100, actor=str(SYSTEM))


def activate_proposal(proposal: Proposal, actor: Actor) -> Activation:
    """Activate an approved proposal, in the transaction of the approval. No other road leads here.

    `actor`: whoever approved it, or the system where it went ahead by itself. Raises `Forbidden` if
    it is not approved. The database allows one activation a proposal.
    """
    proposal = Proposal.objects.select_related("pack").get(pk=proposal.pk)
    if proposal.state != AgreementState.APPROVED:
        raise Forbidden(f"{proposal} is not approved.")
    return _activate(proposal.pack, actor, proposal.share, proposal)


def require_change(pack: PackVersion, share: int) -> PackVersion:
    """Return the pack that the accounts outside a share (percent) keep if a pack is activated.

    Raises `Invalid` where that would change nothing, or the share is none.
    """
    if not 1 <= share <= 100:
        raise Invalid("A share is from 1 to 100 percent.")
    now = current_pack()
    if (now.pack_id, now.share) == (pack.pk, share) and now.pk is not None:
        raise Invalid(f"{pack} is in force for {share} percent already.")
    # While a pack is staged, accounts outside its share keep the pack from before.
    before = now.rest if now.rest is not None else now.pack
    if share < 100 and before.pk == pack.pk:
        raise Invalid(f"{pack} is what the rest have. Stage another pack.")
    return before


def _activate(pack: PackVersion, actor: Actor, share: int, proposal: Proposal) -> Activation:
    """Activate a pack for a share (percent) of accounts. The rest keep the pack they had.

    Raises `PackInvalid` if today's checks refuse a version that was stored under earlier checks.
    """
    require_sound(pack.files, today=today())
    lock_pack_in_force()
    before, now = require_change(pack, share), current_pack()
    if now.pk is None:  # so that the first pack, too, can be reverted to
        now.save()
        record(actor=SYSTEM, subject=f"pack:{now.pack}", fact=kinds.PackActivated(share=100))
    activation = Activation.objects.create(
        pack=pack,
        rest=before if share < 100 else None,
        share=share,
        actor=str(actor),
        proposal=proposal,
    )
    record(
        actor=actor,
        subject=f"pack:{pack}",
        fact=kinds.PackActivated(
            share=share,
            before=str(now.pack),
            proposal=str(proposal.id),
        ),
    )
    return activation


@transaction.atomic
def revert_pack(*, actor: Actor) -> Activation:
    """Revert the newest activation that still counts, and activate again what was before it.

    One person can take back every step of the newest pack, and no pack before it. To go further
    takes a proposal. Raises `NothingToRevert` or `RevertedAlready`.
    """
    actor.must(Permission.CHANGE_POLICY)
    lock_pack_in_force()
    undone, before = _next_to_revert()
    activation = Activation.objects.create(
        pack=before.pack, rest=before.rest, share=before.share, actor=str(actor), reverts=undone
    )
    record(
        actor=actor,
        subject=f"pack:{undone.pack}",
        fact=kinds.PackReverted(back_to=str(before.pack), share=before.share),
    )
    return activation


def can_revert() -> bool:
    """Return whether `revert_pack` finds something to revert."""
    try:
        _next_to_revert()
    except (NothingToRevert, RevertedAlready):
        return False
    return True


def _next_to_revert() -> tuple[Activation, Activation]:
    in_effect = activations_in_effect()
    if len(in_effect) < 2:
        raise NothingToRevert
    newest = Activation.objects.filter(reverts=None).order_by("-number").first()
    if newest is not None and in_effect[-1].pack_id != newest.pack_id:
        raise RevertedAlready
    return in_effect[-1], in_effect[-2]


def activations_in_effect() -> list[Activation]:
    """Return the activations that were not reverted, oldest first."""
    stack: list[Activation] = []
    for activation in Activation.objects.select_related("pack", "rest").order_by("number"):
        if activation.reverts_id is None:
            stack.append(activation)
        elif stack:
            stack.pop()
    return stack


def lock_pack_in_force() -> None:
    """Let one transaction at a time change which pack is in force, from here to its end."""
    in_turn(IN_FORCE)


@transaction.atomic
def start_shadow(*, pack: PackVersion, actor: Actor) -> Shadow:
    """Start a shadow: a pack that decides beside the active one, without effect. Ends another."""
    actor.must(Permission.CHANGE_POLICY)
    stop_shadow(actor=actor)
    shadow = Shadow.objects.create(pack=pack, started_by=str(actor))
    record(actor=actor, subject=f"pack:{pack}", fact=kinds.PackShadowed())
    return shadow


@transaction.atomic
def stop_shadow(*, actor: Actor) -> bool:
    """End the shadow; return whether there was one."""
    actor.must(Permission.CHANGE_POLICY)
    shadow = Shadow.objects.select_related("pack").filter(ended_at=None).first()
    if shadow is None:
        return False
    shadow.ended_at = timezone.now()
    shadow.save(update_fields=["ended_at"])
    record(
        actor=actor, subject=f"pack:{shadow.pack}", fact=kinds.PackUnshadowed(asked=shadow.asked)
    )
    return True


def get_pack_version(name: str) -> PackVersion:
    """Return a stored version by `name version`, or by its name the newest. Raises `NotFound`."""
    title, _, version = name.partition(" ")
    versions = PackVersion.objects.filter(name=title)
    if version:
        versions = versions.filter(version=version)
    newest = versions.order_by("-made_at").first()
    if newest is None:
        raise NotFound(f"No pack {name!r} is stored. `kinward policy list` shows what is.")
    return newest
