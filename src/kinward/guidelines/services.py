"""Propose an edition of the guidelines, and decide on it. These are never the same person."""

from typing import Final
from uuid import UUID

from django.db import transaction

from kinward.access import Actor
from kinward.access.api import Staff, decide_agreement
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ground.events import Event
from kinward.ground.locks import in_turn
from kinward.guidelines.formats import decode
from kinward.guidelines.models import Edition, Pinned
from kinward.guidelines.queries import guidelines_in_force
from kinward.guidelines.reading import read_guidelines, shipped
from kinward.ledger.api import kinds, record

EDITION_PROPOSED: Final = Event("guidelines.edition_proposed")
SYSTEM: Final = Actor.system("guidelines")
MAX_WHY: Final = 2000
IN_FORCE: Final = "guidelines.in_force"  # a lock: one edition at a time comes into force


class VersionTaken(KinwardError):
    """There is an edition of this version already. Give the changed document a new version."""

    code = "guidelines.version_taken"
    status = 409


class GuidelinesOutdated(KinwardError):
    """The guidelines have changed since this was proposed. Base a new edition on those in force."""

    code = "guidelines.outdated"
    status = 409


@transaction.atomic
def pin_guidelines() -> None:
    """Store the document that ships, so that no upgrade replaces what is in force. Idempotent."""
    in_turn(IN_FORCE)
    if not Pinned.objects.exists():
        Pinned.objects.create(pk=1, text=shipped())
        subject = f"guidelines:{decode(shipped()).label}"
        record(actor=SYSTEM, subject=subject, fact=kinds.GuidelinesPinned())


@transaction.atomic
def propose_edition(*, text: str, why: str, staff: Staff) -> Edition:
    """Propose a document. A job simulates it over past cases.

    Raises `GuidelinesInvalid`, `VersionTaken`, or `Invalid` without a reason.
    """
    staff.must(Edition.permission)
    if not why.strip() or len(why) > MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    new = read_guidelines(text)
    base = guidelines_in_force().label
    taken = Edition.objects.filter(name=new.name, version=new.version).exists()
    if taken or new.label == base:
        raise VersionTaken(f"{new.label}.")
    edition = Edition.objects.create(
        name=new.name,
        version=new.version,
        text=text,
        base=base,
        why=why.strip(),
        asked_by=staff,
    )
    EDITION_PROPOSED.announce(edition_id=str(edition.id))
    record(
        actor=staff.actor,
        subject=f"guidelines:{edition}",
        fact=kinds.GuidelinesProposed(before=base, why=edition.why),
    )
    return edition


def get_edition(edition_id: UUID) -> Edition:
    """Return an edition by its id. Raises `NotFound`."""
    editions = Edition.objects.select_related("asked_by", "decided_by")
    try:
        return editions.get(pk=edition_id)
    except Edition.DoesNotExist as error:
        raise NotFound(f"There is no edition {edition_id}.") from error


@transaction.atomic
def decide_edition(*, edition_id: UUID, approve: bool, staff: Staff) -> Edition:
    """Approve an edition, which puts it in force, or reject it. The proposer cannot approve it.

    Raises `GuidelinesOutdated` if others are in force by now, `GuidelinesInvalid` if an edition
    proposed under earlier rules fails today's, and whatever `decide_agreement` raises.
    """
    in_turn(IN_FORCE)
    before = guidelines_in_force().label
    edition = decide_agreement(Edition, edition_id, approve=approve, staff=staff)
    if approve:
        if edition.base != before:
            raise GuidelinesOutdated(f"{before} is in force now.")
        read_guidelines(edition.text)
    record(
        actor=staff.actor,
        subject=f"guidelines:{edition}",
        fact=(kinds.GuidelinesApproved if approve else kinds.GuidelinesRejected)(why=edition.why),
    )
    return edition
