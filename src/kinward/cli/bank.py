"""`kinward bank`: banks of known hashes."""

import sys
from pathlib import Path
from typing import Any, Final, cast

import click

from kinward.cli.bank_import import CONFIDENCE, REMOVES, import_, refusals, removing
from kinward.cli.bank_rules import floods, rules_of, show_survey, tune
from kinward.cli.counts import counted
from kinward.cli.main import operator
from kinward.cli.two_people import BREAK_GLASS, settle
from kinward.exchanges.api import mark_false_positive
from kinward.findings.api import search_file
from kinward.ground.errors import KinwardError
from kinward.matching.api import (
    DIGESTS,
    BankedHash,
    HashSaysTooLittle,
    ListedHash,
    add_hashes,
    create_bank,
    disable_bank,
    disable_or_ask,
    file_hashes,
    get_bank,
    get_hash,
    kind_named,
    list_banks,
    remove_hashes,
    search_value,
    write_list,
)
from kinward.media import decoders, digest_bytes

MARKED: Final = "Hash marked as a false positive."


@click.group()
def bank() -> None:
    """Manage banks of known hashes."""


@bank.command()
@click.argument("name")
@click.option(
    "--confidence",
    type=CONFIDENCE,
    required=True,
    help="The highest confidence that its hashes can have.",
)
@click.option("--description", default="")
def create(name: str, confidence: str, description: str) -> None:
    """Create an empty bank."""
    create_bank(name=name, confidence=confidence, description=description, actor=operator())
    click.echo(f"Created the {confidence} bank {name!r}.")


@bank.command("list")
def show_banks() -> None:
    """List the banks with their numbers of live hashes."""
    for row in cast("Any", list_banks()):
        hashes = counted(row.live, "hash", "hashes")
        click.echo(f"{row.name}  {row.confidence}  {hashes}{rules_of(row)}  {row.description}")


@bank.command()
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--provenance", required=True, help="Where these files come from.")
@click.option("--confidence", type=CONFIDENCE, help="If it is lower than the bank's.")
def add(name: str, files: tuple[Path, ...], provenance: str, confidence: str | None) -> None:
    """Add the hashes of files. Kinward does not keep the files."""
    bank_row = get_bank(name)
    hashes: list[ListedHash] = []
    with click.progressbar(files, label="Hashing", file=sys.stderr) as bar:
        for path in bar:
            hashes += _hashes_of(path)
    if not hashes:
        raise HashSaysTooLittle
    added = add_hashes(
        bank=bank_row,
        hashes=hashes,
        provenance=provenance,
        confidence=confidence,
        actor=operator(),
    )
    added_hashes = counted(added, "hash", "hashes")
    source = counted(len(files), "file", "files")
    click.echo(f"Added {added_hashes} of {source} to {name!r}.")


def _hashes_of(path: Path) -> list[ListedHash]:
    data = path.read_bytes()
    try:
        hashed = decoders().hash(data)
    except KinwardError as error:
        why = error.for_operator
        click.secho(f"\n{path}: only digests were added. {why}", fg="yellow", err=True)
        hashed = None
    listed = file_hashes(digest_bytes(data), hashed, path.name)
    if not listed:
        click.secho(f"\n{path}: nothing of it was added. It is empty.", fg="yellow", err=True)
    if hashed and all(item.kind in DIGESTS for item in listed):
        click.secho(
            f"\n{path}: only digests were added. It has too little structure for PDQ.",
            fg="yellow",
            err=True,
        )
    return listed


@bank.command()
@click.argument("name")
@click.option("--format", "format_", type=click.Choice(("csv", "jsonl")), default="csv")
def export(name: str, format_: str) -> None:
    """Print a bank's live hashes, each unchanged."""
    rows = BankedHash.objects.filter(bank=get_bank(name), removed=False, false_positive=False)
    write_list(rows.order_by("pk").iterator(5000), format_, sys.stdout)


