"""`kinward action` and `kinward report`: what is parked, and sending it again."""

from pathlib import Path
from typing import Final
from uuid import UUID

import click

from kinward.cli.main import operator
from kinward.enforcement.api import get_action, parked_actions, replay_action, struggling_actions
from kinward.ground.errors import Invalid
from kinward.reporting.api import faults_of, get_report, parked_reports, waiting_reports
from kinward.verdicts.api import refile_report

CYBERTIPLINE: Final = "cybertipline"


@click.group()
def action() -> None:
    """Actions that were parked."""


@action.command("list")
def list_actions() -> None:
    """List parked actions and those that are being tried again."""
    for row in [*parked_actions(), *struggling_actions()]:
        click.echo(f"{row.id}  {row.state}  {row.type}  {row.attempts} tries  {row.answer[:60]}")


@action.command()
@click.argument("action_id", type=click.UUID, required=False)
@click.option("--all", "everything", is_flag=True, help="Every parked action.")
def replay(action_id: UUID | None, everything: bool) -> None:
    """Send a parked action again."""
    if everything == (action_id is not None):
        raise click.UsageError("Give an action id or --all.")
    chosen = parked_actions() if action_id is None else [get_action(action_id)]
    for row in list(chosen):
        replay_action(action=row, actor=operator())
        click.echo(f"{row.type} {row.id} is on its way again.")


@click.group()
def report() -> None:
    """Reports to authorities."""


@report.command("list")
def list_reports() -> None:
    """List parked reports, with what the authority says."""
    for row in parked_reports():
        click.echo(f"{row.id}  case {row.case_id}  {row.authority}  {row.problem}")


@report.command()
@click.argument("report_id", type=click.UUID, required=False)
@click.option(
    "--xsd",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The authority's own schema; without it the one that comes along, and its rules.",
)
def validate(report_id: UUID | None, xsd: Path | None) -> None:
    """Hold what a CyberTipline report says, or every waiting one, to the authority's schema."""
    chosen = [get_report(report_id)] if report_id else list(waiting_reports())
    if report_id and chosen[0].authority != CYBERTIPLINE:
        raise Invalid(f"It goes to {chosen[0].authority}, which has no schema.")
    chosen = [row for row in chosen if row.authority == CYBERTIPLINE]
    wrong = 0
    for row in chosen:
        found = faults_of(row, xsd)
        wrong += bool(found)
        click.echo(f"{row.id}: {'; '.join(found) or 'valid'}")
    if wrong:
        raise click.exceptions.Exit(1)
    click.echo(f"{len(chosen)} reports are valid.")


@report.command("refile")
@click.argument("report_id", type=click.UUID)
def refile_one(report_id: UUID) -> None:
    """Send a parked report on its way again."""
    refile_report(report=get_report(report_id), actor=operator())
    click.echo("The report is on its way again.")
