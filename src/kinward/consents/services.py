"""Receive what the App Store tells us, and link its downloads to accounts."""

import hmac
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter

from kinward.access import Actor
from kinward.consents.app_store import (
    SOURCE,
    WITHDRAWN,
    Notification,
    read_download,
    read_notification,
)
from kinward.consents.models import AppDownload, Fate, StoreNotification
from kinward.ground.config import config
from kinward.ground.locks import in_turn
from kinward.people.api import (
    Account,
    ConsentSource,
    lock_account,
    lock_accounts,
    note_unread,
    withdraw_consent,
)

STORE: Final = Actor.system("app-store")
KEPT: Final = timedelta(days=90)  # for a notification that closed nothing and waits for nobody
# A notification that is refused is counted as an answer of the gate.
RECEIVED: Final = Counter("kinward_store_notifications", "Notifications of app stores", ["fate"])


def receive_notification(signed: str) -> None:
    """Verify a notification of the App Store, and close the accounts whose consent it withdraws.

    Idempotent. A withdrawal for a download that belongs to no account yet is kept, and applied as
    soon as the platform links it. Raises as `read_notification`.
    """
    notification = read_notification(signed)
    digest = _digest(notification.download) if notification.download else None
    with transaction.atomic():
        fate = _store(notification, digest)
    RECEIVED.labels(fate).inc()


def _store(notification: Notification, digest: bytes | None) -> str:
    row, new = StoreNotification.objects.get_or_create(
        id=notification.id,
        defaults={
            "kind": notification.kind,
            "fate": Fate.COUNTED,
            "digest": digest,
            "signed_at": notification.signed_at,
        },
    )
    if not new:
        return "repeated"
    for words in notification.unread:
        note_unread(SOURCE, words)
    if notification.kind == WITHDRAWN:
        row.fate = Fate.UNREADABLE if digest is None else _apply(row, digest)
        row.save(update_fields=["fate"])
    return str(row.fate)


def _apply(row: StoreNotification, digest: bytes) -> Fate:
    """Close the accounts of a download. A link that is being made waits, and applies it itself."""
    in_turn(_name(digest))
    linked = AppDownload.objects.filter(digest=digest).values_list("account_id", flat=True)
    accounts = lock_accounts(*linked)
    for account in accounts.values():
        withdraw_consent(account=account, source=ConsentSource.APPLE, at=row.signed_at, actor=STORE)
    return Fate.APPLIED if accounts else Fate.WAITING


@transaction.atomic
def link_download(*, account: Account, signed: str) -> None:
    """Link an app's download, as Apple signed it for the app, to an account. Idempotent.

    If consent for this download was withdrawn before, that now holds for the account, too. Raises
    as `read_download`.
    """
    digest = _digest(read_download(signed))
    in_turn(_name(digest))
    _, new = AppDownload.objects.get_or_create(account=account, digest=digest)
    if not new:
        return
    told = StoreNotification.objects.filter(digest=digest, kind=WITHDRAWN).order_by("-signed_at")
    if (latest := told.first()) is None:
        return
    withdraw_consent(
        account=lock_account(account.pk),
        source=ConsentSource.APPLE,
        at=latest.signed_at,
        actor=STORE,
    )
    told.filter(fate=Fate.WAITING).update(fate=Fate.APPLIED)


def forget_notifications() -> int:
    """Delete old notifications that were about something else. A withdrawal is kept."""
    old = StoreNotification.objects.filter(received_at__lt=timezone.now() - KEPT)
    return old.filter(fate=Fate.COUNTED).delete()[0]


def _name(digest: bytes) -> str:
    """Return the name under which a download's withdrawals and links take turns."""
    return f"app-download:{digest.hex()}"


def _digest(download: str) -> bytes:
    """Return a keyed hash of a download's id, so that nobody can read Apple's id of a person."""
    key = config().secret("identifier_key").encode()
    return hmac.digest(key, f"app-download\0{download}".encode(), "sha256")
