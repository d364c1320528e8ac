"""`kinward guidelines`: print, check, simulate and activate the community guidelines."""

import sys
from pathlib import Path

import click

from kinward.cli.counts import counted
from kinward.cli.main import open_tables, operator
from kinward.cli.two_people import BREAK_GLASS, settle

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def guidelines() -> None:
    """Print, check, simulate and activate the community guidelines."""


@guidelines.command()
@click.option("--shipped", "ships", is_flag=True, help="Print what comes with this Kinward.")
def show(ships: bool) -> None:
    """Print the edition in force, as a start for a new one."""
    if ships:
        from kinward.guidelines import shipped

        click.echo(shipped(), nl=False)
        return
    open_tables()
    from kinward.guidelines.api import guidelines_text_in_force

    click.echo(guidelines_text_in_force(), nl=False)


@guidelines.command()
@FILE
def check(file: Path) -> None:
    """Print every problem of a document, with its line."""
    from kinward.guidelines import guidelines_notices

    problems = guidelines_notices(file.read_text(encoding="utf-8"))
    for problem in problems:
        click.echo(str(problem))
    if any(problem.level == "error" for problem in problems):
        raise click.exceptions.Exit(1)
    click.echo("No problems." if not problems else "No errors. These guidelines can be proposed.")


@guidelines.command()
@FILE
def simulate(file: Path) -> None:
    """Count how past cases would have ended under a document, against the edition in force."""
    open_tables()
    from kinward.casebook.api import Case
    from kinward.guidelines import read_guidelines
    from kinward.guidelines.api import guidelines_in_force
    from kinward.verdicts.api import simulate_cases

    total = Case.objects.count()
    after = read_guidelines(file.read_text(encoding="utf-8"))
    with click.progressbar(range(total), label="Cases", file=sys.stderr) as bar:
        simulation = simulate_cases(
            guidelines_in_force(), after, lambda done: bar.update(done - bar.pos)
        )
        bar.update(total - bar.pos)
    cases = counted(simulation.cases, "case", "cases")
    click.echo(f"{simulation.changed:,} of {cases} would have had a different outcome.")
    for outcome, count in simulation.counts.items():
        click.echo(f"{count:8,}  {outcome}")


@guidelines.command()
@FILE
@click.option("--why", required=True, help="What the other person reads.")
@BREAK_GLASS
def activate(file: Path, why: str, reason: str | None) -> None:
    """Put a document in force once another person agrees."""
    open_tables()
    from kinward.guidelines.api import guidelines_in_force, propose_edition

    edition = propose_edition(text=file.read_text(encoding="utf-8"), why=why, staff=operator())
    settle(edition, lambda: f"In force: {guidelines_in_force().label}", reason)
