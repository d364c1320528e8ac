"""Proposing an edition of the guidelines, and deciding on it: never the same person."""

from typing import Final
from uuid import UUID

from django.db import transaction

from kinward.access.api import Staff, decide_agreement
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.events import Event
from kinward.guidelines.models import Edition
from kinward.guidelines.queries import guidelines_in_force
from kinward.guidelines.reading import read_guidelines
from kinward.ledger.api import record

EDITION_PROPOSED: Final = Event("guidelines.edition_proposed")
MAX_WHY: Final = 2000


class VersionTaken(KinwardError):
    """There is an edition of this version already. Give the changed document a new version."""

    code = "guidelines.version_taken"
    status = 409


@transaction.atomic
def propose_edition(*, text: str, why: str, staff: Staff) -> Edition:
    """Propose a document; what it would have done to past cases is counted by a job."""
    staff.must(Edition.permission)
    if not why.strip() or len(why) > MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    read = read_guidelines(text)
    taken = Edition.objects.filter(name=read.name, version=read.version).exists()
    if taken or read.label == guidelines_in_force().label:
        raise VersionTaken(f"{read.label}.")
    made = Edition.objects.create(
        name=read.name, version=read.version, text=text, why=why.strip(), asked_by=staff
    )
    EDITION_PROPOSED.announce(edition_id=str(made.id))
    record(
        actor=staff.actor,
        kind="guidelines.proposed",
        subject=f"guidelines:{made}",
        before=guidelines_in_force().label,
        why=made.why,
    )
    return made


def get_edition(edition_id: UUID) -> Edition:
    """The edition by its id."""
    found = Edition.objects.select_related("asked_by", "decided_by")
    try:
        return found.get(pk=edition_id)
    except Edition.DoesNotExist as error:
        raise NotFound(f"There is no edition {edition_id}.") from error


@transaction.atomic
def decide_edition(*, edition_id: UUID, approve: bool, staff: Staff) -> Edition:
    """Approve an edition, which puts it in force, or reject it. The proposer cannot approve.

    Raises `GuidelinesInvalid` when today's rules refuse what was proposed under earlier ones.
    """
    if approve:
        read_guidelines(get_edition(edition_id).text)
    edition = decide_agreement(Edition, edition_id, approve=approve, staff=staff)
    record(
        actor=staff.actor,
        kind="guidelines.approved" if approve else "guidelines.rejected",
        subject=f"guidelines:{edition}",
        why=edition.why,
    )
    return edition
