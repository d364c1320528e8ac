"""Proofs of guardians: `/v1/accounts/…/guardians/…/proof`."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from kinward.families.api import Told, live_proof, method_of, prove_guardian, withdraw_proof
from kinward.gate.calls import Call
from kinward.people.api import Account, get_account
from kinward.policy import ProofMethod


class ProofOut(msgspec.Struct, frozen=True):
    """A live proof, as the platform told it."""

    id: UUID
    method: ProofMethod
    checked_on: date
    evidence: str
    expires_at: datetime | None
    told_by: str
    told_at: datetime


class GuardianOut(msgspec.Struct, frozen=True):
    """How surely an account is known to be the guardian of another.

    `proof` is what you told, or null. `counts_as` is the method that it counts as now. An age that
    Kinward verified itself can make that stronger.
    """

    account_id: str
    guardian_id: str
    proof: ProofOut | None
    counts_as: ProofMethod | Literal[""]


def see_proof(call: Call[None], account_id: str, guardian_id: str) -> GuardianOut:
    """Return how surely an account is known to be the guardian of another."""
    return _out(get_account(account_id), get_account(guardian_id))


def put_proof(call: Call[Told], account_id: str, guardian_id: str) -> GuardianOut:
    """Say how you know that an account is the guardian of another."""
    teen, guardian = get_account(account_id), get_account(guardian_id)
    prove_guardian(guardian=guardian, teen=teen, told=call.body, actor=call.actor)
    return _out(teen, guardian)


def delete_proof(call: Call[None], account_id: str, guardian_id: str) -> GuardianOut:
    """Take a proof back, since it was wrong. What rested on it falls."""
    teen, guardian = get_account(account_id), get_account(guardian_id)
    withdraw_proof(guardian=guardian, teen=teen, actor=call.actor)
    return _out(teen, guardian)


def _out(teen: Account, guardian: Account) -> GuardianOut:
    proof = live_proof(guardian, teen)
    known = None
    if proof is not None:
        known = {name: getattr(proof, name) for name in ProofOut.__struct_fields__}
    fields = {
        "account_id": teen.platform_id,
        "guardian_id": guardian.platform_id,
        "proof": known,
        "counts_as": method_of(guardian, teen),
    }
    return msgspec.convert(fields, GuardianOut)