@bank.command()
@click.argument("name")
@click.option(
    "--hash", "hashes", multiple=True, metavar="KIND:VALUE", help="A hash, such as md5:d41d…."
)
@click.option(
    "--reference", default="", help="Remove all hashes with this reference, such as a file name."
)
@REMOVES
@BREAK_GLASS
def remove(
    name: str,
    hashes: tuple[str, ...],
    reference: str,
    removes: int | None,
    reason: str | None,
) -> None:
    """Remove hashes from a bank."""
    if bool(hashes) == bool(reference):
        raise click.UsageError("Give either --hash or --reference.")
    try:
        values = [_banked(text) for text in hashes]
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    bank_row = get_bank(name)

    def take_out() -> int:
        return remove_hashes(
            bank=bank_row, values=values, reference=reference, agreed=removes, actor=operator()
        )

    with refusals():
        count = removing(bank_row, removes, reason, take_out)
    if count:
        click.echo(f"Removed {counted(count, 'hash', 'hashes')} from {name!r}.")


def _banked(text: str) -> bytes:
    """Return a banked value, also one that says too little: an earlier version banked those."""
    name, _, value = text.partition(":")
    kind = kind_named(name)
    return kind.banked(value)


@bank.command()
@click.argument("file", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--hash", "hash_", metavar="KIND:VALUE", help="A hash, such as pdq:3c3c…, in place of a file."
)
def search(file: Path | None, hash_: str | None) -> None:
    """List the banked hashes that match a file or a hash, and what stays quiet and why."""
    if (file is None) == (hash_ is None):
        raise click.UsageError("Give either a file or --hash.")
    if file is not None:
        _search_file(file)
    else:
        _search_value(hash_ or "")


def _search_file(file: Path) -> None:
    found = search_file(file.read_bytes())
    for reason in found.missed:
        click.secho(f"Not everything was looked up. {reason}", fg="yellow", err=True)
    nothing = f"No banked hash matches. Looked up: {', '.join(found.checked)}."
    show_survey(found.met, found.values, nothing)


def _search_value(text: str) -> None:
    name, _, value = text.partition(":")
    try:
        kind, parsed, met = search_value(name, value)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    nothing = f"No banked hash matches. Looked up: {kind.name}."
    if not kind.matched:
        nothing = f"No banked {kind.name} is identical. Kinward does not match similar ones."
    show_survey(met, [(kind.name, parsed)], nothing)


@bank.command()
@click.argument("name")
@BREAK_GLASS
def disable(name: str, reason: str | None) -> None:
    """Disable a bank. It keeps its hashes, but matches nothing."""
    asked = disable_or_ask(bank=get_bank(name), asker=operator())
    done = f"{name!r} is disabled. It matches nothing."
    if asked:
        settle(asked, lambda: done, reason)
    else:
        click.echo(done)


@bank.command()
@click.argument("name")
def enable(name: str) -> None:
    """Enable a bank. It matches again."""
    disable_bank(bank=get_bank(name), disabled=False, actor=operator())
    click.echo(f"{name!r} is enabled. It matches again.")


bank.command("import")(import_)
bank.command("set")(tune)
bank.command("floods")(floods)


@bank.command("false-positive")
@click.argument("hash_id", type=int)
@click.option("--undo", is_flag=True, help="Undo: the hash was right.")
@BREAK_GLASS
def false_positive(hash_id: int, undo: bool, reason: str | None) -> None:
    """Mark a hash as a false positive. It stops matching, and its partner gets our opinion.

    Of a verified hash, another person has to agree. Until then its findings wait for a person.
    """
    row = get_hash(hash_id)
    waiting = mark_false_positive(row=row, wrong=not undo, asker=operator())
    if waiting:
        settle(waiting, lambda: MARKED, reason)
    else:
        click.echo("False positive undone. The hash matches again." if undo else MARKED)
