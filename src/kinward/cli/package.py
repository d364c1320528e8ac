"""`kinward package`: the sealed package of an approved release, and checking one."""

import sys
import zipfile
from pathlib import Path
from uuid import UUID

import click

from kinward.cli.main import operator
from kinward.custody.api import make_package
from kinward.evidence.api import read_manifest, signing_key


@click.group()
def package() -> None:
    """Records of an account for legal process, sealed to who is to read them."""


@package.command("make")
@click.argument("release", type=click.UUID)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def make(release: UUID, out: Path) -> None:
    """Write the package of a release that another custodian has approved."""
    click.echo("Packing …", file=sys.stderr)
    packed = make_package(release_id=release, path=out, actor=operator())
    click.echo(f"{packed.files} files in {out}, SHA-256 {packed.sha256}.")
    click.echo(f"Its manifest is signed with {signing_key()}.")


@package.command()
@click.argument("opened", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, help="The public key that the sender told you, in hex.")
def check(opened: Path, key: str) -> None:
    """Check a package that was opened with age: its signature, and each file's digest."""
    with zipfile.ZipFile(opened) as archive:
        manifest = read_manifest(archive, key)
    click.echo(f"{manifest['title']}: {len(manifest['files'])} files are as they were packed.")
