"""Pass-codes for a device that is offline: a guardian reads one out, the device can check it alone.

For each local day there are a few codes, each for a fixed number of minutes and good once. Nothing
is stored until one is used: they follow from a key, the teen and the day. The device holds a sheet
with a salted, deliberately slow digest for each code, signed (Ed25519, RFC 8032): neither reading
the sheet nor changing it gives a minute. What was used is told when the device is back.
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
from kinward.families.pairing.power import empowered, has_power, live_pairings
from kinward.families.screen_time.usage import ScreenTime, local_now, screen_time
from kinward.ground.config import config
from kinward.ledger.api import record
from kinward.people.api import Account, lock_account

MINUTES: Final = (15, 15, 30)  # what the day's codes are for: an hour at most
DIGITS: Final = 8
ROUNDS: Final = 200_000  # of PBKDF2-HMAC-SHA256: eight digits take a laptop months
LATE: Final = timedelta(hours=48)


class Passcode(msgspec.Struct, frozen=True):
    """One code of a day."""

    number: int
    code: str
    minutes: int


def _key(purpose: str) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), f"kinward.{purpose}".encode(), "sha256")


def codes_of(account: Account, day: date) -> list[Passcode]:
    """The codes of an account's local day."""
    found = []
    for number, minutes in enumerate(MINUTES):
        about = f"{account.platform_id}\0{day}\0{number}".encode()
        drawn = int.from_bytes(hmac.digest(_key("passcode"), about, "sha256"))
        found.append(Passcode(number, f"{drawn % 10**DIGITS:0{DIGITS}}", minutes))
    return found


@transaction.atomic
def show_passcodes(*, guardian: Account, teen_id: str) -> list[Passcode]:
    """The codes of today that were not used, for a guardian to read out. Each look is recorded."""
    pairing, _teen = empowered(guardian=guardian, teen_id=teen_id)
    day = local_now(pairing.teen, timezone.now()).date()
    used = set(_used(pairing.teen, day))
    record(actor=guardian.actor, kind="passcode.shown", subject=str(pairing))
    return [each for each in codes_of(pairing.teen, day) if each.number not in used]


def _used(account: Account, day: date) -> list[int | None]:
    made = ExtraMinutes.objects.filter(account=account, day=day, passcode__isnull=False)
    return list(made.values_list("passcode", flat=True))


def passcode_sheet(account: Account, now: datetime) -> dict[str, str]:
    """What a device keeps to check codes offline: `body` and `signature` (base64), and the `key`.

    The body is JSON: `{"account_id", "day", "rounds", "codes": [{"number", "minutes", "salt",
    "digest"}]}`; digest = PBKDF2-HMAC-SHA256(code, salt, rounds), hex. Without a guardian there
    are no codes.
    """
    day = local_now(account, now).date()
    guarded = any(has_power(each) for each in live_pairings().filter(teen=account))
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
    used = set(_used(account, day))
    found = []
    for each in codes_of(account, day):
        if each.number in used:
            continue
        salt = hmac.digest(
            _key("salt"), f"{account.platform_id}\0{day}\0{each.number}".encode(), "sha256"
        )[:16]
        found.append(
            {
                "number": each.number,
                "minutes": each.minutes,
                "salt": salt.hex(),
                "digest": _slow(each.code, salt),
            }
        )
    return found


@lru_cache(4096)
def _slow(code: str, salt: bytes) -> str:
    return hashlib.pbkdf2_hmac("sha256", code.encode(), salt, ROUNDS).hex()


@transaction.atomic
def _use(account: Account, code: str, day: date) -> ExtraMinutes | None:
    account = lock_account(account.pk)
    for each in codes_of(account, day):
        if not hmac.compare_digest(each.code, code):
            continue
        made, new = ExtraMinutes.objects.get_or_create(
            account=account, day=day, passcode=each.number, defaults={"minutes": each.minutes}
        )
        if new:
            who = account.actor
            record(actor=who, kind="passcode.used", subject=str(who), minutes=each.minutes)
            for pairing in live_pairings().select_related("guardian").filter(teen=account):
                tell(pairing.guardian, "passcode", minutes=each.minutes)
        return made
    return None


def use_passcode(*, account: Account, code: str, at: datetime) -> ScreenTime:
    """Use a code now, or tell of one that was used offline at a moment; twice is once."""
    now = timezone.now()
    if not now - LATE <= at <= now + timedelta(minutes=2):
        raise PasscodeRefused("It was used too long ago, or the clock is wrong.")
    if not any(has_power(each) for each in live_pairings().filter(teen=account)):
        raise PasscodeRefused
    refuse_guessing(account)
    digits = "".join(each for each in code if each.isdigit())[: DIGITS + 1]
    if _use(account, digits, local_now(account, at).date()) is None:
        WrongCode.objects.create(account=account)
        raise PasscodeRefused
    return screen_time(account, now)
