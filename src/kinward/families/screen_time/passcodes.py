"""Pass-codes for an offline device: a guardian reads one out, and the device checks it alone.

For each local day a guardian has a few codes, each worth a fixed number of minutes and valid once.
They are derived from a key, the pairing and the day, so nothing is stored until one is used, and a
guardian who has left knows none that works. A number works once, whichever guardian read it out,
unless their homes are apart.
Codes that would exceed the choice of another guardian are left out.

The device keeps a signed sheet (Ed25519, RFC 8032) with a salted and deliberately slow digest of
each code, so neither reading nor changing the sheet yields a code. It reports used codes when it is
online again.
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

from kinward.families.errors import PasscodeRefused, TooManyTries
from kinward.families.models import ExtraMinutes, Pairing, WrongCode
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.homes import are_apart, homes_are_apart
from kinward.families.pairing.invitations import MAX_WRONG, wrong_codes
from kinward.families.pairing.power import is_held, live_pairings, require_power, shows_power
from kinward.families.pairing.proof import is_proven, refuse_unproven
from kinward.families.screen_time.extra import TIME, Shown, is_agreed_alone
from kinward.families.screen_time.usage import ScreenTime, local_now, screen_time, zones_of
from kinward.families.settings.held import shown_values
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


def codes_of(pairing: Pairing, day: date) -> list[Passcode]:
    """Derive the codes of a pairing's guardian for the teen's local day."""
    passcodes = []
    for number, minutes in enumerate(MINUTES):
        about = f"{pairing.pk}\0{day}\0{number}".encode()
        drawn = int.from_bytes(hmac.digest(_key("passcode"), about, "sha256"))
        passcodes.append(Passcode(number, f"{drawn % 10**DIGITS:0{DIGITS}}", minutes))
    return passcodes


@transaction.atomic
def show_passcodes(*, guardian: Account, teen_id: str) -> list[Passcode]:
    """Return today's unused codes, for a guardian to read out. Each call is in the ledger.

    Raises `GuardianUnproven` for a guardian who is not proven enough to give minutes.
    """
    pairing, teen = require_power(guardian=guardian, teen_id=teen_id)
    refuse_unproven(pairing, TIME)
    record(actor=guardian.actor, subject=str(pairing), fact=kinds.PasscodeShown())
    return _usable(pairing, local_now(teen, timezone.now()))


def _usable(pairing: Pairing, local: datetime, *, offline: bool = False) -> list[Passcode]:
    """Return a guardian's unused codes of a local day, as far as other guardians' choices reach.

    So the codes that a device takes offline give no more together than they would here. They are
    those that the guardian's page shows, also if what they give is held.

    Where homes are apart, a guardian's page goes by what that guardian sees. Offline the choices of
    all count, because the device gives the minutes alone.
    """
    day, shown = local.date(), shown_values(pairing.teen, pairing.guardian)
    used = set(_used_numbers(pairing, day, shown))
    if offline and shown is not None and shown.only is not None:
        shown = shown_values(pairing.teen, pairing.teen)
    usable, together = [], 0
    for code in codes_of(pairing, day):
        reaches = is_agreed_alone(pairing, local, together + code.minutes, shown)
        if code.number not in used and reaches:
            usable.append(code)
            together += code.minutes
    return usable


def _used_numbers(pairing: Pairing, day: date, shown: Shown) -> list[int | None]:
    used = ExtraMinutes.objects.filter(account=pairing.teen, day=day, passcode__isnull=False)
    used = used if shown is not None and shown.held else used.filter(held=False)
    if shown is not None and shown.only is not None:
        used = used.filter(pairing__in=shown.only)
    return list(used.values_list("passcode", flat=True))


def passcode_sheet(account: Account, now: datetime) -> dict[str, str]:
    """Return what a device needs offline: `body` and `signature` (base64), and the `key` (hex).

    The body is JSON: `{"account_id", "day", "rounds", "codes": [{"number", "minutes", "salt",
    "digest"}]}`, where digest is PBKDF2-HMAC-SHA256(code, salt, rounds) in hex. Used codes are left
    out. Without a guardian there are no codes.
    """
    local = local_now(account, now)
    body: dict[str, Any] = {
        "account_id": account.platform_id,
        "day": local.date(),
        "rounds": ROUNDS,
        "codes": [row for pairing in _giving(account) for row in _digests(pairing, local)],
    }
    encoded = msgspec.json.encode(body)
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(config().secret("policy_key")))
    return {
        "body": base64.b64encode(encoded).decode(),
        "signature": base64.b64encode(key.sign(encoded)).decode(),
        "key": key.public_key().public_bytes_raw().hex(),
    }


def _guarding(account: Account) -> list[Pairing]:
    """Return the pairings that show power over an account now."""
    pairings = live_pairings().select_related("guardian", "teen").filter(teen=account)
    return [pairing for pairing in pairings if shows_power(pairing)]


def _giving(account: Account) -> list[Pairing]:
    """Return the pairings whose guardians may give minutes now."""
    return [pairing for pairing in _guarding(account) if is_proven(pairing, TIME)]


def _digests(pairing: Pairing, local: datetime) -> list[dict[str, Any]]:
    digests = []
    for passcode in _usable(pairing, local, offline=True):
        about = f"{pairing.pk}\0{local.date()}\0{passcode.number}".encode()
        salt = hmac.digest(_key("salt"), about, "sha256")[:16]
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
def _use(account: Account, code: str, at: datetime) -> ExtraMinutes | None:
    account = lock_account(account.pk)
    zones = zones_of(account)
    day = zones.local(at).date()
    codes = ((pairing, each) for pairing in _giving(account) for each in codes_of(pairing, day))
    for pairing, passcode in codes:
        if not hmac.compare_digest(passcode.code, code):
            continue
        extra, new = ExtraMinutes.objects.get_or_create(
            account=account,
            day=day,
            passcode=passcode.number,
            **({"pairing": pairing} if homes_are_apart(account) else {}),
            defaults={
                "minutes": passcode.minutes,
                "pairing": pairing,
                "until": zones.end_of_day(at),
                "held": is_held(pairing),
            },
        )
        if not new and extra.held and not is_held(pairing):
            # What is held uses up no number of another guardian.
            extra.pairing, extra.until, extra.held = pairing, zones.end_of_day(at), False
            extra.save(update_fields=["pairing", "until", "held"])
            new = True
        if not new and extra.pairing_id not in (None, pairing.pk):
            raise PasscodeRefused  # another guardian's code of this number was used today
        if new:
            who = account.actor
            record(actor=who, subject=str(who), fact=kinds.PasscodeUsed(minutes=passcode.minutes))
            for other in _guarding(account):
                if (extra.held and not other.quiet) or are_apart(other, pairing):
                    continue
                name = name_in_notices(account)
                tell(other.guardian, "passcode", other=name, minutes=passcode.minutes)
        return extra
    return None


@transaction.atomic
def _note_wrong(account: Account) -> None:
    """Count a wrong pass-code. Tell the guardians when it was one too many."""
    account = lock_account(account.pk)
    WrongCode.objects.create(account=account, passcode=True)
    if wrong_codes(account, passcode=True) == MAX_WRONG:
        for pairing in _guarding(account):
            tell(pairing.guardian, "passcode.guessed", other=name_in_notices(account))


def use_passcode(*, account: Account, code: str, at: datetime) -> ScreenTime:
    """Use a pass-code, now or offline at an earlier moment `at`, and return the screen time.

    Idempotent. Raises `PasscodeRefused`, and `TooManyTries` after too many wrong codes. A moment
    older than `LATE` is refused.
    """
    now = timezone.now()
    if not now - LATE <= at <= now + timedelta(minutes=2):
        raise PasscodeRefused("It was used too long ago, or the clock is wrong.")
    if not _giving(account):
        raise PasscodeRefused
    if wrong_codes(account, passcode=True) >= MAX_WRONG:
        raise TooManyTries
    digits = "".join(digit for digit in code if digit.isdigit())[: DIGITS + 1]
    if _use(account, digits, at) is None:
        _note_wrong(account)
        raise PasscodeRefused
    return screen_time(account, now)
