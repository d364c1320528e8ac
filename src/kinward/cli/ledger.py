"""`kinward ledger`: verify the chain, and show the entries about a subject."""

import click

from kinward.cli.counts import counted
from kinward.ground.names import visible
from kinward.ledger.api import entries_about, verify_ledger


@click.group()
def ledger() -> None:
    """Verify the ledger, and show its entries."""


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


@ledger.command()
@click.argument("subject")
def show(subject: str) -> None:
    """Show the entries about a subject, such as case:0b9f…."""
    for entry in entries_about(subject):
        actor = visible(entry.actor)
        click.echo(
            f"{entry.seq}  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.kind}  {actor}  {entry.data}"
        )
