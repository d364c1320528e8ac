"""Idempotency keys: a repeated request has one effect and gets the same answer."""

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
    """Return the SHA-256 of the parts of a request. Equal requests have equal fingerprints."""
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def answer_once(
    *, api_key: ApiKey, key: str, print_: str, produce: Callable[[], Any]
) -> dict[str, Any]:
    """Produce an answer and keep it under this key in one transaction, or return the kept answer.

    If two requests arrive at once, the second waits until the first commits and gets its answer. A
    refusal is not kept, so a corrected request can use the same key. Raises `KeyReused` and
    `Invalid`.
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
