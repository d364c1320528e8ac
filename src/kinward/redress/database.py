"""Exports of statements: to the EU's DSA Transparency Database, once each, or to a file.

The database may have stored a batch whose answer was lost. It stores each `puid` once and reports a
duplicate, so a refused batch is sent one statement at a time, and a duplicate counts as sent.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import structlog
from django.db.models import QuerySet
from django.utils import timezone

from kinward.ground.calls_out import Answer, Caller, CallFailed, Limits, Reach
from kinward.ground.config import PRODUCTION_CONSENT, config, require_safe
from kinward.ground.errors import KinwardError, NotConfigured
from kinward.ground.text import storable
from kinward.redress.dsa import BATCH, Stated, form
from kinward.redress.models import Stage, Statement

log = structlog.get_logger(__name__)

PRODUCTION_HOSTS: Final = {"transparency.dsa.ec.europa.eu"}
CREATED, FOUND, REFUSED = 201, 302, 422
MAX_ANSWER: Final = 4000
ANSWER_BYTES: Final = 1024 * 1024


class DatabaseUnreachable(KinwardError):
    """The Transparency Database is not accepting statements right now. They will be sent again."""

    code = "statement.database_away"
    status = 503


def stated(statement: Statement) -> Stated:
    """Return the part of a statement that goes to the database."""
    about: dict[str, Any] = dict(statement.dsa)
    url = f"{config().url}/safety/{statement.language}/guidelines#{statement.clause}"
    return Stated(
        puid=str(statement.id),
        decisions=statement.decisions,
        clause=statement.clause,
        title=statement.title,
        reported=statement.reported,
        automatic=statement.automatic,
        content_date=date.fromisoformat(about.pop("content_date")),
        applied=statement.made_at.date(),
        media=tuple(about.pop("media")),
        reference_url=url,
        **about,
    )


def exportable() -> QuerySet[Statement]:
    """Return the statements about verdicts that were told. A silent statement never leaves."""
    return Statement.objects.filter(stage=Stage.VERDICT, told_at__isnull=False).order_by("made_at")


def written(since: datetime, until: datetime) -> Iterator[bytes]:
    """Yield the statements made in `[since, until)` as JSON lines, in the database's form."""
    for statement in exportable().filter(made_at__gte=since, made_at__lt=until).iterator():
        yield msgspec.json.encode(form(stated(statement))) + b"\n"


def send_due_statements() -> int:
    """Send unsent statements, if the operator named a database; return the number sent.

    Raises `DatabaseUnreachable`.
    """
    if not config().dsa_url:
        return 0
    sent = 0
    with _http() as http:
        while batch := list(exportable().filter(exported_at=None, export_problem="")[:BATCH]):
            sent += _send(http, batch)
    return sent


def _http() -> Caller:
    chosen = config()
    require_safe("KINWARD_DSA_URL", chosen.dsa_url)
    host = (urlsplit(chosen.dsa_url).hostname or "").rstrip(".")
    if host in PRODUCTION_HOSTS and chosen.production_reporting != PRODUCTION_CONSENT:
        raise NotConfigured(
            "The address is the production database. To send real statements set "
            f"KINWARD_PRODUCTION_REPORTING={PRODUCTION_CONSENT}."
        )
    return Caller(
        base=chosen.dsa_url.rstrip("/") + "/api/v1",
        headers={"authorization": f"Bearer {chosen.dsa_token}", "accept": "application/json"},
        limits=Limits(seconds=chosen.call_seconds, answer_bytes=ANSWER_BYTES),
        reach=Reach.STRANGERS,
    )


def _send(http: Caller, batch: list[Statement]) -> int:
    forms = [form(stated(statement)) for statement in batch]
    answer = _post(http, "statements", {"statements": forms})
    if answer.status == CREATED:
        _sent(batch)
        return len(batch)
    if answer.status != REFUSED:
        raise DatabaseUnreachable(f"HTTP {answer.status}.")
    pairs = zip(batch, forms, strict=True)
    return sum(_send_one(http, statement, fields) for statement, fields in pairs)


def _send_one(http: Caller, statement: Statement, fields: dict[str, Any]) -> int:
    answer = _post(http, "statement", fields)
    if answer.status == CREATED or _is_there(http, statement):
        _sent([statement])
        return 1
    if answer.status != REFUSED:
        raise DatabaseUnreachable(f"HTTP {answer.status}.")
    statement.export_problem = storable(answer.text)[:MAX_ANSWER]
    statement.save(update_fields=["export_problem"])
    log.error("statement.refused", statement=str(statement.id))
    return 0


def _is_there(http: Caller, statement: Statement) -> bool:
    return _call(http, "GET", f"statement/existing-puid/{statement.id}").status == FOUND


def _post(http: Caller, path: str, body: dict[str, Any]) -> Answer:
    return _call(http, "POST", path, json=body)


def _call(http: Caller, method: str, path: str, **sent: Any) -> Answer:
    try:
        return http.call(method, path, **sent)
    except CallFailed as error:
        raise DatabaseUnreachable(str(error)) from error


def _sent(batch: list[Statement]) -> None:
    now = timezone.now()
    Statement.objects.filter(pk__in=[statement.pk for statement in batch]).update(exported_at=now)
