"""The secrets that sign webhooks: one, or two while it is rotated.

They are files under `<data_dir>/secrets`. The file of the secret before has two lines: the secret,
and until when it signs. Settings take the place of both files.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import MAX_OVERLAP, KeyRotating
from kinward.ground.config import Config, config, random_webhook_secret, replace_secret
from kinward.ground.errors import Invalid, SettingWrong
from kinward.ground.locks import in_turn
from kinward.ledger.api import kinds, record

NAME: Final = "webhook_secret"
BEFORE: Final = "webhook_secret_before"


class SecretBefore(msgspec.Struct, frozen=True):
    """The secret before the present one. Without `until`, a setting has it, and it signs on."""

    secret: str
    until: datetime | None

    @property
    def signs(self) -> bool:
        return self.until is None or self.until > datetime.now(UTC)


def signing_secrets(chosen: Config) -> list[str]:
    """Return the secrets that sign now, the present one first. Raises `NotConfigured`."""
    before = secret_before(chosen)
    return [chosen.secret(NAME), *([before.secret] if before else [])]


def secret_before(chosen: Config) -> SecretBefore | None:
    """Return the secret before the present one while it signs. Raises `SettingWrong`."""
    if chosen.webhook_secret_before:
        return SecretBefore(chosen.webhook_secret_before, None)
    if chosen.webhook_secret:
        return None
    path = chosen.secret_path(BEFORE)
    try:
        secret, until = path.read_text().split()
        before = SecretBefore(secret, datetime.fromisoformat(until))
        return before if before.signs else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        raise SettingWrong(f"{path} cannot be read. Remove it, or rotate the secret.") from None


@transaction.atomic
def rotate_webhook_secret(*, overlap: timedelta, actor: Actor) -> str:
    """Make a new secret and return it. The one before signs too for the overlap.

    Without an overlap only the new secret signs from now on. Raises `KeyRotating` while an overlap
    lasts, and `Invalid` if a setting has the secret.
    """
    actor.must(Permission.MANAGE_KEYS)
    chosen = config()
    if not timedelta() <= overlap <= MAX_OVERLAP:
        raise Invalid(f"Two secrets sign together for 0 to {MAX_OVERLAP.days} days.")
    if chosen.webhook_secret or chosen.webhook_secret_before:
        raise Invalid(
            "Your settings have the secret. Set KINWARD_WEBHOOK_SECRET to a new one, and "
            "KINWARD_WEBHOOK_SECRET_BEFORE to the one before, until your app has the new one."
        )
    in_turn("enforcement.webhook_secret")
    now = timezone.now()
    before = secret_before(chosen) if overlap else None
    if before is not None and before.until is not None:
        raise KeyRotating(f"It signs until {before.until:%Y-%m-%d %H:%M} UTC.")
    until = (now + overlap).isoformat() if overlap else ""
    record(actor=actor, subject="webhook:secret", fact=kinds.WebhookRotated(previous_until=until))
    new = random_webhook_secret()
    # In this order, so that at no moment the secret before has stopped signing.
    if overlap:
        replace_secret(chosen.secret_path(BEFORE), f"{chosen.secret(NAME)}\n{until}")
    replace_secret(chosen.secret_path(NAME), new)
    if not overlap:
        chosen.secret_path(BEFORE).unlink(missing_ok=True)
    return new
