"""What the App Store signs, verified: its notifications (version 2) and an app's download.

Everything is verified against the operator's own copies of Apple's root certificates. Kinward asks
nobody on the internet whether a certificate was revoked, since the library would call whatever
address a certificate names.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kinward.ground.config import config
from kinward.ground.errors import KinwardError, NotConfigured
from kinward.ground.text import storable

if TYPE_CHECKING:
    from appstoreserverlibrary.signed_data_verifier import SignedDataVerifier

WITHDRAWN: Final = "RESCIND_CONSENT"
VERSION: Final = "2.0"
# Apple repeats a notification for 157 hours. What is older than that is no repetition.
OLDEST: Final = timedelta(days=8)
SKEW: Final = timedelta(minutes=5)
SOURCE: Final = "app-store"  # the name of this adapter, with its day in `policy.signals`
MAX_ROOTS: Final = 16
MAX_TRANSACTION: Final = 64  # characters of an `appTransactionId`
# The parts of a payload, of an `appData` and of an app's download that Kinward knows.
FIELDS: Final = frozenset(
    {
        *("notificationType", "subtype", "notificationUUID", "version", "signedDate"),
        *("data", "summary", "externalPurchaseToken", "appData"),
    }
)
APP_DATA: Final = frozenset({"appAppleId", "bundleId", "environment", "signedAppTransactionInfo"})


class StoreRefused(KinwardError):
    """This was not signed by the App Store for this app, or it is not recent."""

    code = "store.refused"
    status = 403


class Notification(msgspec.Struct, frozen=True):
    """A verified notification. `unread` has what Kinward does not know.

    `download` is the id of the app's download whose consent was withdrawn. It is empty for any
    other notification, and if the notification does not say it.
    """

    id: UUID
    kind: str
    signed_at: datetime
    download: str
    unread: list[str]


def read_notification(signed: str) -> Notification:
    """Verify a notification's signed payload.

    Raises `StoreRefused` for one that is forged, not recent, or for another app or environment, and
    `NotConfigured` while the settings of the App Store are missing.
    """
    payload = _verified(signed, "verify_and_decode_notification")
    kind = storable(str(payload.get("notificationType") or ""))[:60]
    signed_at = _recent(payload.get("signedDate"))
    try:
        number = UUID(str(payload.get("notificationUUID")))
    except ValueError:
        raise StoreRefused("It has no notificationUUID.") from None
    unread = [name for name in payload if name not in FIELDS]
    if payload.get("version") != VERSION:
        unread.append(f"version={payload.get('version')}")
    subtype = payload.get("subtype")
    known = isinstance(subtype, str) and subtype in _known_subtypes()
    if subtype is not None and (kind == WITHDRAWN or not known):
        unread.append(f"subtype={subtype}")
    download = ""
    if kind == WITHDRAWN:
        app = payload.get("appData")
        app = app if isinstance(app, dict) else {}
        unread += [f"appData.{name}" for name in app if name not in APP_DATA]
        if info := app.get("signedAppTransactionInfo"):
            download = _download(str(info))
        if not download:
            unread.append(f"{WITHDRAWN} of nobody")
    elif kind not in _known_kinds():
        unread.append(f"notificationType={kind}")
    return Notification(number, kind, signed_at, download, unread)


def read_download(signed: str) -> str:
    """Verify an app's download (`AppTransaction`), as the app has it, and return its id.

    Raises as `read_notification`, but a download does not get old.
    """
    download = _download(signed)
    if not download:
        raise StoreRefused("It has no appTransactionId. It needs iOS 15 or later.")
    return download


def _download(signed: str) -> str:
    found = _verified(signed, "verify_and_decode_app_transaction").get("appTransactionId")
    return found if isinstance(found, str) and len(found) <= MAX_TRANSACTION else ""


def _recent(milliseconds: object) -> datetime:
    now = datetime.now(UTC)
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        raise StoreRefused("It has no signedDate.")
    try:
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise StoreRefused("Its signedDate is no date.") from None
    if at < now - OLDEST:
        raise StoreRefused(f"It was signed more than {OLDEST.days} days ago.")
    if at > now + SKEW:
        raise StoreRefused("It was signed in the future. Is the clock of this machine right?")
    return at


def _verified(signed: str, method: str) -> dict[str, Any]:
    """Verify a JWS with a method of Apple's library, and return its payload."""
    verifier = _verifier()
    try:
        getattr(verifier, method)(signed)
        body = signed.split(".")[1]
        payload = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except Exception as error:  # of whatever kind: it was not verified
        status = getattr(error, "status", None)
        raise StoreRefused(_WHY.get(getattr(status, "name", ""), "It cannot be read.")) from error
    if not isinstance(payload, dict):
        raise StoreRefused("It is not a JSON object.")
    return payload


