"""Which rows of `experience` stand for which entries: packs, what is in force, and settings."""

from collections.abc import Iterator, Sequence
from typing import Any

from kinward.access.api import ANYWHERE, marks_of_agreement
from kinward.experience.models import (
    Activation,
    PackVersion,
    Proposal,
    Setting,
    Shadow,
    ShadowDifference,
)
from kinward.ledger.api import Counterpart, Mark, Told, declare, id_of, kinds, unrecorded
from kinward.policy import pack_digest


def _packs(keys: Sequence[str]) -> set[str]:
    """Return the names of all stored packs. There are few."""
    versions = PackVersion.objects.values_list("name", "version")
    return {f"{name} {version}" for name, version in versions}


def _files(row: PackVersion, told: Told) -> Iterator[str]:
    if pack_digest(row.files) != row.digest:
        yield "Its files are not those of its digest."


def _about(row: Activation) -> str:
    return f"pack:{row.pack if row.reverts is None else row.reverts.pack}"


def _activations(row: Activation) -> list[Activation]:
    """Return the activations whose entries are about the same pack. There are few."""
    related = Activation.objects.select_related("pack", "reverts__pack", "proposal")
    return [one for one in related if _about(one) == _about(row)]


def _activated(keys: Sequence[str]) -> set[str]:
    related = Activation.objects.select_related("pack", "reverts__pack")
    return {id_of(_about(row)) for row in related}


def _shadowed(keys: Sequence[str]) -> set[str]:
    return {str(row.pack) for row in Shadow.objects.select_related("pack")}


def _made(row: Setting, told: Told) -> Iterator[str]:
    """Some entry says what a setting in force says. Enforcement's follow from sanctions."""
    entries = told["setting.made"].entries if "setting.made" in told else []
    values = [entry.data["value"] for entry in entries]
    if row.ended_at is None and row.layer != "enforcement" and row.value not in values:
        yield "No entry says that this setting was made."


def _setting(row: Any) -> str:
    return f"{row.account.platform_id} {row.layer} {row.capability}"


declare(
    Counterpart(
        name="pack",
        model=PackVersion,
        subject=lambda row: f"pack:{row}",
        find=_packs,
        marks=(Mark(facts=(kinds.PackStored,), same={"digest": lambda row: row.digest}),),
        checks=(_files,),
        made="made_at",
    ),
    Counterpart(
        name="activation",
        model=Activation,
        subject=_about,
        find=_activated,
        related=("pack", "reverts__pack", "proposal"),
        group=_activations,
        marks=(
            Mark(
                facts=(kinds.PackActivated,),
                happened=lambda row: row.reverts is None,
                by=lambda row: row.actor,
                same={
                    "share": lambda row: row.share,
                    "proposal": lambda row: row.proposal_id and str(row.proposal_id),
                },
            ),
            Mark(
                facts=(kinds.PackReverted,),
                happened=lambda row: row.reverts is not None,
                by=lambda row: row.actor,
                same={"share": lambda row: row.share, "back_to": lambda row: str(row.pack)},
            ),
        ),
        made="at",
    ),
    Counterpart(
        name="proposal",
        model=Proposal,
        related=(*ANYWHERE, "pack"),
        marks=marks_of_agreement(
            asked=kinds.ProposalMade,
            approved=kinds.ProposalApproved,
            refused=kinds.ProposalRejected,
            ahead=kinds.ProposalWentAhead,
            same={"pack": lambda row: str(row.pack)},
        ),
        defer=("simulation",),
        made="asked_at",
    ),
    Counterpart(
        name="shadow",
        model=Shadow,
        subject=lambda row: f"pack:{row.pack}",
        find=_shadowed,
        related=("pack",),
        group=lambda row: Shadow.objects.filter(pack=row.pack_id).select_related("pack"),
        marks=(
            Mark(facts=(kinds.PackShadowed,), by=lambda row: row.started_by),
            Mark(
                facts=(kinds.PackUnshadowed,),
                happened=lambda row: row.ended_at is not None,
                at=lambda row: row.ended_at,
            ),
        ),
        made="started_at",
    ),
    Counterpart(
        name="setting",
        model=Setting,
        subject=lambda row: f"account:{row.account.platform_id}",
        key=_setting,
        entry_key=lambda entry: (
            f"{(entry.subject or '').removeprefix('account:')} {entry.data['layer']}"
            f" {entry.data['capability']}"
        ),
        field="",
        related=("account",),
        group=lambda row: Setting.objects.filter(
            account=row.account_id, layer=row.layer, capability=row.capability
        ).select_related("account"),
        also=(kinds.SettingMade, kinds.SettingEnded),
        checks=(_made,),
        made="set_at",
    ),
)
unrecorded("counts what a shadow would decide otherwise", ShadowDifference)
