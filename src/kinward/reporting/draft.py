"""What a report says, in nobody's format: each authority renders it in its own."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from kinward.guidelines.rules import Incident

Classification = Literal["", "A1", "A2", "B1", "B2"]


class IpEvent(msgspec.Struct, frozen=True):
    """An address that was seen, when, and doing what."""

    ip: str
    at: datetime
    port: int | None = None
    event: Literal["Upload"] = "Upload"


class ReportedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account reported: the platform's id, and what else the platform gave."""

    platform_id: str
    screen_name: str = ""
    terminated_at: datetime | None = None
    ip_events: list[IpEvent] = []


class ReportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a report. `viewed` is true only when a person saw all of it in its case."""

    evidence_id: UUID
    filename: str
    uploaded_at: datetime
    hashes: dict[str, str]
    viewed: bool
    public: bool | None = None
    classification: Classification = ""
    annotations: list[str] = []
    ip_event: IpEvent | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a report says. Nothing that is optional to the authority is required here."""

    case_id: UUID
    incident: Incident
    incident_at: datetime
    platform: str
    account: ReportedAccount
    files: list[ReportedFile] = []
    annotations: list[str] = []
    additional_info: str = ""


def to_json(draft: Draft) -> dict[str, object]:
    """The draft as JSON values, to keep in the database."""
    built: dict[str, object] = msgspec.to_builtins(draft)
    return built


def from_json(value: object) -> Draft:
    """The draft again."""
    return msgspec.convert(value, Draft)
