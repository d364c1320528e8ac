"""`kinward ledger`: the proof that nothing was changed."""

import click

from kinward.ledger.api import entries_about, verify_ledger


@click.group()
def ledger() -> None:
    """The ledger, and the proof that it is whole."""


@ledger.command("verify")
@click.option("--head", default="", help="A head that was noted down: the chain must contain it.")
def verify_chain(head: str) -> None:
    """Walk the whole chain; name the first entry that is broken."""
    found = verify_ledger(lambda walked: click.echo(f"  {walked:,} entries …", err=True))
    if not found.ok:
        click.secho(f"Broken at entry {found.broken_at}: {found.why}.", fg="red")
        raise SystemExit(1)
    if head and not _contains(head):
        click.secho("The head that was noted down is not in this chain: its end is gone.", fg="red")
        raise SystemExit(1)
    click.secho(f"ok: {found.entries:,} entries.", fg="green")
    click.echo(
        f"Head: {found.head}\nNote it down elsewhere: it proves later that none was cut off."
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
        click.echo(
            f"{entry.seq}  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.kind}  {entry.actor}  {entry.data}"
        )
