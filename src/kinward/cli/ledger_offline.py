"""`kinward ledger verify --offline`: verify an export by its files alone, with no database."""

from pathlib import Path
from typing import Final

import click

from kinward.ground.errors import Invalid
from kinward.ground.names import visible
from kinward.ledger import NotVerified, verify_files

INDENT: Final = "  "  # of the lines below the first


def verify_offline(
    export: Path,
    policy: Path | None,
    receipts: tuple[Path, ...],
    checkpoints: tuple[Path, ...],
    rotations: Path | None,
    state: Path | None,
) -> None:
    """Verify an export and print what was found. Exits with 1 if it does not verify."""
    if policy is None:
        raise Invalid("Name whom you trust: `--policy FILE`, with the verifier key of the log.")
    try:
        lines = verify_files(
            export,
            policy,
            receipts,
            checkpoint_files=checkpoints,
            rotations_file=rotations,
            state=state,
        )
    except NotVerified as error:
        click.secho(f"Not verified: {visible(str(error))}", fg="red")
        raise SystemExit(1) from None
    for number, line in enumerate(lines):
        text = line.removeprefix(INDENT)
        shown = f"{INDENT if text != line else ''}{visible(text)}"
        click.secho(shown, fg="green" if number == 0 else None)
