"""The webhook, signed by the Standard Webhooks scheme (standardwebhooks.com). No database here."""

from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from standardwebhooks.webhooks import Webhook

from kinward.enforcement.webhook_secrets import signing_secrets
from kinward.ground.calls_out import Caller, CallFailed, Limits, Reach
from kinward.ground.config import Config, require_safe
from kinward.ground.errors import KinwardError, NotConfigured
from kinward.ground.text import storable

KEPT: Final = 4096  # bytes of an answer that are read and stored
MOVED: Final = (
    "Your app redirects the webhook, and Kinward follows no redirect. "
    "Set KINWARD_WEBHOOK_URL to the final address."
)


class Undelivered(KinwardError):
    """The platform did not accept the webhook. It will be sent again."""

    code = "webhook.undelivered"
    status = 502


class Delivery(msgspec.Struct, frozen=True):
    """The platform's answer to a webhook."""

    status: int
    body: str

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


def check_address(config: Config) -> None:
    """Raise `NotConfigured` unless the address keeps a child's case encrypted on the network."""
    parts = urlsplit(config.webhook_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotConfigured("Set KINWARD_WEBHOOK_URL to your app's webhook address.")
    if not config.webhook_allow_http:
        require_safe("KINWARD_WEBHOOK_URL", config.webhook_url)


class Signed(msgspec.Struct, frozen=True):
    """A message: the headers of its signature, and the exact text that was signed."""

    headers: dict[str, str]
    body: str


def sign_webhook(config: Config, *, message_id: str, payload: dict[str, Any]) -> Signed:
    """Sign a message with the current time, by each secret: two while it is rotated."""
    body = msgspec.json.encode(payload).decode()
    now = datetime.now(UTC)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            Webhook(secret).sign(message_id, now, body) for secret in signing_secrets(config)
        ),
    }
    return Signed(headers, body)


def send(config: Config, *, message_id: str, payload: dict[str, Any]) -> Delivery:
    """Sign and post a message. Raises `Undelivered` if no answer arrives."""
    check_address(config)
    message = sign_webhook(config, message_id=message_id, payload=payload)
    headers = {"Content-Type": "application/json", **message.headers}
    try:
        answer = _caller(config.webhook_seconds, open_text=config.webhook_allow_http).call(
            "POST", config.webhook_url, content=message.body, headers=headers, cut=True
        )
    except CallFailed as error:
        raise Undelivered(str(error)) from error
    if answer.redirects:
        return Delivery(answer.status, MOVED)
    return Delivery(answer.status, storable(answer.text))


@cache
def _caller(seconds: float, *, open_text: bool) -> Caller:
    """Return one client for all threads, which keeps connections."""
    limits = Limits(seconds=seconds, answer_bytes=KEPT)
    return Caller(limits=limits, reach=Reach.OURS, open_text=open_text)
