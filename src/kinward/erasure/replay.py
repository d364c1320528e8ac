"""Carry out again what a restored backup does not know: erasures that came after it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from kinward.access import Actor
from kinward.access.api import AgreementState
from kinward.erasure.errors import ErasuresWait, ListNeeded, NotSetBack
from kinward.erasure.list import Line, hash_of, list_path, read_list
from kinward.erasure.models import MAX_WHY, Erasure, Replayed
from kinward.erasure.removing import carry_out, plan_removal
from kinward.ground.errors import Invalid
from kinward.ground.restoring import require_restored
from kinward.ledger.api import (
    Entry,
    LogContradicted,
    first_written,
    kinds,
    record,
    require_secret,
    require_signable,
)
from kinward.people.api import Account, lock_account

HOUR: Final = timedelta(hours=1)  # a line says no more of its moment
_TOLD: Final = (kinds.BackupRestored.kind, kinds.ErasuresListed.kind)  # of the list of erasures


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
    restored = first_written(restores.order_by("pk"))
    if restored is not None:
        last = first_written(Entry.objects.filter(pk__lt=restored.pk).order_by("-pk"))
    else:
        try:
            require_signable()
        except LogContradicted:
            last = first_written(Entry.objects.order_by("-pk"))
        else:
            return False
    return last is None or last.at <= hour + HOUR


def require_replayed() -> None:
    """Raise `ErasuresWait` while the database has data that was erased. Call it before serving.

    Raises `RestoreUnfinished` and `ListNeeded` while nobody knows that yet.
    """
    require_restored()
    waiting = waiting_lines()
    if not waiting and needs_list():
        raise ListNeeded(
            "Bring each copy: `kinward erase --replay --erasures FILE`. If nobody was erased, or "
            "every copy is lost, say so in words, for the ledger: `kinward erase --replay "
            "--no-list WHY`."
        )
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
    that is not there was made and erased after the backup. One that was made anew since stays.
    Raises `NotSetBack` for a line that no restore explains: whoever can write the list erases
    nobody by it alone.
    """
    waiting = waiting_lines()
    if not all(map(_is_after_backup, waiting)):
        raise NotSetBack("Restore with `kinward restore`, which says so in the ledger.")
    found = _named({line.account for line in waiting})
    for line in waiting:
        account = found.get(line.account)
        if account is not None and _is_older(account, line):
            del found[line.account]
        else:
            account = None
        _replay(line, None if account is None else account.pk, actor)
    return len(waiting)


def _named(hashes: set[str]) -> dict[str, Account]:
    """Return the accounts with these keyed hashes."""
    accounts = Account.objects.only("pk", "platform_id", "created_at") if hashes else ()
    named = ((hash_of(account.platform_id), account) for account in accounts)
    return {digest: account for digest, account in named if digest in hashes}


def _is_older(account: Account, line: Line) -> bool:
    """Return whether an account was there when the one that a line means was erased.

    One that was made later under the same id may be another person's.
    """
    return account.created_at < datetime.fromisoformat(line.hour) + HOUR


def unlisted_erasures() -> int:
    """Return how many erasures of this database this machine's list lacks. Raises `ListBroken`.

    After a restore nothing would carry them out again.
    """
    listed = {line.erasure for line in read_list()}
    done = Erasure.objects.filter(state=AgreementState.APPROVED).values_list("pk", flat=True)
    return len({*done, *Replayed.objects.values_list("pk", flat=True)} - listed)


def is_list_whole() -> bool:
    """Return whether this machine has a list, with each erasure of this database.

    An empty one says that nobody was erased. Raises `ListBroken`.
    """
    return list_path().exists() and not unlisted_erasures()


def needs_list() -> bool:
    """Return whether the database was restored, and no list has come since, nor words for none.

    Restores of earlier versions noted nothing of a list, and are over. One whose entry says nothing
    at all is not: nothing blanks it but SQL. No list counts that Kinward did not write. A restore
    does, once an entry of Kinward followed: somebody may have taken its MAC away. Raises
    `OtherSecret` where nobody can tell.
    """
    require_secret()
    last = first_written(Entry.objects.filter(kind__in=_TOLD).order_by("-pk"))
    newest = first_written(Entry.objects.order_by("-pk"))
    restores = Entry.objects.filter(kind=kinds.BackupRestored.kind)
    after, until = (0 if one is None else one.pk for one in (last, newest))
    if restores.filter(pk__gt=after, pk__lte=until).exists():
        return True
    if last is None or last.kind != kinds.BackupRestored.kind:
        return False
    return not isinstance(last.data, dict) or "lines" in last.data


def settle_list(*, actor: Actor, why: str = "") -> None:
    """Note after a restore that the list of erasures is here, or `why` there is none. Idempotent.

    Raises `ListNeeded` without a whole list and without words, and `Invalid` for too many.
    """
    if len(why) > MAX_WHY:
        raise Invalid(f"Say why in at most {MAX_WHY} characters.")
    if not needs_list():
        return
    if not is_list_whole() and not why.strip():
        raise ListNeeded(
            "Name its copies with --erasures, or say with --no-list why there is none."
        )
    lines = read_list()
    fact = kinds.ErasuresListed(lines=len(lines), last=last_mac(lines), why=why.strip())
    with transaction.atomic():
        record(actor=actor, subject="erasures", fact=fact)


def last_mac(lines: Sequence[Line]) -> str:
    """Return the MAC of the last line; "" without one."""
    return lines[-1].mac if lines else ""


def missing_lines() -> int:
    """Return by how many lines this machine's list is shorter than after the last restore."""
    entries = Entry.objects.filter(kind__in=_TOLD, data__has_key="lines")
    told = first_written(entries.order_by("-pk"))
    return 0 if told is None else max(told.data["lines"] - len(read_list()), 0)


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
