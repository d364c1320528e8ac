"""`kinward ledger`: verify the log, compare it with the tables, and prove and show entries."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from kinward.cli.counts import counted
from kinward.cli.first_run import check_shown
from kinward.cli.ledger_offline import verify_offline
from kinward.cli.two_people import BREAK_GLASS, settle
from kinward.ground.errors import Invalid, NotFound
from kinward.ground.names import visible
from kinward.ledger.api import RULES, Head, Verification, in_full, verify_ledger

if TYPE_CHECKING:
    from kinward.reconciliation.api import Difference

_HEAD: Final = re.compile(r"([0-9]{1,18})-([0-9a-f]{64})", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)

_folder: Final[Any] = click.Path(exists=True, file_okay=False, path_type=Path)
_file: Final[Any] = click.Path(exists=True, dir_okay=False, path_type=Path)
_path: Final[Any] = click.Path(dir_okay=False, path_type=Path)


@click.group()
def ledger() -> None:
    """Verify the ledger, prove, show and export its entries, and change the key that signs it."""


@ledger.command("verify")
@click.option("--head", default="", help="A head that you kept. The ledger must have had it.")
@click.option("--offline", type=_folder, help="Verify this export, without any database.")
@click.option("--policy", type=_file, help="For --offline: the logs and witnesses that you trust.")
@click.option("--receipt", "receipts", type=_file, multiple=True, help="For --offline: a proof.")
@click.option(
    "--checkpoint", "checkpoints", type=_file, multiple=True, help="For --offline: one you kept."
)
@click.option("--rotations", type=_file, help="For --offline: changes of the key that you kept.")
@click.option("--state", type=_path, help="For --offline: keeps how far it is, to go on later.")
def verify_log(
    head: str,
    offline: Path | None,
    policy: Path | None,
    receipts: tuple[Path, ...],
    checkpoints: tuple[Path, ...],
    rotations: Path | None,
    state: Path | None,
) -> None:
    """Verify the whole ledger, or name what differs."""
    if offline is not None:
        if head:
            raise Invalid("With `--offline`, name a receipt or a policy, and no head.")
        verify_offline(offline, policy, receipts, checkpoints, rotations, state)
        return
    if policy or receipts or checkpoints or rotations or state:
        raise Invalid("Name the export that you want to verify: `--offline DIRECTORY`.")
    kept = _parse(head) if head else None
    result = verify_ledger(
        lambda walked: click.echo(f"  {counted(walked, 'entry', 'entries')} …", err=True),
        kept=kept if isinstance(kept, Head) else None,
    )
    if not result.ok:
        click.secho(result.fault, fg="red")
        raise SystemExit(1)
    if isinstance(kept, bytes) and not _contains(kept):
        click.secho("The chain does not contain the head that you kept.", fg="red")
        raise SystemExit(1)
    _print(result)


def _print(result: Verification) -> None:
    click.secho(f"ok: {counted(result.entries, 'entry', 'entries')}.", fg="green")
    if result.waiting:
        waiting = counted(result.waiting, "of them waits", "of them wait")
        click.echo(f"{waiting} for a place in the log.")
    if result.erased:
        click.echo(f"Erased: {counted(result.erased, 'value', 'values')} of entries.")
    if not result.with_key:
        click.secho(
            "The key of the log is not here. So the checkpoints fit each other, but whoever owns "
            "the database could have signed them with a key of their own.",
            fg="yellow",
        )
    if not result.with_secret:
        click.secho(
            "The secret key is not here, so nobody can tell which entries Kinward wrote.",
            fg="yellow",
        )
    click.echo(f"Signed: {counted(result.signed, 'leaf', 'leaves')} of {result.head.size:,}.")
    if result.stamps.verified:
        click.echo(f"Timestamps of an authority that fit: {result.stamps.verified:,}.")
    if result.stamps.unverified:
        click.secho(
            f"Timestamps that nobody could verify here: {result.stamps.unverified:,}. That takes "
            "the extra `time` and KINWARD_LEDGER_TSA_ROOTS.",
            fg="yellow",
        )
    click.echo(
        f"Head: {result.head}\nKeep it somewhere else. "
        "Later it proves that nothing before it was changed or removed."
    )


def _parse(text: str) -> Head | bytes:
    """Read a head: size and root, or the digest of an entry of the former chain."""
    if match := _HEAD.fullmatch(text):
        return Head(int(match[1]), bytes.fromhex(match[2]))
    if _DIGEST.fullmatch(text):
        return bytes.fromhex(text)
    raise Invalid("A head is what `kinward ledger verify` prints, such as 20417-5dc9….")


def _contains(digest: bytes) -> bool:
    from kinward.ledger.api import Entry

    return Entry.objects.filter(digest=digest).exists()


SHOWN = 50  # differences; the console has more
OFTEN = 5000  # rows and entries between two lines of progress


@ledger.command()
@click.option("--all", "everything", is_flag=True, help="Compare everything. Resumes if stopped.")
@click.option("--since", default="", help="Compare what changed since, such as 2026-11-26T12:00.")
def reconcile(everything: bool, since: str) -> None:
    """Compare the tables with the ledger, in both directions, and name what differs.

    Without an option, compares what changed since the last whole comparison.
    """
    from kinward.reconciliation.api import Run, open_differences, since_last_run
    from kinward.reconciliation.api import reconcile as compare

    check_shown()
    told = 0

    def progress(step: str, run: Run) -> None:
        nonlocal told
        if run.rows + run.entries >= told + OFTEN:
            told = run.rows + run.entries
            click.echo(f"  {told:,} rows and entries: {step} …", err=True)

    if everything and since:
        raise Invalid("Choose --all or --since.")
    moment = _moment(since) if since else None if everything else since_last_run()
    run = compare(since=moment, progress=progress)
    rows, entries = counted(run.rows, "row", "rows"), counted(run.entries, "entry", "entries")
    what = "everything" if run.since is None else f"since {run.since:%Y-%m-%d %H:%M} UTC"
    click.echo(f"Compared {what}: {rows} and {entries}.")
    for rule, times in sorted(run.explained.items()):
        click.echo(f"{counted(times, 'difference', 'differences')} explained: {RULES[rule]}.")
    differences = open_differences()
    for difference in differences[:SHOWN]:
        _show_difference(difference)
    if number := differences.count():
        differ = counted(number, "difference is", "differences are")
        click.secho(f"{differ} not explained.", fg="red")
        raise SystemExit(1)
    click.secho("ok: the tables and the ledger agree.", fg="green")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("A moment is written like 2026-11-26T12:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _show_difference(difference: "Difference") -> None:
    from kinward.reconciliation.api import advice_of, sentence_of

    about = f"{difference.counterpart} {visible(difference.subject)}"
    found = f"{difference.found_at:%Y-%m-%d %H:%M} UTC"
    click.secho(f"{about}, found {found}, {difference}", fg="red")
    click.echo(f"  {sentence_of(difference)}\n  {advice_of(difference)}")


@ledger.command()
@click.argument("subject")
def show(subject: str) -> None:
    """Show the entries about a subject, such as case:0b9f…."""
    from kinward.ledger.api import Entry, written_here

    check_shown()  # which refuses where nobody can tell what Kinward wrote
    entries = list(Entry.objects.filter(subject=subject).order_by("seq"))
    if not entries:
        raise NotFound(
            f"No entry is about {subject!r}. A subject has a noun and a whole id, such as "
            "account:member-17. What was done about an account in a case is under case:… and what "
            "its app was told to do under action:…"
        )
    ours = {entry.pk for entry in written_here(entries)}
    for entry, data in in_full(entries):
        actor, kind = visible(entry.actor or "erased"), visible(entry.kind)
        told = "erased" if entry.data is None else data
        line = f"{entry.seq}  {entry.at:%Y-%m-%d %H:%M:%S}  {kind}  {actor}  {told}"
        click.echo(line if entry.pk in ours else f"{line}  NOT WRITTEN BY KINWARD")


@ledger.command()
def key() -> None:
    """Print the verifier key of the log, for whoever verifies or witnesses it."""
    from kinward.ledger.api import verifier_key

    click.echo(verifier_key())


@ledger.command()
@BREAK_GLASS
def rotate(reason: str | None) -> None:
    """Make another key and ask that it signs the ledger. Another operator must approve it.

    Run it where the key's file is. Give the new verifier key to your witnesses before anybody
    approves.
    """
    from kinward.access.api import request_log_key
    from kinward.cli.main import operator

    request = request_log_key(staff=operator())
    click.echo(request.after)
    settle(request, lambda: "It signs from the next checkpoint on, which both keys sign.", reason)


@ledger.command()
def rotations() -> None:
    """Print each change of the key as a proof, for whoever verifies receipts of this log."""
    from kinward.ledger.api import origin_of_log, rotation_lines

    for line in rotation_lines(origin_of_log()):
        click.echo(line.decode())


@ledger.command()
@click.argument("entry", type=int)
@click.option("--open", "opened", is_flag=True, help="Add what the entry says, and its salts.")
def prove(entry: int, opened: bool) -> None:
    """Print a proof that ENTRY is in the log, as a file .tlog-proof (c2sp.org/tlog-proof)."""
    from kinward.ledger.api import prove_entry

    if opened:
        check_shown()
    click.echo(prove_entry(entry, opened=opened).to_bytes().decode(), nl=False)


@ledger.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--hashes-only", is_flag=True, help="Leave out what the entries say.")
def export(directory: Path, hashes_only: bool) -> None:
    """Write the signed log to a new DIRECTORY, with verify.py for whoever wants to check it."""
    from kinward.ledger.api import export_log

    if directory.exists():
        raise Invalid(f"{directory} exists already. Name a new directory.")
    if not hashes_only:
        check_shown()
    size = export_log(
        directory,
        opened=not hashes_only,
        progress=lambda done: click.echo(f"  {counted(done, 'leaf', 'leaves')} …", err=True),
    )
    click.echo(f"{directory}: {counted(size, 'leaf', 'leaves')}, signed.")
    if not hashes_only:
        click.echo("It has names from the ledger. Give it to nobody who may not see them.")
