"""Statements of reasons and appeals, for apps that show them without the portal."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from kinward.gate.calls import Call, Created
from kinward.guidelines.api import guidelines_in_force
from kinward.ledger.api import ready_receipt, receipt_address
from kinward.people.api import get_account
from kinward.redress.api import Appeal, Statement, file_appeal, statement_sentences, told_to

SHOWN: Final = 50


class AppealIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An appeal in the account holder's words."""

    account_id: str
    text: str


class AppealOut(msgspec.Struct, frozen=True):
    """An appeal, and when its answer is due."""

    appeal_id: str
    state: Literal["waiting", "upheld", "overturned"]
    made_at: datetime
    due_at: datetime
    decided_at: datetime | None


class StatedDecision(msgspec.Struct, frozen=True):
    """One decision about a content, or about what an account may do."""

    effect: str
    content_id: str | UnsetType | None = UNSET
    until: str | UnsetType | None = UNSET
    capabilities: list[str] | UnsetType = UNSET


class StatementOut(msgspec.Struct, frozen=True):
    """A statement of reasons as the account holder was told it.

    `receipt`: a proof that the ledger says so, null until the ledger has signed it.
    """

    statement_id: str
    stage: Literal["at once", "verdict"]
    clause: str
    decisions: list[StatedDecision]
    language: str
    sentences: list[str]
    told_at: datetime
    appeal_until: datetime | None
    reversed_at: datetime | None
    appeal: AppealOut | None
    receipt: str | None
    receipt_url: str


class Statements(msgspec.Struct, frozen=True):
    """The statements that an account holder was told, newest first."""

    account_id: str
    statements: list[StatementOut]


def list_statements(call: Call[None], account_id: str) -> Statements:
    """List the statements that an account holder was told, newest first, in their language."""
    account = get_account(account_id)
    statements = told_to(account)[:SHOWN]
    return Statements(account_id, [_statement(statement) for statement in statements])


def _statement(statement: Statement) -> StatementOut:
    appeal: Appeal | None = getattr(statement, "appeal", None)
    fields = {
        "statement_id": str(statement.id),
        "stage": statement.stage,
        "clause": statement.clause,
        "decisions": statement.decisions,
        "language": statement.language,
        "sentences": statement_sentences(statement),
        "told_at": statement.told_at,
        "appeal_until": statement.appeal_until,
        "reversed_at": statement.reversed_at,
        "appeal": None if appeal is None else _appeal(appeal),
        "receipt": ready_receipt(statement.id),
        "receipt_url": receipt_address(statement.id),
    }
    return msgspec.convert(fields, StatementOut)


def make_appeal(call: Call[AppealIn], statement_id: UUID) -> Created[AppealOut]:
    """Receive an appeal in the account holder's words."""
    appeal = file_appeal(
        account=get_account(call.body.account_id),
        statement_id=statement_id,
        text=call.body.text,
        days=guidelines_in_force().appeal_answer_days,
        actor=call.actor,
    )
    return Created(_appeal(appeal))


def _appeal(appeal: Appeal) -> AppealOut:
    fields = {
        "appeal_id": str(appeal.id),
        "state": str(appeal.state),
        "made_at": appeal.made_at,
        "due_at": appeal.due_at,
        "decided_at": appeal.decided_at,
    }
    return msgspec.convert(fields, AppealOut)
