"""Queries for pages: activations, versions, proposals and the shadow. They may be stale."""

from django.db.models import QuerySet

from kinward.access.api import AgreementState
from kinward.experience.live import shipped
from kinward.experience.models import Activation, PackVersion, Proposal, Shadow
from kinward.policy import Pack, shipped_packs


def activation_history() -> QuerySet[Activation]:
    """Return every activation, newest first."""
    return Activation.objects.select_related("pack", "rest", "reverts__pack").order_by("-number")


def pack_versions() -> QuerySet[PackVersion]:
    """Return every stored version, newest first."""
    return PackVersion.objects.order_by("-made_at")


def list_proposals() -> QuerySet[Proposal]:
    """Return every proposal, newest first."""
    return Proposal.objects.select_related("pack", "base", "asked_by", "decided_by", "glass")


def newer_edition(version: PackVersion) -> Pack | None:
    """Return the edition that ships of a pack, if the given version is of an earlier one.

    A version that the console made, such as `2026.11+3`, is of the edition before the plus.
    """
    if version.name not in shipped_packs():
        return None
    newest = shipped(version.name)
    return None if version.version.partition("+")[0] == newest.version else newest


def waiting_proposals() -> int:
    """Count the proposals that wait for a decision."""
    return Proposal.objects.filter(state=AgreementState.ASKED).count()


def current_shadow() -> Shadow | None:
    """Return the running shadow, or else the one that ended last."""
    shadows = Shadow.objects.select_related("pack")
    return shadows.filter(ended_at=None).first() or shadows.order_by("-ended_at").first()
