"""The queue at ten thousand cases: the next case, the console's pages, fifty reviewers at once.

    python bench/cases.py [cases]

Runs in its own PostgreSQL, in a directory that is removed afterwards. Pages are requested within
this process, through every middleware and without a network. Each case has findings and a timeline.
Every third account also has an earlier, decided case.
"""

import atexit
import gc
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from kinward.access.actor import Actor

DIRECTORY = tempfile.mkdtemp(prefix="kinward-bench-")
atexit.register(shutil.rmtree, DIRECTORY, ignore_errors=True)  # after the server has stopped
os.environ["KINWARD_DATA_DIR"] = DIRECTORY
REVIEWERS = 50
ROUNDS = 20


def fill(count: int) -> None:
    """Create accounts, each with an undecided case of three findings from user reports."""
    from django.utils import timezone

    from kinward.casebook.models import Case, Finding, UserReport
    from kinward.ledger import kinds
    from kinward.ledger.services import record
    from kinward.people.models import Account

    now = timezone.now()
    accounts = Account.objects.bulk_create(
        Account(platform_id=f"account-{number}", screen_name=f"name-{number}")
        for number in range(count)
    )
    old = [Case(account=account, state="dismissed", due_at=now) for account in accounts[::3]]
    Case.objects.bulk_create(old)
    cases = Case.objects.bulk_create(
        Case(
            account=account, priority=number % 3, due_at=now + timedelta(minutes=number % 997 - 99)
        )
        for number, account in enumerate(accounts)
    )
    reports = UserReport.objects.bulk_create(
        UserReport(account=case.account, category="bullying", content_id=f"post-{number}", text="x")
        for number, case in enumerate([case for case in cases for _ in range(3)])
    )
    Finding.objects.bulk_create(
        Finding(
            case=cases[number // 3],
            user_report=report,
            confidence="reported",
            grounds=[
                {"kind": "user report", "title": "Bullying", "content_id": "", "text": report.text}
            ],
        )
        for number, report in enumerate(reports)
    )
    from django.db import transaction

    with transaction.atomic():
        for case in cases[::10]:
            record(
                actor=Actor.key("bench"), subject=str(case), fact=kinds.CaseOpened(account="bench")
            )


def timed(name: str, work: Callable[[], Any], rounds: int = ROUNDS) -> None:
    """Print the median and the maximum of some rounds, in milliseconds."""
    work()
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    print(
        f"{name:42} {statistics.median(seconds) * 1e3:8.1f} ms, worst {max(seconds) * 1e3:.1f} ms"
    )


def fifty_at_once() -> None:
    """Let fifty reviewers take their next case at the same moment."""
    from django.db import connection

    from kinward.access.models import Staff
    from kinward.review.lease import take_next_case

    people = [
        Staff.objects.create(username=f"r{number}", roles=["reviewer"])
        for number in range(REVIEWERS)
    ]
    taken: list[tuple[Any, float]] = []
    start = threading.Barrier(REVIEWERS)

    def work(person: Staff) -> None:
        start.wait()
        try:
            began = time.perf_counter()
            case = take_next_case(staff=person)
            taken.append((case.pk if case else None, time.perf_counter() - began))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = time.perf_counter() - began
    shared = len(taken) - len({case for case, _ in taken})
    print(
        f"{REVIEWERS} reviewers at once: {shared} shared a case; all were served in "
        f"{whole * 1e3:.0f} ms (connecting included), {1e3 * whole / REVIEWERS:.1f} ms each"
    )
    if shared:
        raise SystemExit("two reviewers got the same case")


def main(count: int) -> None:
    from kinward.cli.first_run import make_secrets, migrate
    from kinward.cli.main import set_up_django

    make_secrets()
    set_up_django()
    migrate()
    from django.conf import settings
    from django.db import connection
    from django.test import Client

    from kinward.access.models import Staff
    from kinward.casebook.models import Case
    from kinward.cli.demo import give_second_factor
    from kinward.review.lease import release_lease, take_next_case

    settings.ALLOWED_HOSTS = ["*"]
    fill(count)
    gc.collect()  # or a page would wait for the garbage of `fill`
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"{count:,} undecided cases, {Case.objects.count():,} in all")
    person = Staff.objects.create_user(username="bench", password="x" * 12, roles=["administrator"])
    give_second_factor(person)
    page = Client()
    page.force_login(person)

    def next_case() -> None:
        case = take_next_case(staff=person)
        if case is None:
            raise SystemExit("the queue gave nothing")
        release_lease(case=case, staff=person)

    timed("the next case, taken and released", next_case)
    case = take_next_case(staff=person)
    assert case is not None
    for path in ("/queue", f"/cases/{case.pk}", "/appeals", "/quality", "/releases", "/guidelines"):
        timed(f"GET {path[:30]}", lambda path=path: page.get(path))  # type: ignore[misc]
    fifty_at_once()


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000)
