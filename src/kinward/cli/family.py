"""`kinward family`: look at an account's pairings, pause one, and ask to end or hand over one."""

from pathlib import Path
from uuid import UUID

import click

from kinward.cli.main import operator
from kinward.cli.two_people import WHY, settle
from kinward.families.api import method_of, pairings_of
from kinward.ground.names import visible
from kinward.people.api import get_account
from kinward.verdicts.api import OrderForm, pause_by_command, request_pairing_order

CASE = click.option("--case", type=click.UUID, required=True, help="The case that it is about.")


@click.group()
def family() -> None:
    """Look at pairings, pause one, and ask to end or to hand over one."""


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
    try:
        text = papers.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise click.BadParameter("It is no text. Type what the papers say.") from None
    form = OrderForm(case, pairing, why, to, method, text)
    order = request_pairing_order(form=form, staff=operator())
    settle(order, lambda: "The teen has another guardian.")
