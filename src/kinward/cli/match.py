"""`kinward match`: looking for new hashes in what the platform already holds."""

import sys
from pathlib import Path

import click

from kinward.findings.api import retro_match
from kinward.ground.config import config
from kinward.matching.api import Join, count_uploaded


@click.group()
def match() -> None:
    """What is held, against lists that grew."""


@match.command()
@click.option("--ray", "address", metavar="ADDRESS", help="On a Ray cluster; `local` starts one.")
@click.option(
    "--parquet",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the cluster's machines find what is held; kept for the next time.",
)
def retro(address: str | None, parquet: Path | None) -> None:
    """Check everything held against all hashes that are new since the last time.

    Goes on where it was cut off. The worker does the same by itself whenever a list grows.
    """
    if parquet and not address:
        raise click.UsageError("--parquet is for --ray.")
    join: Join | None = None
    if address:
        from kinward.matching.api import Cluster

        join = Cluster(address, parquet or config().data_dir / "parquet").join
    last = None
    with click.progressbar(length=count_uploaded(), label="Held", file=sys.stderr) as bar:
        for run in retro_match(join):
            if last is not None and run.pk != last.pk:
                bar.pos = 0
            bar.update(run.held - bar.pos)
            last = run
    if last is None:
        click.echo("No hash is new, or another run is under way.")
        return
    click.echo(f"{last.hashes:,} new hashes, {last.held:,} held: {last.found:,} findings.")
