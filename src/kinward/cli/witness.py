"""`kinward witness`: watch the logs of other communities, so that they cannot rewrite them."""

import os
import sys
from datetime import UTC, datetime
from typing import Final

import click

from kinward.cli.counts import counted
from kinward.cli.roles import BUFFER, connections
from kinward.ground.config import config
from kinward.ground.errors import Invalid
from kinward.ground.names import visible
from kinward.ledger import NOTHING_SEEN, Refused, WitnessFolder

HEAD_MILLISECONDS: Final = 10_000  # in which the head of a request has to arrive


@click.group()
def witness() -> None:
    """Watch the logs of others: cosign what only grows, and keep what does not."""


def _folder() -> WitnessFolder:
    return WitnessFolder(config().data_dir / "witness")


@witness.command()
@click.argument("name")
def init(name: str) -> None:
    """Make the key of a witness. NAME is its name for ever, such as witness.example/w1."""
    click.echo(_folder().make_key(name).vkey)
    click.echo("Give this verifier key to the logs that you watch.", err=True)


@witness.command()
@click.argument("vkey")
def watch(vkey: str) -> None:
    """Watch the log with this verifier key. A running witness needs no restart."""
    click.echo(f"This witness watches {visible(_folder().watch(vkey).name)}.")


@witness.command()
def show() -> None:
    """Show its verifier key, and the largest tree that it has seen of each log."""
    folder = _folder()
    click.echo(folder.key()[0].vkey)
    with folder.trees() as trees:
        refused = trees.refused()
        for origin in dict.fromkeys(log.verifier.name for log in folder.logs()):
            seen = trees.last(origin)  # however many keys it has had
            size = "nothing yet"
            if seen != NOTHING_SEEN:
                size = f"{counted(seen.size, 'entry', 'entries')}, {_moment(seen.seconds)}"
            click.echo(f"{visible(origin)}  {size}")
    if refused:
        told = counted(len(refused), "request was", "requests were")
        click.secho(f"{told} refused: `kinward witness refused`.", fg="red")


@witness.command()
@click.argument("number", type=int, required=False)
def refused(number: int | None) -> None:
    """List what a log signed and this witness refused, or print one such request.

    Such a request can prove that a log shows two histories. Compare it with that log's operator.
    """
    with _folder().trees() as trees:
        requests = trees.refused()
    if number is None:
        for request in requests:
            click.echo(_line(request))
        return
    bodies = [request.body for request in requests if request.number == number]
    if not bodies:
        raise Invalid(f"No refused request has the number {number}.")
    click.echo(bodies[0].decode("utf-8", "replace"), nl=False)


@witness.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8709, show_default=True)
def serve(host: str, port: int) -> None:
    """Answer logs that ask for a cosignature. Put a proxy with TLS before it."""
    _folder().key()
    _folder().logs()
    click.echo(f"Witness: http://{host}:{port}", err=True)
    command = serve_command(host, port)
    os.execv(command[0], command)  # noqa: S606 - our own interpreter


def serve_command(host: str, port: int) -> list[str]:
    """Return the command line of the server."""
    return [
        sys.executable,
        "-m",
        "kinward.project.server",
        "--interface=asgi",
        f"--host={host}",
        f"--port={port}",
        "--workers=1",
        "--http=1",
        "--no-ws",
        f"--backpressure={connections()}",
        f"--http1-buffer-size={BUFFER}",
        f"--http1-header-read-timeout={HEAD_MILLISECONDS}",
        "--respawn-failed-workers",
        "--log-level=warning",
        "kinward.ledger.witness_app:application",
    ]


def _line(request: Refused) -> str:
    where = f"{visible(request.origin)} at size {request.size}"
    return f"{request.number}  {_moment(request.seconds)}  {where}: {visible(request.why)}"


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
