"""Which rows of `access` stand for which entries: staff, roles, keys, and what was done alone."""

from collections.abc import Iterator
from typing import Any

from kinward.access.joining import Appointment, FactorReset, StaffInvitation
from kinward.access.log_key import LogKeyChange
from kinward.access.marks import (
    ANYWHERE,
    PEOPLE,
    asker_of_row,
    decider_of_row,
    is_approved,
    is_refused,
    marks_of_agreement,
)
from kinward.access.models import (
    ApiKey,
    BrokenGlass,
    KeyUse,
    RecentAttempts,
    Refusal,
    Staff,
    StaffIdentity,
)
from kinward.access.provisioned import ProvisionedGroup, ProvisionedPerson
from kinward.access.services import told_of_secret
from kinward.access.staff import listed
from kinward.ledger.api import (
    Counterpart,
    Mark,
    Told,
    declare,
    kinds,
    rowless,
    unrecorded,
)


def _role(row: Staff, told: Told) -> Iterator[str]:
    """The roles follow from the newest change, or from the making of an invented person."""
    changed, created = told.get("staff.role_changed"), told.get("staff.created")
    said = ""
    if changed is not None:
        said = changed.newest.data["role"]
    elif created is not None and not created.newest.data.get("invited_by"):
        said = created.newest.data["role"]
    if listed(row.roles) != said:
        have = listed(row.roles) or "none"
        yield f"Its roles are {have}, and the ledger says {said or 'none'}."


def _active(row: Staff, told: Told) -> Iterator[str]:
    """Who is suspended or has ended is not active, and nobody else is not."""
    newest = [
        told[kind].newest
        for kind in ("staff.suspended", "staff.resumed", "staff.ended")
        if kind in told
    ]
    last = max(newest, key=lambda entry: entry.pk).kind if newest else "staff.resumed"
    if row.is_active != (last == "staff.resumed"):
        yield f"It is {row.state}, and the ledger says otherwise."


def _confirmed(row: Appointment, told: Told) -> Iterator[str]:
    """A role that two people agreed to was put in force by the second of them."""
    if not is_approved(row) or "staff.role_changed" not in told:
        return
    changes = told["staff.role_changed"].entries
    decider = decider_of_row(row)
    if not any(e.actor == decider and row.role in e.data["role"].split(", ") for e in changes):
        yield "No entry says that this person put the role in force."


def _powers(row: ApiKey, told: Told) -> Iterator[str]:
    """Purposes, scopes and owner are those of the newest entry that names them."""
    said = [told[kind].newest for kind in ("key.created", "key.changed") if kind in told]
    newest = max(said, key=lambda entry: entry.pk, default=None)
    if newest is None:
        return
    for field in ("scopes", "purposes", "owner"):
        if newest.data.get(field, getattr(row, field)) != getattr(row, field):
            yield f"Its {field} are not those of its newest entry."


def _secret(row: ApiKey, told: Told) -> Iterator[str]:
    """The secret and its end are those of the newest entry that names them."""
    said = [
        told[kind].newest for kind in ("key.created", "key.changed", "key.rotated") if kind in told
    ]
    expires = row.expires_at.isoformat() if row.expires_at else ""
    for field, value in (("secret", told_of_secret(bytes(row.digest))), ("expires", expires)):
        naming = [entry for entry in said if field in entry.data]
        newest = max(naming, key=lambda entry: entry.pk, default=None)
        if newest is not None and newest.data[field] not in ("", value):
            yield f"Its {field} is not the one of its newest entry."


def _of_staff(row: Any) -> str:
    return str(row.staff.actor)