_WHY: Final = {
    "VERIFICATION_FAILURE": "It cannot be verified to a root in KINWARD_APP_STORE_ROOTS.",
    "INVALID_CERTIFICATE": "Its certificates cannot be read.",
    "INVALID_CHAIN_LENGTH": "It needs three certificates.",
    "INVALID_APP_IDENTIFIER": "It is for another app.",
    "INVALID_ENVIRONMENT": "It is from another environment.",
}


def _known_kinds() -> frozenset[str]:
    from appstoreserverlibrary.models.NotificationTypeV2 import NotificationTypeV2

    return frozenset(kind.value for kind in NotificationTypeV2)


def _known_subtypes() -> frozenset[str]:
    from appstoreserverlibrary.models.Subtype import Subtype

    return frozenset(subtype.value for subtype in Subtype)


def is_configured() -> bool:
    """Whether an app of the App Store is set up."""
    return bool(config().app_store_bundle)


def require_ready() -> None:
    """Raise `NotConfigured`, with what to do, unless what the App Store signs can be verified."""
    _verifier()


def _verifier() -> "SignedDataVerifier":
    chosen = config()
    if not chosen.app_store_bundle or not chosen.app_store_roots:
        raise NotConfigured("Set KINWARD_APP_STORE_BUNDLE and KINWARD_APP_STORE_ROOTS.")
    if chosen.app_store_environment == "Production" and not chosen.app_store_id:
        raise NotConfigured("Set KINWARD_APP_STORE_ID.")
    return _made(
        chosen.app_store_bundle,
        chosen.app_store_id,
        chosen.app_store_environment,
        tuple(_root_files(Path(chosen.app_store_roots))),
    )


@lru_cache(4)
def _made(
    bundle: str, number: int, environment: str, roots: tuple[tuple[Path, int], ...]
) -> "SignedDataVerifier":
    from appstoreserverlibrary.models.Environment import Environment
    from appstoreserverlibrary.signed_data_verifier import SignedDataVerifier

    return SignedDataVerifier(
        [_certificate(path) for path, _ in roots],
        enable_online_checks=False,
        environment=Environment(environment),
        bundle_id=bundle,
        app_apple_id=number or None,
    )


def _root_files(path: Path) -> list[tuple[Path, int]]:
    """Return the files with root certificates, each with the time of its last change."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        dated = [(file, file.stat().st_mtime_ns) for file in files if file.is_file()]
    except OSError as error:
        raise NotConfigured(f"KINWARD_APP_STORE_ROOTS: {error.strerror}: {path}.") from error
    if not 1 <= len(dated) <= MAX_ROOTS:
        raise NotConfigured(f"KINWARD_APP_STORE_ROOTS has from 1 to {MAX_ROOTS} certificates.")
    return dated


def _certificate(path: Path) -> bytes:
    """Return a root certificate, which is in DER or PEM, in DER."""
    try:
        data = path.read_bytes()
        pem = b"-----BEGIN" in data
        load = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
        return load(data).public_bytes(Encoding.DER)
    except (OSError, ValueError, binascii.Error) as error:
        raise NotConfigured(f"KINWARD_APP_STORE_ROOTS: {path} is no certificate.") from error
