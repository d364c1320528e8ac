"""Release an account's records for legal process: one person asks, another approves.

A release names the authority, its reference, the account, the first and last day, and the
recipient's key. Once approved, its package can be made as often as needed. The hand-over is
recorded.
"""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.access.api import (
    AgreementState,
    Decider,
    Person,
    Staff,
    actor_of,
    asked,
    decide_agreement,
    lock_agreement,
)
from kinward.casebook.api import HANDED_OVER, Act, require_fresh
from kinward.custody.models import Release
from kinward.custody.package import items
from kinward.evidence.api import Packed, check_recipient, write_package
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ledger.api import kinds, record
from kinward.people.api import get_account

MAX_TEXT: Final = 200
MAX_WHY: Final = 2000


class NotApproved(KinwardError):
    """Another evidence custodian has to approve this release first."""

    code = "release.not_approved"
    status = 409


class ReleaseForm(msgspec.Struct, frozen=True, kw_only=True):
    """The records to release, from `since` through `until` in UTC, and their recipient."""

    account_id: str
    since: date
    until: date
    recipient: str
    to: str
    reference: str
    why: str


@transaction.atomic
def request_release(*, form: ReleaseForm, staff: Person) -> Release:
    """Request a release. Another person must approve it."""
    staff.must(Release.permission)
    require_fresh(Act.HAND_OVER)
    for name in ("to", "reference"):
        if not 1 <= len(getattr(form, name).strip()) <= MAX_TEXT:
            raise Invalid(f"{name} has 1 to {MAX_TEXT} characters.")
    if not 1 <= len(form.why.strip()) <= MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    if form.since > form.until:
        raise Invalid("The first day is not after the last.")
    release = Release.objects.create(
        account=get_account(form.account_id),
        since=form.since,
        until=form.until,
        recipient=check_recipient(form.recipient),
        to=form.to.strip(),
        reference=form.reference.strip(),
        why=form.why.strip(),
        **asked(staff),
    )
    record(
        actor=actor_of(staff),
        subject=str(release),
        fact=kinds.ReleaseAsked(
            account=release.account.platform_id,
            to=release.to,
            reference=release.reference,
            since=release.since.isoformat(),
            until=release.until.isoformat(),
        ),
    )
    return release


@transaction.atomic
def decide_release(*, release_id: UUID, approve: bool, staff: Decider) -> Release:
    """Approve or refuse a release. The person who asked may refuse it but not approve it."""
    if approve:
        require_fresh(Act.HAND_OVER)
    release = decide_agreement(Release, release_id, approve=approve, staff=staff)
    fact = kinds.ReleaseApproved() if approve else kinds.ReleaseRefused()
    record(actor=actor_of(staff), subject=str(release), fact=fact)
    return release


def make_package(*, release_id: UUID, path: Path, actor: Actor) -> Packed:
    """Write an approved release's package to a path, encrypted for its recipient."""
    actor.must(Release.permission)
    release = get_release(release_id)
    if release.state not in (AgreementState.APPROVED, HANDED_OVER):
        raise NotApproved(f"It is {release.state}.")
    since, until = _moments(release)
    packed = write_package(
        path,
        recipients=[release.recipient],
        title=f"Records of account {release.account.platform_id}",
        facts={
            "Platform": config().platform_name,
            "Account": release.account.platform_id,
            "From": since.isoformat(),
            "Before": until.isoformat(),
            "For": release.to,
            "Reference": release.reference,
            "Release": str(release.id),
            "Asked by": release.asker,
            "Approved by": release.decider,
        },
        items=items(release.account, since, until, agreed=release, actor=actor),
    )
    with transaction.atomic():
        record(
            actor=actor,
            subject=str(release),
            fact=kinds.ReleasePacked(files=packed.files, sha256=packed.sha256),
        )
    return packed


def _moments(release: Release) -> tuple[datetime, datetime]:
    since = datetime.combine(release.since, time.min, UTC)
    return since, datetime.combine(release.until, time.min, UTC) + timedelta(days=1)


@transaction.atomic
def record_hand_over(*, release_id: UUID, to: str, staff: Staff) -> Release:
    """Record that a package was handed over, and to whom."""
    require_fresh(Act.HAND_OVER)
    release = lock_agreement(Release, release_id, staff=staff)
    if release.state != AgreementState.APPROVED:
        raise NotApproved(f"It is {release.state}.")
    if not 1 <= len(to.strip()) <= MAX_TEXT:
        raise Invalid(f"Say to whom, in 1 to {MAX_TEXT} characters.")
    release.state, release.handed_to = HANDED_OVER, to.strip()
    release.handed_at, release.handed_by = timezone.now(), staff
    release.save(update_fields=["state", "handed_to", "handed_at", "handed_by"])
    record(
        actor=staff.actor, subject=str(release), fact=kinds.ReleaseHandedOver(to=release.handed_to)
    )
    return release


def get_release(release_id: UUID) -> Release:
    """Return a release by its id. Raises `NotFound`."""
    releases = Release.objects.select_related("account", "asked_by", "decided_by")
    try:
        return releases.get(pk=release_id)
    except Release.DoesNotExist as error:
        raise NotFound(f"There is no release {release_id}.") from error