declare(
    Counterpart(
        name="staff",
        model=Staff,
        subject=lambda row: f"staff:{row.username}",
        field="username",
        marks=(
            Mark(facts=(kinds.StaffCreated,)),
            Mark(facts=(kinds.StaffEnded,), happened=lambda row: row.ended_at is not None),
        ),
        also=(
            kinds.StaffRoleChanged,
            kinds.StaffSuspended,
            kinds.StaffResumed,
            kinds.StaffSignedOut,
            kinds.StaffSignedIn,
            kinds.StaffLinked,
            kinds.StaffFactorAdded,
            kinds.StaffFactorRemoved,
            kinds.StaffProvisioned,
        ),
        checks=(_role, _active),
        made="date_joined",
    ),
    Counterpart(
        name="staff invitation",
        model=StaffInvitation,
        subject=lambda row: f"staff:{row.username}",
        field="",
        related=("asked_by",),
        group=lambda row: StaffInvitation.objects.filter(username=row.username).select_related(
            "asked_by"
        ),
        marks=(
            Mark(
                facts=(kinds.StaffInvited,),
                by=asker_of_row,
                same={
                    "role": lambda row: listed(row.roles),
                    "until": lambda row: row.expires_at.isoformat(),
                },
            ),
            Mark(
                facts=(kinds.StaffInvitationWithdrawn,),
                happened=lambda row: None if row.ended_at else False,
                more=True,
            ),
        ),
        made="made_at",
    ),
    Counterpart(
        name="appointment",
        model=Appointment,
        subject=_of_staff,
        field="",
        related=(*PEOPLE, "staff"),
        group=lambda row: Appointment.objects.filter(staff=row.staff_id).select_related(
            *PEOPLE, "staff"
        ),
        marks=(
            # A request that was withdrawn or replaced is deleted, so there may be more entries.
            Mark(facts=(kinds.StaffRoleAsked,), more=True),
            Mark(facts=(kinds.StaffRoleRefused,), happened=is_refused, more=True),
        ),
        also=(kinds.StaffRoleChanged,),
        checks=(_confirmed,),
        made="asked_at",
    ),
    Counterpart(
        name="factor reset",
        model=FactorReset,
        subject=_of_staff,
        field="",
        related=(*PEOPLE, "staff"),
        group=lambda row: FactorReset.objects.filter(staff=row.staff_id).select_related(
            *PEOPLE, "staff"
        ),
        marks=(
            *marks_of_agreement(
                asked=kinds.StaffFactorResetAsked, refused=kinds.StaffFactorResetRefused
            ),
            Mark(
                facts=(kinds.StaffFactorResetAgreed,),
                # Its owner may refuse it after two people have agreed.
                happened=lambda row: None if row.state == "refused" else is_approved(row),
                by=decider_of_row,
            ),
            Mark(facts=(kinds.StaffFactorReset,), happened=lambda row: row.done_at is not None),
        ),
        made="asked_at",
    ),
    Counterpart(
        name="key of the ledger",
        model=LogKeyChange,
        related=ANYWHERE,
        marks=marks_of_agreement(
            asked=kinds.LedgerRotationAsked,
            approved=kinds.LedgerRotationApproved,
            refused=kinds.LedgerRotationRefused,
            same={"before": lambda row: row.before, "after": lambda row: row.after},
        ),
        made="asked_at",
    ),
    Counterpart(
        name="break-glass",
        model=BrokenGlass,
        related=("reviewed_by",),
        marks=(
            Mark(
                facts=(kinds.GlassBroken,),
                by=lambda row: row.operator,
                same={"request": lambda row: row.request},
            ),
            Mark(
                facts=(kinds.GlassReviewed,),
                happened=lambda row: row.reviewed_at is not None,
                by=lambda row: str(row.reviewed_by.actor),
                same={"justified": lambda row: row.justified},
            ),
        ),
        made="at",
    ),
    Counterpart(
        name="API key",
        model=ApiKey,
        subject=lambda row: f"key:{row.name}",
        field="name",
        marks=(
            Mark(facts=(kinds.KeyCreated,)),
            Mark(
                facts=(kinds.KeyRevoked,),
                happened=lambda row: row.revoked_at is not None,
                same={"compromised": lambda row: row.compromised},
                once=False,  # it may turn out later that somebody else had it
            ),
        ),
        also=(kinds.KeyChanged, kinds.KeyRotated),
        checks=(_powers, _secret),
        made="created_at",
    ),
)
rowless("the secret of webhooks is a file beside the database", kinds.WebhookRotated)
rowless(
    "it says that a code or password was wrong, of which nothing is kept but a count",
    kinds.StaffSignInFailed,
)
rowless("the groups of the provider give roles, which are compared", kinds.StaffGroupChanged)
rowless("a backup is a file outside the database", kinds.BackupBegun)
unrecorded("counts calls, for the page of keys", KeyUse)
unrecorded("counts attempts for a day, to limit them", RecentAttempts)
unrecorded("counts what the gate refused", Refusal)
unrecorded("links a person to the provider, and gives no role", StaffIdentity)
unrecorded("what a provider said, from which roles follow that are compared", ProvisionedPerson)
unrecorded("what a provider said, from which roles follow that are compared", ProvisionedGroup)
