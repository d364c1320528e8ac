"""Small things that several tests need."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from socketserver import BaseServer
from typing import Any, TypeVar, cast

from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from procrastinate.contrib.django import app

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.demo import pictures
from kinward.evidence.excerpts import Message
from kinward.evidence.models import Evidence
from kinward.findings.upload import Outcome, prepare, receive
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.matching.services import Upload
from kinward.people.models import Account
from kinward.review.lease import take_case
from kinward.review.look import look_at_file
from kinward.verdicts.form import VerdictForm
from tests.support.deep import TIMES
from tests.support.verdicts import decide_case

KNOWN_PNG = pictures.encode(pictures.draw(901))
KNOWN = pictures.encode(pictures.draw(901).resize((800, 600)), "JPEG", quality=80)
UNKNOWN = pictures.encode(pictures.draw(3), "JPEG", quality=80)

Server = TypeVar("Server", bound=BaseServer)


class Receiver:
    """What a platform's webhook address received, and what it will answer next."""

    def __init__(self) -> None:
        self.messages: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, bytes]] = []

    @property
    def types(self) -> list[str]:
        return [str(json.loads(body)["type"]) for _, body in self.messages]


def rotten(whole: bytes) -> bytes:
    """The bytes with the last one changed."""
    return whole[:-1] + bytes([whole[-1] ^ 1])


@contextmanager
def listening(server: Server) -> Iterator[Server]:
    """A server that answers for as long as the block lasts."""
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def run_machine(
    machine: type[RuleBasedStateMachine], *, sequences: int = 25, steps: int = 20
) -> None:
    """Run a state machine, forty times as often in a deep run.

    A failing sequence is shown as it was found: each step is costly.
    """
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=sequences * TIMES,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
            report_multiple_bugs=False,
        ),
    )


def upload(
    account: Account, data: bytes = KNOWN, content_id: str = "post-1", **changes: Any
) -> Outcome:
    """Send a file through the intake, as the gate does."""
    prepared = prepare(data)
    about = Upload(
        content_id=content_id,
        uploaded_at=timezone.now(),
        size=len(data),
        digests=prepared.digests,
        hashed=prepared.hashed,
        **{"filename": "IMG_1.jpg", "ip": "203.0.113.7", "port": 4711, **changes},
    )
    return receive(
        actor=Actor.key("test"),
        account_id=account.platform_id,
        upload=about,
        data=data,
        fault=prepared.fault,
    )


def quarantined(account: Account, **changes: Any) -> Case:
    """The case that a known picture opens."""
    return Case.objects.get(pk=str(upload(account, **changes).case_id))


def confirmed(
    account: Account,
    reviewer: Staff,
    clause: str,
    content_id: str = "",
    form: VerdictForm | None = None,
    *,
    chat: bool = False,
) -> Case:
    """A report of an account, with its chat or without, confirmed under a clause."""
    said = Message(account.platform_id, datetime(2026, 1, 2, tzinfo=UTC), "Hello.")
    report = UserReportIn(
        account_id=account.platform_id,
        category="bullying",
        content_id=content_id,
        text="x",
        messages=[said] if chat else [],
    )
    case = receive_user_report(report=report, actor=Actor.key("test")).finding.case
    take_case(case=case, staff=reviewer)
    form = form or VerdictForm(outcome="confirmed", clause=clause)
    return decide_case(case_id=case.id, staff=reviewer, form=form)


def two_files_one_seen(account: Account, reviewer: Staff) -> tuple[Case, Evidence, Evidence]:
    """A case of two files that the reviewer holds, and the first file, which they looked at."""
    case = quarantined(account)
    quarantined(account, content_id="post-2")
    seen, unseen = Evidence.objects.order_by("sealed_at")
    take_case(case=case, staff=reviewer)
    look_at_file(case_id=case.id, evidence_id=seen.id, staff=reviewer, reason="to decide")
    return case, seen, unseen


def run_jobs() -> None:
    """Let a worker do every job that is due, as `kinward worker` does."""
    connector = cast("Any", app.connector).get_worker_connector()

    async def work(opened: Any) -> None:
        async with opened.open_async():
            await opened.run_worker_async(
                wait=False, concurrency=1, install_signal_handlers=False, listen_notify=False
            )

    with app.replace_connector(connector) as opened:
        asyncio.run(work(opened))


def due_jobs() -> list[str]:
    """The names of the jobs that wait in the queue."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        return [str(row[0]) for row in cursor.fetchall()]
