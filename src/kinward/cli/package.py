"""`kinward package`: ask for a release, write the package of an approved one, and check one."""

import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import click

from kinward.cli.counts import counted
from kinward.cli.main import operator
from kinward.cli.two_people import settle
from kinward.custody.api import ReleaseForm, make_package, request_release
from kinward.evidence.api import read_manifest, signing_key
from kinward.ground.names import visible

DAY: Final = click.DateTime(["%Y-%m-%d"])


@click.group()
def package() -> None:
    """Ask for, write and check packages: records of an account, sealed for their recipient."""


@package.command()
@click.argument("account")
@click.option("--since", type=DAY, required=True, help="First day (UTC).")
@click.option("--until", type=DAY, required=True, help="Last day (UTC).")
@click.option("--recipient", required=True, help="The recipient's age key (age1…).")
@click.option("--to", required=True, help="The authority that asks for it.")
@click.option("--reference", required=True, help="The authority's reference.")
@click.option("--why", required=True, help="What the other person reads.")
def ask(
    account: str,
    since: datetime,
    until: datetime,
    recipient: str,
    to: str,
    reference: str,
    why: str,
) -> None:
    """Ask for the release of an ACCOUNT's records. Another person must approve it."""
    form = ReleaseForm(
        account_id=account,
        since=since.date(),
        until=until.date(),
        recipient=recipient,
        to=to,
        reference=reference,
        why=why,
    )
    release = request_release(form=form, staff=operator())
    settle(release, lambda: f"Approved. Write it with `kinward package make {release.pk}`.")


@package.command("make")
@click.argument("release", type=click.UUID)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def make(release: UUID, out: Path) -> None:
    """Write the package of an approved release."""
    click.echo("Writing the package …", file=sys.stderr)
    packed = make_package(release_id=release, path=out, actor=operator())
    files = counted(packed.files, "file", "files")
    click.echo(f"{out} has {files} and SHA-256 {packed.sha256}.")
    click.echo(f"The public key of its signature is {signing_key()}.")


@package.command()
@click.argument("opened", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, help="The sender's public key, in hex.")
def check(opened: Path, key: str) -> None:
    """Check a package after opening it with age: its signature and the digest of each file."""
    with zipfile.ZipFile(opened) as archive:
        manifest = read_manifest(archive, key)
    unchanged = counted(len(manifest["files"]), "file is unchanged.", "files are unchanged.")
    click.echo(f"{visible(str(manifest['title']))}: {unchanged}")
