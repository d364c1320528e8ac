"""Propose an edition of the guidelines, and decide on it. These are never the same person."""

from typing import Final
from uuid import UUID

from django.db import transaction

from kinward.access import Actor
from kinward.access.api import (
    Decider,
    Person,
    actor_of,
    alone_until,
    asked,
    carry_out_due,
    decide_agreement,
    due_to_go_ahead,
    go_ahead,
)
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
def propose_edition(*, text: str, why: str, staff: Person) -> Edition:
    """Propose a document. A job simulates it over past cases.

    Where nobody else can decide it goes ahead by itself, a day later. Before anybody has joined the
    staff, it does so at once.

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
        goes_ahead_at=alone_until(Edition, staff),
        **asked(staff),
    )
    EDITION_PROPOSED.announce(edition_id=str(edition.id))
    record(
        actor=actor_of(staff),
        subject=f"guidelines:{edition}",
        fact=kinds.GuidelinesProposed(before=base, why=edition.why),
    )
    _go_ahead(edition.pk)
    return get_edition(edition.pk)


def get_edition(edition_id: UUID) -> Edition:
    """Return an edition by its id. Raises `NotFound`."""
    editions = Edition.objects.select_related("asked_by", "decided_by", "glass")
    try:
        return editions.get(pk=edition_id)
    except Edition.DoesNotExist as error:
        raise NotFound(f"There is no edition {edition_id}.") from error


@transaction.atomic
def decide_edition(*, edition_id: UUID, approve: bool, staff: Decider) -> Edition:
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
        actor=actor_of(staff),
        subject=f"guidelines:{edition}",
        fact=(kinds.GuidelinesApproved if approve else kinds.GuidelinesRejected)(why=edition.why),
    )
    return edition


def go_ahead_alone() -> int:
    """Put editions in force whose moment has come without an answer; return how many."""
    return carry_out_due(due_to_go_ahead(Edition), _go_ahead)


def _go_ahead(edition_id: UUID) -> bool:
    """Let an edition go ahead if its moment has come. What is outdated waits for a person."""
    in_turn(IN_FORCE)
    edition = Edition.objects.get(pk=edition_id)
    if edition.base != guidelines_in_force().label:
        Edition.objects.filter(pk=edition_id).update(goes_ahead_at=None)
        return False
    if go_ahead(Edition, edition_id) is None:
        return False
    read_guidelines(edition.text)
    record(actor=SYSTEM, subject=f"guidelines:{edition}", fact=kinds.GuidelinesWentAhead())
    return True
