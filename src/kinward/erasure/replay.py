"""Carry out again what a restored backup does not know: erasures that came after it."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from kinward.access import Actor
from kinward.access.api import AgreementState
from kinward.erasure.errors import ErasuresWait, NotSetBack
from kinward.erasure.list import Line, hash_of, read_list
from kinward.erasure.models import Erasure, Replayed
from kinward.erasure.removing import carry_out, plan_removal
from kinward.ledger.api import Entry, LogContradicted, kinds, record, require_signable
from kinward.people.api import Account, lock_account

HOUR: Final = timedelta(hours=1)  # a line says no more of its moment


def waiting_lines() -> list[Line]:
    """Return the erasures of the list that this database has to carry out. Raises `ListBroken`.

    One whose request waits in a database that was never set back is none of them: the process
    ended before it was done, and a second person approves it again.
    """
    lines = read_list()
    numbers = [line.erasure for line in lines]
    states = dict(Erasure.objects.filter(pk__in=numbers).values_list("pk", "state"))
    done = set(Replayed.objects.filter(pk__in=numbers).values_list("pk", flat=True))
    done |= {pk for pk, state in states.items() if state == AgreementState.APPROVED}
    left = [line for line in lines if line.erasure not in done]
    return [line for line in left if line.erasure not in states or _is_after_backup(line)]


def _is_after_backup(line: Line) -> bool:
    """Return whether the database was set back to a moment before an erasure, and after it."""
    hour = datetime.fromisoformat(line.hour)
    restores = Entry.objects.filter(kind=kinds.BackupRestored.kind, at__gte=hour)
    restored = restores.order_by("pk").first()
    if restored is not None:
        last = Entry.objects.filter(pk__lt=restored.pk).order_by("-pk").first()
    else:
        try:
            require_signable()
        except LogContradicted:
            last = Entry.objects.order_by("-pk").first()
        else:
            return False
    return last is None or last.at <= hour + HOUR


def require_replayed() -> None:
    """Raise `ErasuresWait` while the database has data that was erased. Call it before serving."""
    waiting = waiting_lines()
    if waiting:
        count = len(waiting)
        said = "1 erasure is" if count == 1 else f"{count} erasures are"
        raise ErasuresWait(
            f"{said} newer than this database. Nothing serves before `kinward erase --replay` has "
            "carried them out again."
        )


def replay_erasures(*, actor: Actor) -> int:
    """Carry out the erasures that this database does not know; return how many. Idempotent.

    Nothing delays them: two people decided on each, after all that this database knows. An account
    that is not there was made and erased after the backup. Raises `NotSetBack` for a line that no
    restore explains: whoever can write the list erases nobody by it alone.
    """
    waiting = waiting_lines()
    if not all(map(_is_after_backup, waiting)):
        raise NotSetBack("Restore with `kinward restore`, which says so in the ledger.")
    wanted = {line.account for line in waiting}
    found: dict[str, int] = {}
    for pk, platform_id in Account.objects.values_list("pk", "platform_id") if waiting else ():
        if (digest := hash_of(platform_id)) in wanted:
            found[digest] = pk
    for line in waiting:
        _replay(line, found.pop(line.account, None), actor)
    return len(waiting)


@transaction.atomic
def _replay(line: Line, account: int | None, actor: Actor) -> None:
    Replayed.objects.create(erasure=line.erasure)
    plan = None
    if account is not None:
        plan = plan_removal(lock_account(account))
    rows, values = (plan.rows, plan.values) if plan is not None else (0, 0)
    fact = kinds.ErasureReplayed(rows=rows, values=values)
    record(actor=actor, subject=f"replayed:{line.erasure}", fact=fact)
    if plan is not None:
        carry_out(plan, line)
