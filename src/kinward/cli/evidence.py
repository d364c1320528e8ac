"""`kinward evidence`: legal holds, expiry, keys, the store, and checks for damage."""

import sys
from uuid import UUID

import click
from django.utils import timezone

from kinward.cli.counts import counted
from kinward.cli.main import operator
from kinward.cli.two_people import settle
from kinward.custody.api import DestructionForm, request_destruction
from kinward.evidence.api import (
    Evidence,
    destroy_expired_evidence,
    keys,
    request_hold_end,
    rewrap_keys,
    scrub_evidence,
    set_legal_hold,
    store_next_file,
)


@click.group()
def evidence() -> None:
    """Manage sealed evidence: legal holds, expiry, keys, and checks for damage."""


@evidence.command()
@click.argument("case", type=click.UUID)
@click.option("--reference", required=True, help="The requesting authority's reference.")
def hold(case: UUID, reference: str) -> None:
    """Put a case's evidence under legal hold, so that it cannot expire."""
    count = set_legal_hold(case_id=case, reference=reference, actor=operator())
    click.echo(counted(count, "file is under legal hold.", "files are under legal hold."))


@evidence.command()
@click.argument("case", type=click.UUID)
@click.option("--why", required=True, help="What the other person reads.")
def release(case: UUID, why: str) -> None:
    """Release a case's evidence from its legal hold once another person agrees."""
    ending = request_hold_end(case_id=case, why=why, staff=operator())
    settle(ending, lambda: "The legal hold is lifted.")


@evidence.command()
@click.argument("case", type=click.UUID)
@click.option("--asked-for-by", required=True, help="The authority that asks for it.")
@click.option("--reference", required=True, help="The authority's reference.")
def destroy(case: UUID, asked_for_by: str, reference: str) -> None:
    """Destroy a case's evidence once another person agrees, because an authority asks."""
    form = DestructionForm(case_id=case, asked_for_by=asked_for_by, reference=reference)
    settle(request_destruction(form=form, staff=operator()), lambda: "The evidence is destroyed.")


@evidence.command()
def expire() -> None:
    """Destroy expired evidence now. The worker does this daily."""
    count = destroy_expired_evidence(timezone.now())
    click.echo(counted(count, "file was destroyed.", "files were destroyed."))


@evidence.command()
def rewrap() -> None:
    """Wrap every data key with the current evidence key. Run this after you change that key."""
    others = Evidence.objects.filter(destroyed_at=None).exclude(key_id=keys().current)
    with click.progressbar(range(others.count()), label="Keys", file=sys.stderr) as bar:
        count = rewrap_keys(lambda done: bar.update(done - bar.pos))
    wrapped = counted(count, "data key was wrapped", "data keys were wrapped")
    click.echo(f"{wrapped} with {keys().current}.")


@evidence.command()
def scrub() -> None:
    """Check every file for damage, without opening it. The worker does this weekly."""
    live = Evidence.objects.filter(destroyed_at=None)
    with click.progressbar(range(live.count()), label="Files", file=sys.stderr) as bar:
        damaged = scrub_evidence(lambda done: bar.update(done - bar.pos))
    if damaged:
        sentence = counted(damaged, "file is damaged.", "files are damaged.")
        click.secho(f"{sentence} See the ledger.", fg="red", err=True)
        raise click.exceptions.Exit(1)
    click.echo("No file is damaged.")


@evidence.command()
def store() -> None:
    """Move files from the database to KINWARD_EVIDENCE_STORE now."""
    count = 0
    while store_next_file():
        count += 1
    click.echo(counted(count, "file was moved.", "files were moved."))
