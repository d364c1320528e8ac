"""The webhook for checkpoints, signed by the Standard Webhooks scheme (standardwebhooks.com).

Its secret is its own: who holds checkpoints must not be able to sign what the platform's app acts
on. No database here.
"""

import hashlib
from datetime import UTC, datetime
from functools import cache
from typing import Final

import msgspec
from standardwebhooks.webhooks import Webhook

from kinward.ground.calls_out import Caller, CallFailed, Limits, Reach
from kinward.ground.config import config, require_safe
from kinward.ground.errors import KinwardError

KEPT: Final = 4096  # bytes of an answer that are read
TYPE: Final = "ledger.checkpoint"


class Undelivered(KinwardError):
    """The webhook for checkpoints did not accept one. It is tried again a few times."""

    code = "ledger.webhook"
    status = 502


def send_checkpoint(origin: str, size: int, note: bytes) -> None:
    """Send a signed checkpoint. Raises `Undelivered`, and `NotConfigured` without a secret."""
    chosen = config()
    require_safe("KINWARD_LEDGER_WEBHOOK_URL", chosen.ledger_webhook_url)
    now = datetime.now(UTC)
    data = {"origin": origin, "size": size, "checkpoint": note.decode()}
    body = msgspec.json.encode(
        {"type": TYPE, "timestamp": now.isoformat(), "data": data}, order="deterministic"
    ).decode()
    name = f"{TYPE}_{hashlib.sha256(origin.encode()).hexdigest()[:16]}_{size}"
    secret = chosen.secret("ledger_webhook_secret")
    headers = {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, now, body),
    }
    try:
        answer = _caller(chosen.webhook_seconds).call(
            "POST", chosen.ledger_webhook_url, content=body, headers=headers, cut=True
        )
    except CallFailed as error:
        raise Undelivered(str(error)) from error
    if not 200 <= answer.status < 300:
        raise Undelivered(f"It answered with the status {answer.status}.")


@cache
def _caller(seconds: float) -> Caller:
    return Caller(limits=Limits(seconds=seconds, answer_bytes=KEPT), reach=Reach.OURS)
