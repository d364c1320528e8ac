"""What the one lock of the former chain ordered in passing has a lock of its own."""

import time
from collections.abc import Callable
from threading import Thread

import pytest
from django.db import connection, transaction

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.enforcement.models import Effect
from kinward.enforcement.queries import told_of
from kinward.enforcement.services import issue_content_action
from kinward.people.locks import lock_account
from kinward.people.models import Account, ChangeWave
from kinward.people.services import Profile, put_account
from kinward.people.waves import count_change, end_wave
from kinward.verdicts.consequences import give_contents_back
from tests.integration.conftest import Configure

pytestmark = pytest.mark.django_db(transaction=True)

KEY = Actor.key("app")
SYSTEM = Actor.system("test")
WAITING = (
    "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
    "WHERE NOT granted AND locktype = 'advisory' AND d.datname = current_database()"
)


def side_by_side(one: Callable[[], object], other: Callable[[], object]) -> None:
    """Do one thing in a transaction that stays open until the other is done, or waits for it."""
    faults: list[BaseException] = []

    def run() -> None:
        try:
            with transaction.atomic():
                other()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    thread = Thread(target=run)
    with transaction.atomic():
        one()
        thread.start()
        _until_done_or_waiting(thread)
    thread.join(60)
    assert not faults, faults
    assert not thread.is_alive()


def _until_done_or_waiting(thread: Thread) -> None:
    deadline = time.monotonic() + 30
    while thread.is_alive() and time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            row = cursor.fetchone()
        if row is not None and row[0]:
            return
        time.sleep(0.02)


def two_accounts() -> list[Account]:
    return [put_account(platform_id=f"m-{n}", profile=Profile())[0] for n in (1, 2)]


def test_changes_side_by_side_make_a_wave(configure: Configure) -> None:
    """Each sees the other, so that neither is one too few."""
    configure(wave_accounts=1)
    one, other = two_accounts()
    side_by_side(
        lambda: count_change(lock_account(one.pk), KEY),
        lambda: count_change(lock_account(other.pk), KEY),
    )
    assert ChangeWave.objects.get().changes == 2


def test_a_wave_that_ends_is_not_counted_on_by_a_change_beside_it(
    configure: Configure, operator: Staff
) -> None:
    configure(wave_accounts=1)
    accounts = two_accounts()
    for account in accounts:
        with transaction.atomic():
            count_change(lock_account(account.pk), KEY)
    wave = ChangeWave.objects.get()
    side_by_side(
        lambda: count_change(lock_account(accounts[0].pk), KEY),
        lambda: end_wave(wave_id=wave.pk, note="A rehearsal.", staff=operator),
    )
    wave.refresh_from_db()
    assert (wave.changes, wave.looked_by) == (3, operator)


def test_two_cases_that_give_a_copy_back_at_once_leave_it_to_nobody() -> None:
    """Each would otherwise see that the other still keeps it down, and stay silent for ever."""
    accounts = two_accounts()
    cases = [
        Case.objects.create(account=account, priority=1, due_at="2030-01-01T00:00Z")
        for account in accounts
    ]
    for case in cases:
        with transaction.atomic():
            issue_content_action(
                case_id=case.id,
                account=accounts[0],
                effect=Effect.REMOVE,
                content_id="post-1",
                actor=SYSTEM,
            )
    side_by_side(
        lambda: give_contents_back(cases[0], ["post-1"], SYSTEM),
        lambda: give_contents_back(cases[1], ["post-1"], SYSTEM),
    )
    last = told_of(accounts[0], "post-1").first()
    assert last is not None
    assert last.effect == Effect.RESTORE
