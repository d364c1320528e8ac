"""Proofs of age: `/v1/accounts/{account_id}/age-proofs` and the door for wallets."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from django.utils import timezone

from kinward.ages.api import (
    REASONS,
    Method,
    ProofRequest,
    ask_for_proof,
    get_proof,
    state_of,
    take_agekey_answer,
    take_wallet_answer,
)
from kinward.gate.calls import Call, Created
from kinward.ground.errors import Invalid
from kinward.policy import AgeRange

MAX_ANSWER: Final = 192 * 1024  # bytes: a `vp_token` of the longest length, percent-encoded
Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
Known = Literal["wallet", "agekey"]


class ProofIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an account proves its age, and the ages that matter.

    `response_uri` is where the wallet posts its answer, if the platform relays it. With
    `encrypted`, a wallet has to encrypt its answer.
    """

    method: Known
    ages: list[int]
    response_uri: str = ""
    encrypted: bool = False


class ProofAsked(msgspec.Struct, frozen=True):
    """A request for a proof: the address to open, and when it expires.

    `request` has the parameters of `url`, for a wallet that is called in another way.
    """

    proof_id: str
    method: Known
    url: str
    expires_at: Moment
    request: dict[str, Any] | None


class ProofOut(msgspec.Struct, frozen=True):
    """What became of a request. `age` is what is known about the account since."""

    proof_id: str
    method: Known
    outcome: Literal["waiting", "expired", "accepted", "contradicted", "refused"]
    reason: str
    sentence: str
    age: AgeRange | None


class AnswerIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came back to the platform: from a wallet `vp_token`, from age keys `id_token` or `code`.

    None of them means that the person declined. A wallet that encrypts sends only `response`.
    """

    state: str | None = None
    vp_token: str = ""
    response: str = ""
    id_token: str = ""
    code: str = ""


class WalletAnswer(msgspec.Struct, frozen=True):
    """What a wallet posts (`direct_post`). Without a `vp_token`, the person declined.

    An encrypted answer (`direct_post.jwt`) is all in `response`.
    """

    state: str | None = None
    vp_token: str = ""
    response: str = ""


class Received(msgspec.Struct, frozen=True):
    """The answer was taken. A wallet needs to know nothing more."""


def ask_for_age_proof(call: Call[ProofIn], account_id: str) -> Created[ProofAsked]:
    """Ask an account for a proof of age. It replaces the earlier request by that method."""
    asked = ask_for_proof(
        account_id=account_id,
        method=Method(call.body.method),
        ages=call.body.ages,
        response_uri=call.body.response_uri,
        encrypted=call.body.encrypted,
    )
    return Created(
        ProofAsked(
            proof_id=str(asked.request.pk),
            method=call.body.method,
            url=asked.url,
            expires_at=asked.request.expires_at.isoformat(),
            request=asked.parameters,
        )
    )


def see_age_proof(call: Call[None], account_id: str, proof_id: UUID) -> ProofOut:
    """Return what became of a request for a proof of age."""
    return _out(get_proof(account_id, proof_id))


def relay_answer(call: Call[AnswerIn], account_id: str, proof_id: UUID) -> ProofOut:
    """Take the answer that came back to the platform, and verify it."""
    body, proof = call.body, (account_id, proof_id)
    if get_proof(account_id, proof_id).method == Method.AGEKEY:
        taken = take_agekey_answer(
            state=_state(body),
            id_token=body.id_token,
            code=body.code,
            proof=proof,
            actor=call.actor,
        )
    else:
        taken = take_wallet_answer(
            state=_state(body),
            vp_token=body.vp_token,
            response=body.response,
            proof=proof,
            actor=call.actor,
        )
    return _out(taken)


def receive_wallet_answer(call: Call[WalletAnswer]) -> Received:
    """Take the answer of a wallet, and verify it. The address is for wallets only."""
    body = call.body
    take_wallet_answer(state=_state(body), vp_token=body.vp_token, response=body.response)
    return Received()


def _state(body: AnswerIn | WalletAnswer) -> str:
    """Return the state of an answer. One that is encrypted has it inside."""
    if body.state is None and not body.response:
        raise Invalid("An answer has the state of its request.")
    return body.state or ""


def _out(request: ProofRequest) -> ProofOut:
    outcome = state_of(request, timezone.now())
    fields = {
        "proof_id": str(request.pk),
        "method": request.method,
        "outcome": outcome,
        "reason": request.reason,
        "sentence": REASONS.get(request.reason, ""),
        "age": request.account.age if outcome in ("accepted", "contradicted") else None,
    }
    return msgspec.convert(fields, ProofOut)
