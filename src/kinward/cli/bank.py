"""`kinward bank`: banks of known hashes."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from django.db.models import Count, Q

from kinward.cli.main import operator
from kinward.errors import KinwardError
from kinward.matching.decoders import decoders
from kinward.matching.hashlists import FORMATS, BadRow, ListedHash, parse_hash, read_list
from kinward.matching.kinds import Confidence, HashKind
from kinward.matching.models import Bank
from kinward.matching.picture import digest_bytes
from kinward.matching.services import (
    add_hashes,
    create_bank,
    file_hashes,
    get_bank,
    remove_hashes,
)

SHOWN = 20
CONFIDENCE = click.Choice([value.value for value in Confidence])


@click.group()
def bank() -> None:
    """Banks of known hashes."""


@bank.command()
@click.argument("name")
@click.option("--confidence", type=CONFIDENCE, required=True, help="The surest it can be.")
@click.option("--description", default="")
def create(name: str, confidence: str, description: str) -> None:
    """Make an empty bank."""
    create_bank(name=name, confidence=confidence, description=description, actor=operator())
    click.echo(f"The {confidence} bank {name!r} is ready.")


@bank.command("list")
def list_banks() -> None:
    """List the banks, with the number of live hashes of each."""
    live = Count("hashes", filter=Q(hashes__removed=False))
    for row in Bank.objects.annotate(live=live).order_by("name"):
        click.echo(f"{row.name}  {row.confidence}  {row.live:,} hashes  {row.description}")


@bank.command()
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--provenance", required=True, help="Where these come from.")
@click.option("--confidence", type=CONFIDENCE, help="Lower than the bank's, if need be.")
def add(name: str, files: tuple[Path, ...], provenance: str, confidence: str | None) -> None:
    """Add files: their bytes are hashed and forgotten."""
    bank_row = get_bank(name)
    hashes: list[ListedHash] = []
    with click.progressbar(files, label="Hashing", file=sys.stderr) as bar:
        for path in bar:
            hashes += _hashes_of(path)
    added = add_hashes(
        bank=bank_row,
        hashes=hashes,
        provenance=provenance,
        confidence=confidence,
        actor=operator(),
    )
    click.echo(f"{added} hashes of {len(files)} files are in {name!r}.")


def _hashes_of(path: Path) -> list[ListedHash]:
    data = path.read_bytes()
    try:
        picture = decoders().hash(data)
    except KinwardError as error:
        click.secho(f"\n{path}: digests only. {error}", fg="yellow", err=True)
        picture = None
    listed = file_hashes(digest_bytes(data), picture, path.name)
    if picture and not any(item.kind is HashKind.PDQ for item in listed):
        click.secho(f"\n{path}: digests only, too little structure for PDQ.", fg="yellow", err=True)
    return listed


@bank.command("import")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "format_", type=click.Choice(FORMATS), required=True)
@click.option("--provenance", required=True, help="Where this list comes from.")
@click.option("--confidence", type=CONFIDENCE, help="Lower than the bank's, if need be.")
def import_(name: str, file: Path, format_: str, provenance: str, confidence: str | None) -> None:
    """Add a hash list. Good rows go in, bad ones are listed with their line."""
    bank_row = get_bank(name)
    bad: list[BadRow] = []
    with (
        file.open(encoding="utf-8-sig", errors="replace", newline="") as lines,
        click.progressbar(length=file.stat().st_size, label="Reading", file=sys.stderr) as bar,
    ):

        def counted() -> Iterator[str]:
            for line in lines:
                bar.update(len(line))
                yield line

        def good() -> Iterator[ListedHash]:
            for row in read_list(counted(), format_):
                if isinstance(row, ListedHash):
                    yield row
                else:
                    bad.append(row)

        added = add_hashes(
            bank=bank_row,
            hashes=good(),
            provenance=provenance,
            confidence=confidence,
            actor=operator(),
        )
    click.echo(f"{added} hashes are new in {name!r}; {len(bad)} rows could not be used.")
    for row in bad[:SHOWN]:
        click.secho(f"  line {row.line}: {row.why}", fg="yellow")
    if len(bad) > SHOWN:
        click.echo(f"  and {len(bad) - SHOWN} more")


@bank.command()
@click.argument("name")
@click.option("--hash", "hashes", multiple=True, metavar="KIND:HEX", help="For example md5:d41d….")
@click.option(
    "--reference", default="", help="All hashes with this reference, such as a file name."
)
def remove(name: str, hashes: tuple[str, ...], reference: str) -> None:
    """Take hashes out of a bank."""
    if bool(hashes) == bool(reference):
        raise click.UsageError("Give --hash or --reference.")
    try:
        values = [_parse(text) for text in hashes]
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    count = remove_hashes(bank=get_bank(name), values=values, reference=reference, actor=operator())
    click.echo(f"{count} hashes were taken out of {name!r}.")


def _parse(text: str) -> bytes:
    kind, _, value = text.partition(":")
    return parse_hash(HashKind(kind.lower()), value)
