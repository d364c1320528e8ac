"""Checks of sealed evidence: its keys, and damage."""

from kinward.cli.counts import counted
from kinward.cli.doctor.result import Result, fault, fine, warn
from kinward.ground.config import config


def check_keys() -> Result:
    """Can evidence be sealed and opened again, and do the secrets exist?"""
    from uuid import uuid4

    from kinward.evidence.api import keys

    sample = uuid4()
    if keys().unwrap(keys().wrap("doctor", sample), keys().current, sample) != "doctor":
        return fault("The evidence key does not open what it seals.")
    for name in ("secret_key", "webhook_secret"):
        config().secret(name)
    if config().evidence_key_file or config().evidence_keys != "file":
        return fine("The evidence key seals and opens.")
    return warn(
        f"The evidence key is a file beside the data ({config().secret_path('evidence_key')}). "
        "In production, keep it elsewhere and set KINWARD_EVIDENCE_KEY_FILE."
    )


def check_unsealable() -> Result:
    """Can all evidence be opened with the configured keys?"""
    from kinward.evidence import CannotUnseal
    from kinward.evidence.api import Evidence, keys, keys_of
    from kinward.ledger.api import require_secret

    require_secret()  # without it no file counts as the one that was sealed
    live = Evidence.objects.filter(destroyed_at=None).defer("ciphertext")
    ids = list(live.exclude(key_id="").values_list("key_id", flat=True).distinct())
    for key_id in ids:
        one = live.filter(key_id=key_id).first()
        if one is None or one.wrapped_key is None:
            continue
        try:
            keys_of(key_id).unwrap(bytes(one.wrapped_key), key_id, one.id)
        except CannotUnseal as error:
            count = live.filter(key_id=key_id).count()
            files = counted(count, "file cannot be opened:", "files cannot be opened:")
            return fault(f"{files} {error.for_operator} Bring that key back.")
    if older := live.exclude(key_id=keys().current).count():
        files = counted(older, "file has a data key", "files have data keys")
        return warn(f"{files} wrapped with an older key. Run `kinward evidence rewrap`.")
    return fine("All evidence can be opened with the configured keys.")


def check_erasures() -> Result:
    """Does the list of erasures have each erasure, so that no restore brings anybody back?"""
    from kinward.erasure.api import list_path, missing_lines, unlisted_erasures

    missing = unlisted_erasures()
    if missing:
        erasures = counted(missing, "erasure is", "erasures are")
        return warn(
            f"{erasures} not in {list_path()}. Bring the list from where it was agreed: "
            "`kinward erase --replay --erasures FILE`. Until then restore no backup from before."
        )
    if gone := missing_lines():
        lines = counted(gone, "line", "lines")
        return warn(
            f"{list_path()} has {lines} fewer than after the last restore. Bring a whole copy: "
            "`kinward erase --replay --erasures FILE`."
        )
    return fine("The list of erasures has each of them. Keep a copy elsewhere.")


def check_vault() -> Result:
    """Is any evidence known to be damaged?"""
    from kinward.evidence.api import Evidence

    live = Evidence.objects.filter(destroyed_at=None)
    if damaged := live.filter(damaged_at__isnull=False).count():
        files = counted(damaged, "file is damaged.", "files are damaged.")
        return fault(f"{files} The ledger names them (`evidence.damaged`).")
    return fine(
        f"{counted(live.count(), 'sealed file', 'sealed files')}, none known to be damaged."
    )
