"""An App Store for tests: a chain of certificates of its own, and what Apple would send."""

import base64
from pathlib import Path
from typing import Any

import msgspec

from kinward.consents.sandbox import Signer, download_of, notification_of

SETTINGS: dict[str, Any] = {
    "app_store_bundle": "example.tidepool",
    "app_store_environment": "Sandbox",
}


class Apple:
    """What the App Store signs for the users of the app."""

    def __init__(self, directory: Path) -> None:
        self.signer = Signer(directory)

    def download(self, user: str, **changes: Any) -> str:
        """A user's download of the app, signed."""
        return self.signer.sign(download_of(user) | changes)

    def withdrawal(self, user: str, **changes: Any) -> dict[str, Any]:
        """The payload of the notification that a guardian withdrew their consent."""
        return notification_of(self.download(user)) | changes

    def body(self, payload: dict[str, Any]) -> dict[str, str]:
        """A notification as Apple sends it."""
        return {"signedPayload": self.signer.sign(payload)}


def changed(signed: str, **fields: Any) -> str:
    """A JWS whose payload was changed after it was signed."""
    head, body, signature = signed.split(".")
    payload = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    forged = base64.urlsafe_b64encode(msgspec.json.encode(payload | fields)).rstrip(b"=")
    return ".".join([head, forged.decode(), signature])
