"""What was decided about an account, and appealing it: for apps that show this themselves."""

from typing import Any
from uuid import UUID

import msgspec

from kinward.access.actor import Actor
from kinward.errors import NotFound
from kinward.gate.http import decode
from kinward.guidelines.queries import in_force
from kinward.people.services import get_account
from kinward.redress import services
from kinward.redress.models import Appeal, Statement
from kinward.redress.queries import told_to
from kinward.redress.wording import sentences

SHOWN = 50


class _AppealIn(msgspec.Struct, forbid_unknown_fields=True):
    account_id: str
    text: str


def statements(platform_id: str) -> dict[str, Any]:
    """What the account holder was told, the latest first, in their language."""
    account = get_account(platform_id)
    return {
        "account_id": platform_id,
        "statements": [_statement(each) for each in told_to(account)[:SHOWN]],
    }


def _statement(statement: Statement) -> dict[str, Any]:
    made: Appeal | None = getattr(statement, "appeal", None)
    return {
        "statement_id": str(statement.id),
        "stage": statement.stage,
        "clause": statement.clause,
        "decisions": statement.decisions,
        "language": statement.language,
        "sentences": sentences(statement),
        "told_at": statement.told_at,
        "appeal_until": statement.appeal_until,
        "reversed_at": statement.reversed_at,
        "appeal": None if made is None else _appeal(made),
    }


def appeal(statement_id: str, body: bytes, actor: Actor) -> dict[str, Any]:
    """Receive an appeal in the account holder's words."""
    asked = decode(body, _AppealIn)
    try:
        which = UUID(statement_id)
    except ValueError as error:
        raise NotFound from error
    made = services.appeal(
        account=get_account(asked.account_id),
        statement_id=which,
        text=asked.text,
        days=in_force().appeal_answer_days,
        actor=actor,
    )
    return _appeal(made)


def _appeal(made: Appeal) -> dict[str, Any]:
    return {
        "appeal_id": str(made.id),
        "state": made.state,
        "made_at": made.made_at,
        "due_at": made.due_at,
        "decided_at": made.decided_at,
    }
