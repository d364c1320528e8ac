"""The roles that scale apart: gate, console, pages and worker. Each runs in the foreground."""

import asyncio
import contextlib
import os
import resource
import signal
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import click
from procrastinate import App

from kinward.cli.first_run import check_erasures, check_secrets, check_tables, make_secrets
from kinward.cli.first_run import migrate as migrate_tables
from kinward.cli.main import load_django, set_up_django
from kinward.entrance import DOORS
from kinward.ground.config import Door, config
from kinward.ground.errors import NotConfigured
from kinward.ground.lanes import Lane

# Jobs at a time of each lane that waits for others, and the lanes whose jobs begin at once: each of
# these takes a connection to the database.
PLACES: Final = {
    Lane.STORES: 2,
    Lane.APP: 4,
    Lane.AUTHORITIES: 2,
    Lane.PARTNERS: 1,
    Lane.OPINIONS: 1,
    Lane.MAIL: 1,
}
LISTENING: Final = (Lane.OURS, Lane.APP)
STOPPING: Final = (signal.SIGINT, signal.SIGTERM)
OTHER_FILES: Final = 512  # that a process has open beside its connections
BACKLOG: Final = 2048  # connections that the kernel keeps until they are accepted
MOST_IDLE: Final = 60  # seconds, of granian's
BUFFER: Final = 64 * 1024  # bytes of a head, before the server itself refuses it


def serve_command(doors: Collection[Door], port: int) -> list[str]:
    """Return the command line of the server that runs these doors at a port."""
    chosen = config()
    together = "application" if len(doors) == len(DOORS) else "_".join(doors)
    return [
        sys.executable,
        "-m",
        "kinward.project.server",
        "--interface=asgi",
        f"--host={chosen.host}",
        f"--port={port}",
        f"--workers={chosen.processes}",
        "--http=1",
        "--no-ws",
        f"--backlog={BACKLOG}",
        f"--backpressure={connections()}",
        f"--http1-buffer-size={BUFFER}",
        f"--http1-header-read-timeout={min(chosen.idle_seconds, MOST_IDLE) * 1000}",
        "--respawn-failed-workers",
        "--log-level=warning",
        f"kinward.project.asgi:{together}",
    ]


def connections() -> int:
    """Return how many connections a process accepts: as set, or as many as it may open files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return config().connections
    return max(1, min(config().connections, most - OTHER_FILES))


def doors_by_port(ports: Mapping[Door, int]) -> dict[int, list[Door]]:
    """Return the doors at each port. Doors that share a port share their processes.

    >>> doors_by_port({"gate": 8700, "console": 8700, "pages": 8704})
    {8700: ['gate', 'console'], 8704: ['pages']}
    """
    doors: dict[int, list[Door]] = {}
    for door, port in ports.items():
        doors.setdefault(port, []).append(door)
    return doors


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
    from kinward.cli.doctor.decoders import too_few_decoders

    if few := too_few_decoders():
        click.secho(few, fg="yellow", err=True)


@click.command()
@click.argument("door", type=click.Choice(DOORS), required=False)
def serve(door: Door | None) -> None:
    """Run a DOOR: gate, console or pages. Each has its port, and KINWARD_PROCESSES processes.

    Without a DOOR, one server runs all three at KINWARD_PORT. They then share its limits.
    """
    if not config().database_url:
        raise NotConfigured("`kinward serve` needs KINWARD_DATABASE_URL. `kinward up` does not.")
    check_secrets()
    load_django()
    check_tables()
    check_erasures()
    check_plugins()
    if door != "pages":  # the pages decode nothing
        check_decoders()
    chosen = config()
    command = (
        serve_command([door], chosen.ports[door]) if door else serve_command(DOORS, chosen.port)
    )
    os.execv(command[0], command)  # noqa: S606 - our own interpreter


@click.command()
@click.option(
    "--application",
    metavar="ROLE",
    default="",
    help="The database's role for all other processes: it gets what they need, and no more.",
)
@click.option(
    "--reader", metavar="ROLE", default="", help="A role that gets to read the ledger, and no more."
)
def migrate(application: str, reader: str) -> None:
    """Migrate the database to this version. Its role owns the tables.

    Roles that were named once have their rights in new tables, too. Secrets that are nowhere yet
    are made in the data directory.
    """
    set_up_django()
    make_secrets()
    migrate_tables()
    from kinward.cli.grants import grant, is_owner

    if application or reader or is_owner():
        for line in grant(application, reader):
            click.echo(line)
    click.echo("The database is up to date.")


@click.command()
@click.option(
    "--concurrency",
    default=4,
    show_default=True,
    help="Number of jobs at a time, beside those that wait for somebody's answer.",
)
def worker(concurrency: int) -> None:
    """Run a worker until it gets a signal to stop. It finishes the jobs that it has started.

    One worker at a time also gives entries of the ledger their places, signs its checkpoints, asks
    witnesses to cosign them, and brings them to the mirror and the webhook.
    """
    from procrastinate.contrib.django import app

    from kinward.erasure.api import wait_until_known
    from kinward.ledger.api import (
        keep_asking,
        keep_mirroring,
        keep_sending,
        keep_sequencing,
        keep_stamping,
    )

    check_secrets()
    wait_until_known()
    check_plugins()
    stop = threading.Event()
    sequencer = threading.Thread(target=keep_sequencing, args=[stop], name="sequencer")
    # What others have to answer may take a while, and a worker that stops waits for none of them.
    waiting = [
        threading.Thread(target=keep, args=[stop], name=keep.__name__, daemon=True)
        for keep in (keep_asking, keep_mirroring, keep_sending, keep_stamping)
    ]
    sequencer.start()
    for thread in waiting:
        thread.start()
    try:
        _run(app, concurrency)
    finally:
        stop.set()
        sequencer.join()


def _run(app: App, concurrency: int) -> None:
    connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]
    with app.replace_connector(connector):
        asyncio.run(_work(app, concurrency))


async def _work(app: App, concurrency: int) -> None:
    """Run a worker for each lane of jobs, until this is cancelled or gets a signal to stop."""
    chosen, places = config(), PLACES | {Lane.OURS: concurrency}
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(sum(places.values()), "job"))
    async with app.open_async() as opened:
        lanes = [
            asyncio.create_task(
                opened.run_worker_async(
                    queues=[lane.value],
                    concurrency=most,
                    listen_notify=lane in LISTENING,
                    delete_jobs="successful",
                    fetch_job_polling_interval=1.0,
                    update_heartbeat_interval=chosen.heartbeat_seconds,
                    stalled_worker_timeout=chosen.stalled_seconds,
                    shutdown_graceful_timeout=10.0,
                    install_signal_handlers=False,
                )
            )
            for lane, most in places.items()
        ]
        try:
            with _stopped_by_signals(loop, lanes):
                await asyncio.wait(lanes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            _stop(lanes)
            ends = await asyncio.gather(*lanes, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end


@contextlib.contextmanager
def _stopped_by_signals(
    loop: asyncio.AbstractEventLoop, lanes: Sequence[asyncio.Task[None]]
) -> Iterator[None]:
    """Have the first signal end all lanes gracefully. The next one ends the process."""

    def stop() -> None:
        for number in STOPPING:
            loop.remove_signal_handler(number)
        _stop(lanes)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    for number in STOPPING:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in STOPPING:
            loop.remove_signal_handler(number)


def _stop(lanes: Sequence[asyncio.Task[None]]) -> None:
    """Have lanes finish their jobs. Cancelled a second time, a lane would drop them."""
    for lane in lanes:
        if not lane.cancelling():
            lane.cancel()
