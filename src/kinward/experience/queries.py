"""Reading what is in force, what was, and what is proposed."""

from django.db.models import QuerySet

from kinward.access.api import AgreementState
from kinward.experience.models import Activation, PackVersion, Proposal, Shadow


def activation_history() -> QuerySet[Activation]:
    """Every activation, the newest first."""
    return Activation.objects.select_related("pack", "rest", "reverts__pack").order_by("-number")


def pack_versions() -> QuerySet[PackVersion]:
    """Every stored version, the newest first."""
    return PackVersion.objects.order_by("-made_at")


def list_proposals() -> QuerySet[Proposal]:
    """Every proposal, the newest first."""
    return Proposal.objects.select_related("pack", "base", "asked_by", "decided_by")


def waiting_proposals() -> int:
    """How many proposals wait for a decision."""
    return Proposal.objects.filter(state=AgreementState.ASKED).count()


def current_shadow() -> Shadow | None:
    """The shadow that runs, or else the last one that ran."""
    found = Shadow.objects.select_related("pack")
    return found.filter(ended_at=None).first() or found.order_by("-ended_at").first()
