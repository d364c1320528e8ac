"""The console's forms as structs."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeVar, cast, get_type_hints
from uuid import UUID

import msgspec
from django.http import QueryDict

from kinward.evidence.api import evidence_of_case
from kinward.ground.errors import Invalid
from kinward.ground.text import whole_number
from kinward.reporting.api import PlaceKind
from kinward.verdicts.api import DECISIONS, Decision, ReportDetails, VerdictForm, Where

Form = TypeVar("Form", bound=msgspec.Struct)


def fill(form: type[Form], sent: QueryDict) -> Form:
    """Fill a struct from the form fields of the same names. Raises `Invalid` for a wrong value.

    A missing text is empty, and a box that is not ticked is False.
    """
    types = get_type_hints(form)
    return form(**{name: _READERS[types[name]](sent, name) for name in form.__struct_fields__})


def _read_text(sent: QueryDict, name: str) -> str:
    return sent.get(name) or ""


def _read_number(sent: QueryDict, name: str) -> int | None:
    return whole_number(_read_text(sent, name))


def _read_day(sent: QueryDict, name: str) -> date:
    try:
        return date.fromisoformat(_read_text(sent, name))
    except ValueError as error:
        raise Invalid("Write a day like this: 2026-01-31.") from error


def _read_case_id(sent: QueryDict, name: str) -> UUID:
    try:
        return UUID(_read_text(sent, name).strip())
    except ValueError as error:
        raise Invalid("Enter the full ID of the case.") from error


_READERS: Final[dict[Any, Callable[[QueryDict, str], Any]]] = {
    str: _read_text,
    bool: lambda sent, name: sent.get(name) in ("yes", "on"),
    int | None: _read_number,
    date: _read_day,
    UUID: _read_case_id,
    list[str]: lambda sent, name: sent.getlist(name),
}


class VerdictSent(msgspec.Struct, frozen=True, kw_only=True):
    """The form for a verdict, without its classifications: those have one field for each file."""

    outcome: str
    clause: str
    note: str
    all_files: str
    annotations: list[str]
    bank: bool
    escalate: str
    description: str
    victim: list[str]  # ticked accounts; `victims` is typed text, ids separated by spaces
    victims: str
    recipient: list[str]
    recipients: str
    where_kind: str
    where_name: str
    where_about: str
    chat: str
    silent_days: int | None
    silent_why: str


def read_verdict(sent: QueryDict, case_id: UUID) -> VerdictForm:
    """Read the form for a verdict on this case. Raises `Invalid` if no outcome was chosen."""
    form = fill(VerdictSent, sent)
    if form.outcome not in DECISIONS:
        raise Invalid("Choose a verdict.")
    return VerdictForm(
        outcome=cast("Decision", form.outcome),
        clause=form.clause,
        note=form.note,
        classifications=_classify_all(case_id, form.all_files) | _classifications(sent),
        annotations=form.annotations,
        details=ReportDetails(
            escalate=form.escalate.strip(),
            description=form.description.strip(),
            victims=_unique([*form.victim, *form.victims.split()]),
            recipients=_unique([*form.recipient, *form.recipients.split()]),
            where=_places(form),
            chat=form.chat.replace("\r\n", "\n").strip(),
        ),
        bank=form.bank,
        silent_days=form.silent_days or 0,
        silent_why=form.silent_why,
    )


def _unique(accounts: list[str]) -> list[str]:
    return list(dict.fromkeys(accounts))


def _places(form: VerdictSent) -> list[Where]:
    """Return the other place where it happened, if its kind was chosen."""
    if not form.where_kind:
        return []
    kind = cast("PlaceKind", form.where_kind)
    return [Where(kind, form.where_name.strip(), form.where_about.strip())]


def _classify_all(case_id: UUID, classification: str) -> dict[str, str]:
    """Give every file of a case, except chat excerpts, the same classification."""
    if not classification:
        return {}
    files = (file for file in evidence_of_case(case_id) if not file.is_excerpt)
    return {str(file.id): classification for file in files}


def _classifications(sent: QueryDict) -> dict[str, str]:
    """Return the classifications of single files, which override the one for all files."""
    prefix = "classification:"
    return {
        name.removeprefix(prefix): str(value)
        for name, value in sent.items()
        if name.startswith(prefix) and value
    }


class HandOverSent(msgspec.Struct, frozen=True):
    """The recipient of a hand-over, and the number that the recipient assigned, if any."""

    to: str
    reference: str


class HoldSent(msgspec.Struct, frozen=True):
    """A case whose evidence is put under legal hold, with a reference, or is to leave it."""

    case: UUID
    reference: str
    ends: bool
    why: str


class DestructionSent(msgspec.Struct, frozen=True):
    """A request to destroy a case's evidence, and the authority that asked for it."""

    case: UUID
    asked_for_by: str
    reference: str


class ErasureSent(msgspec.Struct, frozen=True):
    """A request to erase an account, by the platform's id of it."""

    account: str
    why: str


class SilenceSent(msgspec.Struct, frozen=True):
    """Days of silence towards the account holder, the reason, and the reference of an order."""

    days: int | None
    why: str
    reference: str


class LookSent(msgspec.Struct, frozen=True):
    """What to show of a file: one strand of it or all, from which picture on, and as a film."""

    strand: int | None
    start: int | None
    moving: bool


class ViewingSent(msgspec.Struct, frozen=True):
    """A person's preferences for viewing files."""

    described: bool
    in_colour: bool
    larger: bool
    at_most: int | None


class RuleSent(msgspec.Struct, frozen=True):
    """A change to one rule, as it was typed."""

    default: str
    floor: str
    cap: str
    may: list[str]
