"""`kinward family`: pause a pairing, ask to end or to hand over one, and enter an intake."""

from pathlib import Path
from typing import Literal
from uuid import UUID

import click

from kinward.cli.main import operator
from kinward.cli.two_people import WHY, settle
from kinward.families.api import method_of, pairings_of
from kinward.findings.api import IntakeIn, receive_intake
from kinward.ground.names import visible
from kinward.people.api import get_account
from kinward.verdicts.api import OrderForm, pause_by_command, request_pairing_order

CASE = click.option("--case", type=click.UUID, required=True, help="The case that it is about.")


@click.group()
def family() -> None:
    """Look at pairings, pause, end and hand over one, and enter a letter about a child."""


@family.command(name="list")
@click.argument("account")
def list_pairings(account: str) -> None:
    """List the pairings of an account that have not ended."""
    for pairing in pairings_of(get_account(account)):
        names = (pairing.guardian.platform_id, pairing.teen.platform_id)
        guardian, teen = map(visible, names)
        paused = ", paused" if pairing.disputed_at is not None else ""
        proof = method_of(pairing.guardian, pairing.teen) or "none"
        click.echo(f"{pairing.id}  {guardian} guards {teen}, proof: {proof}{paused}")


@family.command()
@click.argument("pairing", type=click.UUID)
@CASE
@WHY
@click.option("--quiet", is_flag=True, help="Neither of the two notices.")
def pause(pairing: UUID, case: UUID, why: str, quiet: bool) -> None:
    """Take all power from a guardian at once, until a person decides in the case."""
    pause_by_command(case_id=case, pairing_id=pairing, why=why, quiet=quiet, actor=operator())
    click.echo("The pairing is paused. A person decides about it in the case.")


@family.command()
@click.argument("pairing", type=click.UUID)
@CASE
@WHY
def end(pairing: UUID, case: UUID, why: str) -> None:
    """End a pairing once another person agrees. The two pair again only by a person."""
    order = request_pairing_order(form=OrderForm(case, pairing, why), staff=operator())
    settle(order, lambda: "The pairing has ended.")


@family.command(name="hand-over")
@click.argument("pairing", type=click.UUID)
@CASE
@WHY
@click.option("--to", required=True, help="The account of the other guardian.")
@click.option(
    "--method",
    type=click.Choice(["court", "school"]),
    default="court",
    show_default=True,
    help="Who names the other guardian.",
)
@click.option(
    "--papers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="A text of what the papers say. It is sealed in the case.",
)
def hand_over(pairing: UUID, case: UUID, why: str, to: str, method: str, papers: Path) -> None:
    """Hand a teen over to another guardian once another person agrees."""
    text = _text_of(papers)
    form = OrderForm(case, pairing, why, to, method, text)
    order = request_pairing_order(form=form, staff=operator())
    settle(order, lambda: "The teen has another guardian.")


@family.command()
@click.argument("account")
@click.option(
    "--who",
    type=click.Choice(["carer", "social worker", "school", "court"]),
    required=True,
    help="Who writes.",
)
@click.option("--office", required=True, help="Whom they work for.")
@click.option("--reference", required=True, help="The office's own number of the matter.")
@click.option("--reach", required=True, help="How a person finds out whether it is true.")
@click.option("--text", required=True, help="What they ask for.")
@click.option(
    "--papers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A text of what their papers say. It is sealed in the case.",
)
def intake(
    account: str,
    who: Literal["carer", "social worker", "school", "court"],
    office: str,
    reference: str,
    reach: str,
    text: str,
    papers: Path | None,
) -> None:
    """Enter a letter of somebody who speaks for a child. It changes nothing by itself."""
    word = IntakeIn(
        account_id=account,
        who=who,
        office=office,
        reference=reference,
        reach=reach,
        text=text,
        papers="" if papers is None else _text_of(papers),
    )
    finding = receive_intake(intake=word, actor=operator())
    click.echo(f"A person looks at it in case {finding.case_id}.")


def _text_of(papers: Path) -> str:
    try:
        return papers.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise click.BadParameter("It is no text. Type what the papers say.") from None
