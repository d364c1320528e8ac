"""The roles that scale apart: web with gate, and worker. Each runs in the foreground."""

import asyncio
import os
import sys

import click
from procrastinate import App

from kinward.cli.first_run import check_tables
from kinward.cli.first_run import migrate as migrate_tables
from kinward.cli.main import load_django, set_up_django
from kinward.ground.config import config
from kinward.ground.errors import NotConfigured


def serve_command() -> list[str]:
    """Return the command line of the server that runs web and gate."""
    chosen = config()
    return [
        sys.executable,
        "-m",
        "kinward.project.server",
        "--interface=asgi",
        f"--host={chosen.host}",
        f"--port={chosen.port}",
        f"--workers={chosen.processes}",
        "--http=1",
        "--no-ws",
        "--respawn-failed-workers",
        "--log-level=warning",
        "kinward.project.asgi:application",
    ]


def check_plugins() -> None:
    """Check the settings of plug-ins before anything starts. Raises `NotConfigured`."""
    from kinward.reporting.api import check_authority_settings

    check_authority_settings()


def check_decoders() -> None:
    """Start a decoder and ask which walls stand. Raises `Unwalled` if a required one does not."""
    from kinward.media import decoders

    pool = decoders()
    try:
        pool.walls()
    finally:
        pool.close()


@click.command()
def serve() -> None:
    """Run web and gate on KINWARD_HOST:KINWARD_PORT, with KINWARD_PROCESSES processes."""
    if not config().database_url:
        raise NotConfigured("`kinward serve` needs KINWARD_DATABASE_URL. `kinward up` does not.")
    load_django()
    check_tables()
    check_plugins()
    check_decoders()
    command = serve_command()
    os.execv(command[0], command)  # noqa: S606 - our own interpreter


@click.command()
def migrate() -> None:
    """Migrate the database to this version."""
    set_up_django()
    migrate_tables()
    click.echo("The database is up to date.")


@click.command()
@click.option("--concurrency", default=4, show_default=True, help="Number of jobs at a time.")
def worker(concurrency: int) -> None:
    """Run a worker until it gets a signal to stop. It finishes the jobs that it has started."""
    from procrastinate.contrib.django import app

    check_plugins()
    connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
    with app.replace_connector(connector):
        asyncio.run(_work(app, concurrency))


async def _work(app: App, concurrency: int) -> None:
    chosen = config()
    async with app.open_async() as opened:
        await opened.run_worker_async(
            concurrency=concurrency,
            delete_jobs="successful",
            fetch_job_polling_interval=1.0,
            update_heartbeat_interval=chosen.heartbeat_seconds,
            stalled_worker_timeout=chosen.stalled_seconds,
            shutdown_graceful_timeout=10.0,
        )
