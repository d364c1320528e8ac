"""`kinward bank import`: a whole list or nothing, and a question before much leaves a bank."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TextIO, TypeVar

import click

from kinward.cli.counts import counted
from kinward.cli.main import operator
from kinward.cli.two_people import BREAK_GLASS, settle
from kinward.matching.api import (
    FORMATS,
    BadRow,
    Bank,
    Confidence,
    Imported,
    ListFile,
    ListRefused,
    RemovesTooMuch,
    Unused,
    get_bank,
    import_list,
    request_withdrawal,
)

CONFIDENCE: Final = click.Choice([value.value for value in Confidence])
UNNAMED: Final = ("md5", "sha1", "sha256", "pdq")  # kinds that a list may leave unnamed
REMOVES: Final = click.option(
    "--removes",
    type=click.IntRange(min=1),
    metavar="N",
    help="Agree that N hashes are removed, or ask for it where that takes two people. "
    "Kinward says the number when it asks.",
)
Answer = TypeVar("Answer")


class Refused(click.ClickException):
    """A refusal of what a person gave the command. Exits with 2."""

    exit_code = 2


@contextmanager
def refusals() -> Iterator[None]:
    """Turn refusals of a list or of a large withdrawal into sentences for the command line."""
    try:
        yield
    except ListRefused as error:
        rows = [f"  row {row.line:,}: {row.why}" for row in error.rows[1:]]
        if error.count > len(error.rows) > 0:
            rows.append(f"  and {error.count - len(error.rows):,} more rows.")
        raise Refused("\n".join([str(error), *rows])) from None
    except RemovesTooMuch as error:
        agree = f"If that is right, run this again with --removes {error.hashes}."
        raise Refused(f"{error} {agree}") from None


def removing(
    bank: Bank, removes: int | None, reason: str | None, act: Callable[[], Answer]
) -> Answer | None:
    """Act. Where that removes so much that it takes two people, ask for it in place of acting."""
    try:
        return act()
    except RemovesTooMuch as error:
        asked = None
        if removes == error.hashes:
            asked = request_withdrawal(bank=bank, hashes=removes, asker=operator())
        if asked is None:
            raise
    hashes = counted(asked.hashes, "hash", "hashes")
    settle(asked, lambda: f"{hashes} may leave {bank.name!r} within a day.", reason)
    if asked.carried_out:
        return act()
    click.echo("Once that is done, run the same command again without --removes.")
    return None


@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "format_", type=click.Choice(FORMATS), required=True)
@click.option("--provenance", required=True, help="Where this list comes from.")
@click.option("--confidence", type=CONFIDENCE, help="If it is lower than the bank's.")
@click.option("--kind", type=click.Choice(UNNAMED), help="The kind, if the list does not name it.")
@click.option(
    "--category",
    "categories",
    type=int,
    multiple=True,
    help="A category of Project VIC to import. Its meaning depends on the country.",
)
@click.option(
    "--bad-rows",
    type=click.Path(path_type=Path),
    help="Write every row that is bad or not banked to this file.",
)
@REMOVES
@BREAK_GLASS
def import_(
    name: str,
    file: Path,
    format_: str,
    provenance: str,
    confidence: str | None,
    kind: str | None,
    categories: tuple[int, ...],
    bad_rows: Path | None,
    removes: int | None,
    reason: str | None,
) -> None:
    """Import a whole list, or nothing of it if a row is bad."""
    if (format_ == "vic") != bool(categories):
        raise click.UsageError("--format vic needs --category, and no other format takes it.")
    bank_row = get_bank(name)

    def read() -> tuple[Imported, ListFile]:
        """Import the list. Its file is read from its beginning each time."""
        with ExitStack() as stack:
            told = _Told(stack.enter_context(bad_rows.open("w")) if bad_rows else None)
            opened = stack.enter_context(file.open("rb"))
            source = ListFile(opened, format_, categories=categories, kind=kind or "")
            _show_progress(stack, source, file)
            done = import_list(
                bank=bank_row,
                source=source,
                provenance=provenance,
                confidence=confidence,
                agreed=removes,
                actor=operator(),
                told=told,
            )
            return done, source

    with refusals():
        answer = removing(bank_row, removes, reason, read)
    if answer:
        _say(name, *answer)


def _show_progress(stack: ExitStack, source: ListFile, file: Path) -> None:
    bar = stack.enter_context(
        click.progressbar(
            length=2 * file.stat().st_size,  # a list is read twice
            label="Reading",
            file=sys.stderr,
            update_min_steps=1 << 16,
        )
    )
    source.progress = bar.update


def _say(name: str, done: Imported, source: ListFile) -> None:
    removed = f", and removed {done.removed:,}" if done.removed else ""
    click.echo(f"Added {counted(done.added, 'new hash', 'new hashes')} to {name!r}{removed}.")
    if source.encoding.guessed:
        click.echo("The file is not UTF-8. It was read as Windows-1252.")
    if source.left_out:
        columns = ", ".join(repr(column)[:40] for column in source.left_out[:20])
        click.echo(f"Columns that are not read: {columns}.")
    if source.others:
        others = counted(source.others, "entry", "entries")
        click.echo(f"Not read, since they are of other categories: {others}.")
    if done.carried:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in done.carried.items())
        click.echo(f"Kinward matches nothing by these kinds, and only carries them: {kinds}.")
    if done.unused:
        click.echo(f"{counted(done.unused, 'hash was', 'hashes were')} not banked:")
    for row in done.first_unused:
        click.secho(f"  row {row.line:,}: {row.why}", fg="yellow")
    if done.unused > len(done.first_unused):
        more = done.unused - len(done.first_unused)
        click.echo(f"  and {more:,} more. --bad-rows FILE writes all of them to a file.")


class _Told:
    """Writes rows that are bad or not banked to a file, if there is one."""

    def __init__(self, file: TextIO | None) -> None:
        self._file = file

    def __call__(self, row: BadRow | Unused) -> None:
        if self._file:
            self._file.write(f"{row.line}\t{row.why}\n")
