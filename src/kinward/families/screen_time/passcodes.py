"""Pass-codes for an offline device: a guardian reads one out, and the device checks it alone.

For each local day there are a few codes, each worth a fixed number of minutes and valid once. They
are derived from a key, the teen and the day, so nothing is stored until one is used. The device
keeps a signed sheet (Ed25519, RFC 8032) with a salted and deliberately slow digest of each code, so
neither reading nor changing the sheet yields a code. It reports used codes when it is online again.
"""

import base64
import hashlib
import hmac
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kinward.families.errors import PasscodeRefused
from kinward.families.models import ExtraMinutes, WrongCode
from kinward.families.notices import tell
from kinward.families.pairing.invitations import refuse_guessing
from kinward.families.pairing.power import has_power, live_pairings, require_power, shows_power
from kinward.families.screen_time.usage import ScreenTime, local_now, screen_time
from kinward.ground.config import config
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, lock_account

MINUTES: Final = (15, 15, 30)  # one code each; together at most an hour a day
DIGITS: Final = 8
ROUNDS: Final = 200_000  # of PBKDF2-HMAC-SHA256: eight digits take a laptop months
LATE: Final = timedelta(hours=48)


class Passcode(msgspec.Struct, frozen=True):
    """One code of a day, with the minutes it is worth."""

    number: int
    code: str
    minutes: int


def _key(purpose: str) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), f"kinward.{purpose}".encode(), "sha256")


def codes_of(account: Account, day: date) -> list[Passcode]:
    """Derive the codes of an account's local day."""
    passcodes = []
    for number, minutes in enumerate(MINUTES):
        about = f"{account.platform_id}\0{day}\0{number}".encode()
        drawn = int.from_bytes(hmac.digest(_key("passcode"), about, "sha256"))
        passcodes.append(Passcode(number, f"{drawn % 10**DIGITS:0{DIGITS}}", minutes))
    return passcodes


@transaction.atomic
def show_passcodes(*, guardian: Account, teen_id: str) -> list[Passcode]:
    """Return today's unused codes, for a guardian to read out. Each call is in the ledger."""
    pairing, _teen = require_power(guardian=guardian, teen_id=teen_id)
    day = local_now(pairing.teen, timezone.now()).date()
    used = set(_used_numbers(pairing.teen, day))
    record(actor=guardian.actor, subject=str(pairing), fact=kinds.PasscodeShown())
    return [code for code in codes_of(pairing.teen, day) if code.number not in used]


def _used_numbers(account: Account, day: date) -> list[int | None]:
    used = ExtraMinutes.objects.filter(account=account, day=day, passcode__isnull=False)
    return list(used.values_list("passcode", flat=True))


def passcode_sheet(account: Account, now: datetime) -> dict[str, str]:
    """Return what a device needs offline: `body` and `signature` (base64), and the `key` (hex).

    The body is JSON: `{"account_id", "day", "rounds", "codes": [{"number", "minutes", "salt",
    "digest"}]}`, where digest is PBKDF2-HMAC-SHA256(code, salt, rounds) in hex. Used codes are left
    out. Without a guardian there are no codes.
    """
    day = local_now(account, now).date()
    guarded = any(shows_power(pairing) for pairing in live_pairings().filter(teen=account))
    body: dict[str, Any] = {
        "account_id": account.platform_id,
        "day": day,
        "rounds": ROUNDS,
        "codes": list(_digests(account, day)) if guarded else [],
    }
    encoded = msgspec.json.encode(body)
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(config().secret("policy_key")))
    return {
        "body": base64.b64encode(encoded).decode(),
        "signature": base64.b64encode(key.sign(encoded)).decode(),
        "key": key.public_key().public_bytes_raw().hex(),
    }


def _digests(account: Account, day: date) -> list[dict[str, Any]]:
    used = set(_used_numbers(account, day))
    digests = []
    for passcode in codes_of(account, day):
        if passcode.number in used:
            continue
        salt = hmac.digest(
            _key("salt"), f"{account.platform_id}\0{day}\0{passcode.number}".encode(), "sha256"
        )[:16]
        digests.append(
            {
                "number": passcode.number,
                "minutes": passcode.minutes,
                "salt": salt.hex(),
                "digest": _slow_digest(passcode.code, salt),
            }
        )
    return digests


@lru_cache(4096)
def _slow_digest(code: str, salt: bytes) -> str:
    return hashlib.pbkdf2_hmac("sha256", code.encode(), salt, ROUNDS).hex()


@transaction.atomic
def _use(account: Account, code: str, day: date) -> ExtraMinutes | None:
    account = lock_account(account.pk)
    for passcode in codes_of(account, day):
        if not hmac.compare_digest(passcode.code, code):
            continue
        extra, new = ExtraMinutes.objects.get_or_create(
            account=account,
            day=day,
            passcode=passcode.number,
            defaults={"minutes": passcode.minutes, "held": _is_held(account)},
        )
        if new:
            who = account.actor
            record(actor=who, subject=str(who), fact=kinds.PasscodeUsed(minutes=passcode.minutes))
            for pairing in live_pairings().select_related("guardian").filter(teen=account):
                tell(pairing.guardian, "passcode", minutes=passcode.minutes)
        return extra
    return None


def _is_held(account: Account) -> bool:
    """Whether only a guardian whose pairing is quietly disputed can have read out a code."""
    return not any(has_power(pairing) for pairing in live_pairings().filter(teen=account))


def use_passcode(*, account: Account, code: str, at: datetime) -> ScreenTime:
    """Use a pass-code, now or offline at an earlier moment `at`, and return the screen time.

    Idempotent. Raises `PasscodeRefused`, and `TooManyTries` after too many wrong codes. A moment
    older than `LATE` is refused.
    """
    now = timezone.now()
    if not now - LATE <= at <= now + timedelta(minutes=2):
        raise PasscodeRefused("It was used too long ago, or the clock is wrong.")
    if not any(shows_power(pairing) for pairing in live_pairings().filter(teen=account)):
        raise PasscodeRefused
    refuse_guessing(account)
    digits = "".join(digit for digit in code if digit.isdigit())[: DIGITS + 1]
    if _use(account, digits, local_now(account, at).date()) is None:
        WrongCode.objects.create(account=account)
        raise PasscodeRefused
    return screen_time(account, now)
