"""`kinward guidelines`: read, check and simulate the community guidelines."""

import sys
from pathlib import Path

import click

from kinward.cli.main import open_tables

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def guidelines() -> None:
    """The community guidelines, and what follows when one is broken."""


@guidelines.command()
def show() -> None:
    """Print the document in force, to begin a new one from."""
    open_tables()
    from kinward.guidelines.api import guidelines_text_in_force

    click.echo(guidelines_text_in_force(), nl=False)


@guidelines.command()
@FILE
def check(file: Path) -> None:
    """Say everything that is wrong with a document, with its line."""
    from kinward.guidelines import guidelines_notices

    found = guidelines_notices(file.read_text(encoding="utf-8"))
    for problem in found:
        click.echo(str(problem))
    if any(problem.level == "error" for problem in found):
        raise click.exceptions.Exit(1)
    click.echo("Nothing is wrong." if not found else "It can be used.")


@guidelines.command()
@FILE
def simulate(file: Path) -> None:
    """Count what a document would have done to past cases, against the one in force."""
    open_tables()
    from kinward.casebook.api import Case
    from kinward.guidelines import read_guidelines
    from kinward.guidelines.api import guidelines_in_force
    from kinward.verdicts.api import simulate_cases

    total = Case.objects.count()
    after = read_guidelines(file.read_text(encoding="utf-8"))
    with click.progressbar(range(total), label="Cases", file=sys.stderr) as bar:
        found = simulate_cases(
            guidelines_in_force(), after, lambda done: bar.update(done - bar.pos)
        )
        bar.update(total - bar.pos)
    click.echo(f"{found.changed:,} of {found.cases:,} cases would have gone otherwise.")
    for what, count in found.counts.items():
        click.echo(f"{count:8,}  {what}")
