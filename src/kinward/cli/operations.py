"""`kinward action` and `kinward report`: list what is parked, and send it again."""

from pathlib import Path
from typing import Final
from uuid import UUID

import click

from kinward.cli.counts import counted
from kinward.cli.main import operator
from kinward.cli.two_people import BREAK_GLASS, settle
from kinward.enforcement.api import get_action, parked_actions, replay_action, struggling_actions
from kinward.ground.errors import Invalid
from kinward.ground.names import visible
from kinward.reporting.api import (
    faults_of,
    get_report,
    parked_reports,
    request_production,
    waiting_reports,
)
from kinward.verdicts.api import refile_report

CYBERTIPLINE: Final = "cybertipline"


@click.group()
def action() -> None:
    """List parked actions, and send them again."""


@action.command("list")
def list_actions() -> None:
    """List parked actions, and those that are being retried."""
    for row in [*parked_actions(), *struggling_actions()]:
        attempts = counted(row.attempts, "attempt", "attempts")
        click.echo(f"{row.id}  {row.state}  {row.type}  {attempts}  {visible(row.answer[:60])}")


@action.command()
@click.argument("action_id", type=click.UUID, required=False)
@click.option("--all", "everything", is_flag=True, help="Send all parked actions.")
def replay(action_id: UUID | None, everything: bool) -> None:
    """Send one or all parked actions again."""
    if everything == (action_id is not None):
        raise click.UsageError("Give either an action id or --all.")
    chosen = parked_actions() if action_id is None else [get_action(action_id)]
    for row in list(chosen):
        replay_action(action=row, actor=operator())
        click.echo(f"{row.type} {row.id} will be sent again.")


@click.group()
def report() -> None:
    """List, validate and file reports to authorities."""


@report.command("list")
def list_reports() -> None:
    """List parked reports, with the authority's response."""
    for row in parked_reports():
        click.echo(f"{row.id}  case {row.case_id}  {row.authority}  {visible(row.problem)}")


@report.command()
@click.argument("report_id", type=click.UUID, required=False)
@click.option(
    "--xsd",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The authority's schema. Without it, the shipped schema and rules apply.",
)
def validate(report_id: UUID | None, xsd: Path | None) -> None:
    """Validate one CyberTipline report, or all waiting ones, against the authority's schema."""
    chosen = [get_report(report_id)] if report_id else list(waiting_reports())
    if report_id and chosen[0].authority != CYBERTIPLINE:
        raise Invalid(f"This report goes to {chosen[0].authority}, which has no schema.")
    chosen = [row for row in chosen if row.authority == CYBERTIPLINE]
    wrong = 0
    for row in chosen:
        faults = faults_of(row, xsd)
        wrong += bool(faults)
        click.echo(f"{row.id}: {'; '.join(faults) or 'valid'}")
    if wrong:
        raise click.exceptions.Exit(1)
    click.echo(counted(len(chosen), "report is valid.", "reports are valid."))


@report.command()
@click.argument("authority")
@click.option("--why", required=True, help="What the other person reads.")
@BREAK_GLASS
def production(authority: str, why: str, reason: str | None) -> None:
    """File reports to AUTHORITY for real once another person agrees."""
    asked = request_production(name=authority, why=why, staff=operator())
    settle(asked, lambda: f"Reports to {authority} are now filed for real.", reason)


@report.command("refile")
@click.argument("report_id", type=click.UUID)
def refile_one(report_id: UUID) -> None:
    """File a parked report again."""
    refile_report(report=get_report(report_id), actor=operator())
    click.echo("The report will be filed again.")
