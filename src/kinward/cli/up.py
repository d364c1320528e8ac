"""`kinward up`: start everything that a small community needs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import click

from kinward.cli import postgres
from kinward.cli.first_run import check_erasures, make_secrets, migrate
from kinward.cli.main import load_django, operator
from kinward.cli.roles import check_decoders, check_plugins, doors_by_port, serve_command
from kinward.cli.supervisor import Role, Supervisor, claim, step
from kinward.ground.config import Door, config

PORT_SETTINGS: Final[dict[Door, str]] = {
    "gate": "KINWARD_PORT",
    "console": "KINWARD_CONSOLE_PORT",
    "pages": "KINWARD_PAGES_PORT",
}
# Where they share a machine, a decision comes before a page, and staff come before strangers.
NICE: Final[dict[Door, int]] = {"gate": 0, "console": 5, "pages": 10}


def own_roles() -> list[Role]:
    """Return Kinward's processes: gate, console, pages and a worker."""
    chosen = config()
    return [
        *(
            Role(
                "-".join(doors),
                serve_command(doors, port),
                ready_url=f"http://{chosen.host}:{port}/healthz",
                port_setting=PORT_SETTINGS[doors[0]],
                nice=min(NICE[door] for door in doors),
            )
            for port, doors in doors_by_port(chosen.ports).items()
        ),
        Role("worker", [sys.executable, "-m", "kinward", "worker"], nice=NICE["console"]),
    ]


def start_ground() -> Callable[[], object]:
    """Create the secrets and start the database; returns a function that stops the database."""
    make_secrets()
    stop: Callable[[], object] = lambda: None  # noqa: E731
    if postgres.is_embedded():
        server, _ = postgres.start()
        stop = server.stop
    load_django()
    return stop


@contextmanager
def running(title: str) -> Iterator[Supervisor]:
    """Yield a supervisor once the database is ready. At the end, stop everything."""
    with ExitStack() as at_the_end:
        at_the_end.enter_context(claim(config().data_dir))
        supervisor = Supervisor(config().data_dir / "logs")
        click.secho(title, bold=True, err=True)
        step("database", lambda: at_the_end.callback(start_ground()))
        at_the_end.callback(supervisor.stop)
        at_the_end.callback(lambda: click.secho("\nStopping.", err=True))
        check_plugins()
        step("decoders", check_decoders)
        step("tables", migrate)
        check_erasures()
        yield supervisor


@click.command()
def up() -> None:
    """Start the database, gate, console, pages and a worker, and keep them running until Ctrl-C."""
    with running("Kinward is starting.") as supervisor:
        supervisor.start(*own_roles())
        supervisor.wait()
        click.echo(f"\nConsole and API: {config().url}")
        click.echo(f"Ports: {where()}")
        _welcome()
        click.echo("Stop with Ctrl-C.")
        supervisor.run()


def where() -> str:
    """Return the ports of the doors, in words."""
    return ", ".join(f"{door} {port}" for door, port in config().ports.items())


def _welcome() -> None:
    """Print a link for the first administrator until there is one. An earlier link then ends."""
    from kinward.access.api import invite_first, link_of

    secret = invite_first(actor=operator())
    if secret is None:
        return
    click.echo("\nOpen this link to become the first administrator. It works once, for three days:")
    click.echo(f"  {link_of(secret)}")
    click.echo("Next: `kinward key create app --for gate`")
