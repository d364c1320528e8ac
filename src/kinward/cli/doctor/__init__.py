"""`kinward doctor`: check an installation, and say in plain words what to do."""

import os
from collections.abc import Callable
from typing import Final

import click

from kinward.cli.doctor.authorities import check_authority, check_settings
from kinward.cli.doctor.connections import (
    check_api_keys,
    check_parked,
    check_partners,
    check_proxies,
    check_tls,
    check_waves,
    check_webhook,
)
from kinward.cli.doctor.decoders import check_decoders
from kinward.cli.doctor.evidence import check_erasures, check_keys, check_unsealable, check_vault
from kinward.cli.doctor.ground import (
    check_clock,
    check_database,
    check_index,
    check_jobs,
    check_migrations,
    check_reconciliation,
    check_worker,
)
from kinward.cli.doctor.ledger import (
    check_holders,
    check_ledger,
    check_ledger_key,
    check_rights,
    check_timestamps,
    check_witnesses,
)
from kinward.cli.doctor.result import Result, fault
from kinward.cli.doctor.rules import (
    check_age_signals,
    check_alerts,
    check_app_store,
    check_glass,
    check_guardians,
    check_guidelines,
    check_guides,
    check_law,
    check_policy,
    check_second_people,
)
from kinward.cli.first_run import EarlierLayout, NoTables, lacks_right, no_right
from kinward.ground.errors import KinwardError

# In the order of the output. `check_database` comes first, because it loads Django.
CHECKS: Final[dict[str, Callable[[], Result]]] = {
    "database": check_database,
    "migrations": check_migrations,
    "keys": check_keys,
    "evidence": check_unsealable,
    "ledger": check_ledger,
    "ledger key": check_ledger_key,
    "rights": check_rights,
    "witnesses": check_witnesses,
    "holders": check_holders,
    "timestamps": check_timestamps,
    "API key": check_api_keys,
    "waves": check_waves,
    "worker": check_worker,
    "jobs": check_jobs,
    "reconciliation": check_reconciliation,
    "index": check_index,
    "decoders": check_decoders,
    "vault": check_vault,
    "erasures": check_erasures,
    "proxies": check_proxies,
    "TLS": check_tls,
    "webhook": check_webhook,
    "parked": check_parked,
    "partners": check_partners,
    "policy": check_policy,
    "law": check_law,
    "guardians": check_guardians,
    "age signals": check_age_signals,
    "app store": check_app_store,
    "settings": check_settings,
    "guidelines": check_guidelines,
    "guides": check_guides,
    "two people": check_second_people,
    "alerts": check_alerts,
    "break-glass": check_glass,
    "authority": check_authority,
    "clock": check_clock,
}
MARKS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "fault": ("✗", "red")}


def examine() -> dict[str, Result]:
    """Run every check. A check that raises becomes a fault with the error as its text.

    Raises `NoTables` or `EarlierLayout`, because most checks would then fail for that one reason.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kinward.project.settings")
    results: dict[str, Result] = {}
    for name, check in CHECKS.items():
        try:
            results[name] = check()
        except (EarlierLayout, NoTables):
            raise
        except KinwardError as error:
            results[name] = fault(error.for_operator)
        except Exception as error:  # the other checks still have to run
            said = lacks_right(error)
            told = no_right(said).for_operator if said else f"{type(error).__name__}: {error}"
            results[name] = fault(told.splitlines()[0])
    return results


@click.command()
def doctor() -> None:
    """Check this installation: database, keys, worker, webhook, authority, clock and more."""
    results = examine()
    width = max(map(len, results)) + 2
    for name, result in results.items():
        mark, colour = MARKS[result.level]
        click.echo(click.style(f"{mark} {name:<{width}}", fg=colour) + result.text)
    if any(result.level == "fault" for result in results.values()):
        raise SystemExit(1)
