"""`kinward ledger`: verify the chain, compare it with the tables, and show entries."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from kinward.cli.counts import counted
from kinward.ground.errors import Invalid
from kinward.ground.names import visible
from kinward.ledger.api import RULES, entries_about, in_full, verify_ledger

if TYPE_CHECKING:
    from kinward.reconciliation.api import Difference


@click.group()
def ledger() -> None:
    """Verify the ledger, compare it with the tables, and show its entries."""


@ledger.command("verify")
@click.option("--head", default="", help="A head that you kept. The chain must contain it.")
def verify_chain(head: str) -> None:
    """Verify the whole chain, or name its first broken entry."""
    result = verify_ledger(
        lambda walked: click.echo(f"  {counted(walked, 'entry', 'entries')} …", err=True)
    )
    if not result.ok:
        click.secho(f"Broken at entry {result.broken_at}: {result.why}.", fg="red")
        raise SystemExit(1)
    if head and not _contains(head):
        click.secho(
            "This chain does not contain the head that you kept. Its end is missing.", fg="red"
        )
        raise SystemExit(1)
    click.secho(f"ok: {counted(result.entries, 'entry', 'entries')}.", fg="green")
    click.echo(
        f"Head: {result.head}\nKeep it somewhere else. "
        "Later it proves that no entry was removed from the end."
    )


def _contains(head: str) -> bool:
    from kinward.ledger.api import Entry

    try:
        return Entry.objects.filter(digest=bytes.fromhex(head)).exists()
    except ValueError:
        return False


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
    for entry, data in in_full(entries_about(subject)):
        actor = visible(entry.actor)
        click.echo(f"{entry.seq}  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.kind}  {actor}  {data}")
