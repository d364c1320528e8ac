"""The weekly digest for a guardian: numbers, never content, in the app or by mail."""

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import EmailValidator
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from kinward.families.asks.addressing import asks_between
from kinward.families.errors import NotPaired
from kinward.families.models import Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import live_pairings, require_power, rules_for, shows_power
from kinward.families.screen_time.usage import screen_time
from kinward.ground.config import config
from kinward.ground.errors import Invalid
from kinward.ground.jobs import enqueue
from kinward.ground.names import isolated
from kinward.ledger.api import kinds, record
from kinward.people.api import Account
from kinward.policy import known_language

MAIL: Final = "families.mail_digest"
CONFIRM: Final = "kinward.families.digest"  # links signed with this salt are in the mail
CONFIRM_HOURS: Final = 48
ALMOST_A_WEEK: Final = timedelta(days=6)  # a job that starts late is not skipped next week


@transaction.atomic
def choose_digest(*, guardian: Account, teen_id: str, wish: str) -> bool:
    """Choose where a guardian's digest goes: `app`, `off`, or a mail address.

    An address is used only after its owner has confirmed it by the link that is mailed to it.
    Returns whether a confirmation is needed.
    """
    pairing, _teen = require_power(guardian=guardian, teen_id=teen_id)
    wish = wish.strip()
    if wish not in ("app", "off"):
        if not config().mail_url:
            raise Invalid("Mail is not set up here.")
        try:
            EmailValidator()(wish)
        except ValidationError as error:
            raise Invalid("This is not a mail address.") from error
        token = signing.dumps([str(pairing.id), wish], salt=CONFIRM)
        link = f"{config().url}/family/digest?{urlencode({'token': token})}"
        with override(known_language(guardian.language)):
            send_mail(
                _("Confirm your weekly digest"),
                _("Follow this link to receive a weekly digest here: {link}").format(link=link),
                None,
                [wish],
            )
        return True
    _write(pairing, wish)
    return False


def confirm_digest(token: str) -> Pairing:
    """Confirm a mail address by the token of its link, and send the digest there from now on.

    Raises `Invalid` for a forged or expired token, and `NotPaired` without power.
    """
    try:
        pairing_id, address = signing.loads(
            token, salt=CONFIRM, max_age=timedelta(hours=CONFIRM_HOURS)
        )
    except signing.BadSignature as error:
        raise Invalid("This link is too old or not ours.") from error
    with transaction.atomic():
        pairing = live_pairings().select_related("guardian", "teen").filter(pk=pairing_id).first()
        if pairing is None or not shows_power(pairing):
            raise NotPaired
        _write(pairing, address)
    return pairing


def _write(pairing: Pairing, wish: str) -> None:
    # Who confirmed an address before asks were mailed was promised numbers only.
    pairing.digest, pairing.mails_asks = wish, "@" in wish
    pairing.save(update_fields=["digest", "mails_asks"])
    record(
        actor=pairing.guardian.actor,
        subject=str(pairing),
        fact=kinds.DigestChosen(way="mail" if "@" in wish else wish),
    )


def week_of(pairing: Pairing, now: datetime) -> dict[str, Any]:
    """Return the numbers of the last seven days; zero for what the pack hides from guardians."""
    sees = rules_for(pairing.teen).guardian_sees
    time = screen_time(pairing.teen, now)
    asks = asks_between(pairing).filter(made_at__gt=now - timedelta(days=7))
    return {
        "minutes": sum(minutes for _day, minutes in time.week) if "minutes" in sees else 0,
        "asks": asks.count() if "asks" in sees else 0,
    }


def send_digests() -> int:
    """Send this week's digests, and return how many. Idempotent within six days."""
    now, sent = timezone.now(), 0
    due = live_pairings(now).exclude(digest="off").exclude(digested_at__gt=now - ALMOST_A_WEEK)
    for pairing in due.select_related("guardian", "teen").iterator(500):
        if not shows_power(pairing):
            continue
        with transaction.atomic():
            pairing.digested_at = now
            pairing.save(update_fields=["digested_at"])
            if pairing.digest == "app":
                minutes = week_of(pairing, now)["minutes"]
                tell(
                    pairing.guardian, "digest", other=name_in_notices(pairing.teen), minutes=minutes
                )
            else:
                enqueue(MAIL, pairing_id=str(pairing.id))
        sent += 1
    return sent


def mail_digest(pairing_id: str) -> None:
    """Mail one digest. It names nobody but the teen, and contains numbers only."""
    now = timezone.now()
    pairing = live_pairings(now).select_related("guardian", "teen").filter(pk=pairing_id).first()
    if pairing is None or "@" not in pairing.digest or not shows_power(pairing):
        return
    week = week_of(pairing, now)
    with override(known_language(pairing.guardian.language)):
        name = isolated(name_in_notices(pairing.teen))
        text = _("This week {other} spent {minutes} minutes in the app. Requests made: {asks}.")
        if week["minutes"] == 1:
            text = _("This week {other} spent {minutes} minute in the app. Requests made: {asks}.")
        send_mail(
            _("{other}'s week").format(other=name),
            text.format(other=name, **week),
            None,
            [pairing.digest],
        )
