"""Checks of the ledger: whether entries get their places and are signed, and where the key is."""

import socket
from urllib.parse import parse_qs, urlsplit

from kinward.cli.doctor.result import Result, fault, fine, warn
from kinward.ground.config import config


def check_ledger() -> Result:
    """Are entries given their places in the log in time, and is the log signed?"""
    from kinward.ledger.api import is_late, log_size, require_signable

    require_signable()
    late = is_late()
    if late == "sequenced":
        return fault(
            "Entries of the ledger have waited for their place for over a minute. Is a worker "
            "running? Otherwise a transaction has been open since then (`pg_stat_activity`)."
        )
    if late == "signed":
        return fault(
            "The newest entries of the ledger have not been signed for over a minute. The worker's "
            "log says why (`ledger.not_signed`)."
        )
    return fine(f"The log has {log_size():,} leaves, in time and signed.")


def check_ledger_key() -> Result:
    """Is the key that signs the ledger somewhere else than the database?"""
    from kinward.ledger.api import log_signer

    log_signer()
    chosen = config()
    if chosen.ledger_signer != "file" or chosen.ledger_key_file or chosen.ledger_key:
        return fine("The key that signs the ledger is where you put it.")
    where = f"The key that signs the ledger ({chosen.secret_path('ledger_key')})"
    if _is_here(chosen.database_url):
        return fault(
            f"{where} is on the machine of the database, so whoever has one has the other. Keep "
            "it elsewhere and set KINWARD_LEDGER_KEY_FILE."
        )
    return fine("The key that signs the ledger is not beside the database.")


def check_witnesses() -> Result:
    """Does anybody outside hold the ledger's checkpoints, and do the witnesses agree with it?"""
    from kinward.ledger.api import fault_of_holders, witness_problems

    if told := fault_of_holders():
        return fault(told)
    if problems := witness_problems():
        return warn(f"Enough witnesses cosign, but not all of them. {' '.join(problems)}")
    return fine("Enough witnesses outside cosign the ledger.")


def _is_here(url: str) -> bool:
    """Return whether a database is on this machine."""
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    return host in {"", "localhost", "127.0.0.1", "::1", socket.gethostname()} or "/" in host
