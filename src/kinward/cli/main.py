"""The command `kinward`. Each group is loaded only when it is used, so help needs no database."""

import importlib
import os
import sys
import warnings
from typing import Final

import click

from kinward import __version__
from kinward.access import Actor
from kinward.cli.first_run import EarlierLayout, NoTables, check_tables
from kinward.ground.config import config
from kinward.ground.errors import KinwardError

# name: (where it is, what it is for, whether it needs Django and the tables of a database)
COMMANDS: Final = {
    "up": ("up:up", "Start Kinward: database, web, gate and worker, in one command.", False),
    "demo": ("demo:demo", "Start Kinward with a demo community and an authority's sandbox.", False),
    "doctor": ("doctor:doctor", "Say in plain words what is wrong with this set-up.", False),
    "key": ("keys:key", "API keys for your app.", True),
    "staff": ("staff:staff", "People who sign in to the console.", True),
    "bank": ("bank:bank", "Banks of known hashes.", True),
    "exchange": ("exchange:exchange", "Partners whose lists fill banks of ours.", True),
    "match": ("match:match", "What is held, against lists that grew.", True),
    "policy": ("policy:policy", "Policy packs: check, compare, simulate, put in force.", False),
    "guidelines": (
        "guidelines:guidelines",
        "The community guidelines, and what follows when one is broken.",
        False,
    ),
    "decide": ("decide:decide", "Decide one question, and say why.", False),
    "evidence": (
        "evidence:evidence",
        "Sealed evidence: holds, expiry, keys, and whether it is whole.",
        True,
    ),
    "action": ("operations:action", "Actions that were parked.", True),
    "report": ("operations:report", "Reports to authorities.", True),
    "package": ("package:package", "Records of an account for legal process, sealed.", True),
    "statement": ("statements:statement", "Statements of reasons, for the EU's database.", True),
    "ledger": ("ledger:ledger", "The ledger, and the proof that it is whole.", True),
    "backup": ("backup:backup", "Write a backup of everything, sealed to a key of yours.", True),
    "restore": ("backup:restore", "Bring a backup back into an empty database.", False),
    "sandbox": ("sandbox:sandbox", "An authority to practise on.", False),
    "migrate": ("roles:migrate", "Bring the database to this version.", False),
    "serve": ("roles:serve", "Run web and gate alone (production; see also `up`).", False),
    "worker": ("roles:worker", "Run a worker alone (production; see also `up`).", True),
}


class Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        where, _, needs_django = COMMANDS[cmd_name]
        if needs_django and not {"-h", "--help"} & set(sys.argv):
            open_tables()
        elif needs_django:
            load_django()
        module, _, name = where.partition(":")
        command = getattr(importlib.import_module(f"kinward.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text, _) in COMMANDS.items()])


def set_up_django() -> None:
    """Make the database reachable, starting the embedded one where it is ours, and load Django."""
    from kinward.cli.postgres import attach

    attach()
    load_django()


def open_tables() -> None:
    """Set up Django over a database that has tables. Raises `NoTables` or `EarlierLayout`."""
    from kinward.cli import postgres

    if postgres.is_new():  # creating a server in the wrong place would only hide the mistake
        raise NoTables
    set_up_django()
    check_tables()


def load_django() -> None:
    """Load Django, once the configuration names the database; it is not reached yet."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kinward.project.settings")
    import django

    django.setup()


def operator() -> Actor:
    """The person at the command line."""
    return Actor.operator(os.environ.get("USER") or str(os.getuid()))


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Kinward: the child-safety system that an online community runs beside its app."""


def main() -> None:
    """Run the command line; an error of Kinward's is a sentence, not a traceback."""
    warnings.filterwarnings("ignore", message=".*XDG_RUNTIME_DIR.*")
    try:
        config()
        cli()
    except KinwardError as error:
        click.secho(f"{error.sentence} {error.detail}".strip(), fg="red", err=True)
        wrong_database = isinstance(error, EarlierLayout | NoTables)
        raise SystemExit(2 if wrong_database else 1) from None
