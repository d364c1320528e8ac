"""Checks of the ledger: whether entries get their places and are signed, and where the key is."""

import socket
from urllib.parse import parse_qs, urlsplit

from kinward.cli.doctor.result import Result, fault, fine, warn
from kinward.cli.postgres import is_ours
from kinward.ground.config import config


def check_ledger() -> Result:
    """Are entries given their places in the log in time, and is the log signed?"""
    from kinward.ledger.api import is_late, log_size, require_secret, require_signable

    require_signable()
    require_secret()
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
    if told := _rotation():
        return told
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


def check_rights() -> Result:
    """May Kinward's role of the database do no more to the ledger than add to it?"""
    from kinward.cli.grants import may_add, more_than_needed, this_role

    if is_ours(config().database_url):
        return fine("The embedded database has one role, which is whoever has this machine.")
    role = this_role()
    if not may_add():
        return fault(
            f"{role} may not add to the ledger. Run `kinward migrate --application {role}` with "
            "the owner's address."
        )
    if more := more_than_needed(role, adds=True):
        return warn(
            f"{role} {more}, so whoever takes over a process of Kinward can drop what keeps the "
            "ledger from being changed. Run `kinward migrate --application` with another role."
        )
    return fine(f"{role} may add to the ledger, and do nothing else to it.")


def _rotation() -> Result | None:
    """Return what a change of the key waits for, if it waits."""
    from kinward.ledger.api import Log, find_key, is_here, log_signer, pending_rotation

    log, chosen = Log.objects.first(), config()
    if log is None or not log.vkey:
        return None
    pending = pending_rotation(log)
    if pending is not None and not is_here(pending.after):
        return warn(
            f"The ledger waits for its next key, {pending.after}, which is not here. Bring it "
            "here, or make another one: `kinward ledger rotate`. The key before signs meanwhile."
        )
    present = find_key(log.vkey)
    if present is None:
        return fault(f"{log.vkey} signs the ledger, and it is not here. Bring it back.")
    if pending is None and present.signer.public != log_signer().public:
        if chosen.ledger_signer_next:
            return warn(
                "The next key of the ledger signs now. Set KINWARD_LEDGER_SIGNER to what "
                "KINWARD_LEDGER_SIGNER_NEXT says, unset the latter, and destroy the key before."
            )
        return warn(
            "The next key of the ledger signs, and could not take the place of the one before. "
            "May the worker write to the folder of its file?"
        )
    return None


def check_witnesses() -> Result:
    """Does anybody outside hold the ledger's checkpoints, and do the witnesses agree with it?"""
    from kinward.ledger.api import fault_of_holders, has_witnesses, witness_problems

    if told := fault_of_holders():
        return fault(told)
    if not has_witnesses():
        return warn(
            "No witness cosigns the ledger. A mirror is as good as whoever can write to it, and "
            "a webhook only says that something arrived. Name witnesses in "
            "KINWARD_LEDGER_POLICY_FILE."
        )
    if problems := witness_problems():
        return warn(f"Enough witnesses cosign, but not all of them. {' '.join(problems)}")
    return fine("Enough witnesses outside cosign the ledger.")


def check_holders() -> Result:
    """Did the mirror and the webhook receive the last checkpoints, and does the mirror agree?"""
    from kinward.ledger.api import fault_of_mirror, holder_states

    states = holder_states()
    if not states:
        return fine("There is no mirror and no webhook for checkpoints.")
    if config().ledger_mirror and (told := fault_of_mirror()):
        return fault(f"The mirror of the ledger: {told}")
    missing = [state for state in states if not state.counts]
    if missing:
        told = " ".join(f"The {state.holder}: {state.problem}" for state in missing)
        return fault(f"What should hold the ledger's checkpoints lacks the last ones. {told}")
    if problems := [f"The {state.holder}: {state.problem}" for state in states if state.problem]:
        return warn(" ".join(problems))
    names = " and the ".join(state.holder for state in states)
    return fine(f"The {names} received the last checkpoints.")


def check_timestamps() -> Result:
    """Does the timestamp authority of the ledger answer, and does what it answers count?"""
    from kinward.ledger.api import stamp_problem

    if told := stamp_problem():
        return warn(told)
    if not config().ledger_tsa_url:
        return fine("No authority stamps the ledger's checkpoints. That is optional.")
    return fine("An authority stamps the ledger's checkpoints.")


def _is_here(url: str) -> bool:
    """Return whether a database is on this machine."""
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    return host in {"", "localhost", "127.0.0.1", "::1", socket.gethostname()} or "/" in host
