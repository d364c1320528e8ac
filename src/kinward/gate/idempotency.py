"""The same request twice has one effect and one answer."""

import hashlib
from collections.abc import Callable
from typing import Any, Final

import msgspec
from django.db import transaction

from kinward.access.api import ApiKey
from kinward.gate.models import KeptAnswer
from kinward.ground.errors import Invalid, KinwardError

MAX_KEY: Final = 200


class KeyReused(KinwardError):
    """This Idempotency-Key was used for another request. Choose a new one for each upload."""

    code = "idempotency.key_reused"
    status = 422


def fingerprint(*parts: object) -> str:
    """What makes two requests the same, as a SHA-256."""
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def answer_once(
    *, api_key: ApiKey, key: str, print_: str, produce: Callable[[], Any]
) -> dict[str, Any]:
    """Produce an answer, or return the one kept under this key; both in one transaction.

    Two at once: the second waits for the first to commit and gets its answer. A refusal is not
    kept, so a mended request may use the same key.
    """
    if not key:
        fresh: dict[str, Any] = msgspec.to_builtins(produce())
        return fresh
    if len(key) > MAX_KEY or not key.isprintable():
        raise Invalid(f"An Idempotency-Key has at most {MAX_KEY} printable characters.")
    with transaction.atomic():
        kept, new = KeptAnswer.objects.get_or_create(
            api_key=api_key, idempotency_key=key, defaults={"fingerprint": print_}
        )
        if kept.fingerprint != print_:
            raise KeyReused
        if new:
            kept.answer = msgspec.to_builtins(produce())
            kept.save(update_fields=["answer"])
        return dict(kept.answer or {})
