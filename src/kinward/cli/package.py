"""`kinward package`: write the sealed package of an approved release, and check one."""

import sys
import zipfile
from pathlib import Path
from uuid import UUID

import click

from kinward.cli.counts import counted
from kinward.cli.main import operator
from kinward.custody.api import make_package
from kinward.evidence.api import read_manifest, signing_key
from kinward.ground.names import visible


@click.group()
def package() -> None:
    """Write and check packages: records of an account, sealed for their recipient."""


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
