"""`kinward match`: check what was uploaded against new hashes."""

import sys
from pathlib import Path

import click

from kinward.cli.counts import counted
from kinward.findings.api import retro_match
from kinward.ground.config import config
from kinward.matching.api import Join, count_uploaded


@click.group()
def match() -> None:
    """Check what was uploaded against new hashes."""


@match.command()
@click.option(
    "--ray",
    "address",
    metavar="ADDRESS",
    help="Use the Ray cluster at this address. `local` starts one.",
)
@click.option(
    "--parquet",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory where the cluster's machines read the uploaded hashes. Kept for the next run.",
)
def retro(address: str | None, parquet: Path | None) -> None:
    """Check everything that was uploaded against all hashes that are new since the last run.

    An interrupted run resumes. The worker does the same by itself whenever a list grows.
    """
    if parquet and not address:
        raise click.UsageError("--parquet is for --ray.")
    join: Join | None = None
    if address:
        from kinward.matching.api import Cluster

        join = Cluster(address, parquet or config().data_dir / "parquet").join
    last = None
    with click.progressbar(length=count_uploaded(), label="Uploaded", file=sys.stderr) as bar:
        for run in retro_match(join):
            if last is not None and run.pk != last.pk:
                bar.pos = 0
            bar.update(run.held - bar.pos)
            last = run
    if last is None:
        click.echo("There are no new hashes, or another run is in progress.")
        return
    hashes = counted(last.hashes, "new hash", "new hashes")
    findings = counted(last.found, "finding", "findings")
    click.echo(f"{hashes}, {last.held:,} uploaded: {findings}.")
