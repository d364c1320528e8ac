"""Idempotency keys: a repeated request has one effect and gets the same answer."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from django.db import connection, transaction

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


class Claim(msgspec.Struct, frozen=True):
    """An Idempotency-Key of a caller, and the fingerprint of the request that carries it."""

    api_key: ApiKey
    key: str
    print_: str


_CLAIM: Final = """
INSERT INTO gate_keptanswer (api_key_id, idempotency_key, fingerprint, created_at)
SELECT api_key, key, print, statement_timestamp()
FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS claimed (api_key, key, print)
ORDER BY api_key, key
ON CONFLICT DO NOTHING
RETURNING api_key_id, idempotency_key, id
"""


def claim_keys(claims: Mapping[int, Claim]) -> dict[int, int]:
    """Claim keys for requests that are answered together; return the rows of those that are new.

    A key that was used before, or twice among these, is not claimed: `answer_once` must answer that
    request. The keys are claimed in order, and before any other lock, so that nobody waits for each
    other in a circle.
    """
    places: dict[tuple[int, str], int] = {}
    for at, claim in claims.items():
        places.setdefault((claim.api_key.pk, claim.key), at)
    if not places:
        return {}
    prints = [claims[at].print_ for at in places.values()]
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [[pk for pk, _ in places], [key for _, key in places], prints])
        return {places[api_key, key]: row for api_key, key, row in cursor.fetchall()}


def find_kept(claims: Mapping[int, Claim]) -> dict[int, dict[str, Any] | KeyReused]:
    """Return the kept answers of requests that were made before, each by its place.

    `KeyReused` stands for a key that another request had. A key that nobody has used is left out.
    """
    rows = KeptAnswer.objects.filter(
        api_key__in={claim.api_key.pk for claim in claims.values()},
        idempotency_key__in={claim.key for claim in claims.values()},
    )
    kept = {(row.api_key_id, row.idempotency_key): row for row in rows} if claims else {}
    found: dict[int, dict[str, Any] | KeyReused] = {}
    for at, claim in claims.items():
        row = kept.get((claim.api_key.pk, claim.key))
        if row is not None and row.answer:
            found[at] = dict(row.answer) if row.fingerprint == claim.print_ else KeyReused()
    return found


_KEEP: Final = """
UPDATE gate_keptanswer SET answer = kept.answer
FROM unnest(%s::bigint[], %s::jsonb[]) AS kept (id, answer) WHERE gate_keptanswer.id = kept.id
"""


def keep_answers(answers: Mapping[int, Any], claimed: Iterable[int]) -> None:
    """Keep the answers under claimed keys, each by its row. The other claims are given back."""
    given = set(claimed) - answers.keys()
    if answers:
        encoded = [msgspec.json.encode(answer).decode() for answer in answers.values()]
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, [list(answers), encoded])
    if given:
        KeptAnswer.objects.filter(pk__in=given).delete()


def usable(key: str) -> str:
    """Return an Idempotency-Key. Raises `Invalid`."""
    if len(key) > MAX_KEY or not key.isprintable():
        raise Invalid(f"An Idempotency-Key has at most {MAX_KEY} printable characters.")
    return key


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
    with transaction.atomic():
        kept, new = KeptAnswer.objects.get_or_create(
            api_key=api_key, idempotency_key=usable(key), defaults={"fingerprint": print_}
        )
        if kept.fingerprint != print_:
            raise KeyReused
        if new:
            kept.answer = msgspec.to_builtins(produce())
            kept.save(update_fields=["answer"])
        return dict(kept.answer or {})
