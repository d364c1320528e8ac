"""`kinward up`: everything that a small community needs, in one command."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import click

from kinward.cli import postgres
from kinward.cli.first_run import make_secrets, migrate
from kinward.cli.main import load_django
from kinward.cli.roles import check_plugins, serve_command
from kinward.cli.supervisor import Role, Supervisor, claim, step
from kinward.ground.config import config


def own_roles() -> list[Role]:
    """Kinward's processes: web with gate, and a worker."""
    ready = f"http://{config().host}:{config().port}/healthz"
    return [
        Role("web", serve_command(), ready_url=ready),
        Role("worker", [sys.executable, "-m", "kinward", "worker"]),
    ]


def start_ground() -> Callable[[], object]:
    """Secrets, database, tables; returns what stops the database at the end."""
    make_secrets()
    stop: Callable[[], object] = lambda: None  # noqa: E731
    if postgres.is_embedded():
        server, _ = postgres.start()
        stop = server.stop
    load_django()
    return stop


@contextmanager
def house(title: str) -> Iterator[Supervisor]:
    """A supervisor over ground that is ready; at the end everything is stopped, last first."""
    with ExitStack() as at_the_end:
        at_the_end.enter_context(claim(config().data_dir))
        supervisor = Supervisor(config().data_dir / "logs")
        click.secho(title, bold=True, err=True)
        step("database", lambda: at_the_end.callback(start_ground()))
        at_the_end.callback(supervisor.stop)
        at_the_end.callback(lambda: click.secho("\nStopping.", err=True))
        check_plugins()
        step("tables", migrate)
        yield supervisor


@click.command()
def up() -> None:
    """Start database, web, gate and worker, and keep them running until Ctrl-C."""
    with house("Kinward is starting.") as supervisor:
        supervisor.start(*own_roles())
        supervisor.wait()
        click.echo(f"\nConsole and API: {config().url}")
        if not _has_staff():
            click.echo("Next: `kinward staff add NAME --role administrator`")
            click.echo("      `kinward key create app`")
        click.echo("Stop with Ctrl-C.")
        supervisor.run()


def _has_staff() -> bool:
    from kinward.access.api import Staff

    return Staff.objects.exists()
