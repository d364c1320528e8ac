"""The kinds of requests that take two people: what each is about, and how it is decided."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import msgspec

from kinward.access.api import Decider, LogKeyChange, TwoPeopleAnywhere, decide_log_key
from kinward.cli.counts import counted
from kinward.custody.api import Destruction, Release, decide_destruction, decide_release
from kinward.erasure.api import Erasure, decide_erasure
from kinward.evidence.api import HoldEnding, decide_hold_end
from kinward.exchanges.api import decide_false_positive
from kinward.experience.api import Proposal, decide_proposal
from kinward.guidelines.api import Edition, decide_edition
from kinward.matching.api import (
    Marking,
    Weakening,
    WithdrawalRequest,
    decide_weakening,
    decide_withdrawal,
)
from kinward.reporting.api import Production, approve_production, end_production
from kinward.verdicts.api import PairingOrder, decide_pairing_order


class Kind(msgspec.Struct, frozen=True):
    """A kind of request: what it is about in words, and its page in the console, "" for none."""

    model: type[TwoPeopleAnywhere]
    decide: Callable[[UUID, bool, Decider], object]
    about: Callable[[Any], str]
    page: str


def _decide_production(pk: UUID, approve: bool, by: Decider) -> Production:
    verb = approve_production if approve else end_production
    return verb(production_id=pk, staff=by)


KINDS: Final = (
    Kind(
        Proposal,
        lambda pk, approve, by: decide_proposal(proposal_id=pk, approve=approve, staff=by),
        lambda row: f"the pack {row.pack} for {row.share} percent of accounts",
        "on *Policy*",
    ),
    Kind(
        Edition,
        lambda pk, approve, by: decide_edition(edition_id=pk, approve=approve, staff=by),
        lambda row: f"the guidelines {row}",
        "on *Guidelines*",
    ),
    Kind(
        Weakening,
        lambda pk, approve, by: decide_weakening(weakening_id=pk, approve=approve, staff=by),
        lambda row: (
            f"{row.bank.name!r} would match less, and it has"
            f" {counted(row.hashes, 'verified hash', 'verified hashes')}"
        ),
        "on the bank's page",
    ),
    Kind(
        WithdrawalRequest,
        lambda pk, approve, by: decide_withdrawal(withdrawal_id=pk, approve=approve, staff=by),
        lambda row: f"{counted(row.hashes, 'hash', 'hashes')} may leave {row.bank.name!r}",
        "on the bank's page",
    ),
    Kind(
        Marking,
        lambda pk, approve, by: decide_false_positive(marking_id=pk, approve=approve, staff=by),
        lambda row: f"hash {row.hash_id} of {row.hash.bank.name!r} is a false positive",
        "on the bank's page",
    ),
    Kind(
        Production,
        _decide_production,
        lambda row: f"reports to {row.authority} at {row.address} would be real",
        "on *Operations*",
    ),
    Kind(
        HoldEnding,
        lambda pk, approve, by: decide_hold_end(ending_id=pk, approve=approve, staff=by),
        lambda row: f"the end of the legal hold {row.reference!r} of case {row.case_id}",
        "on *Custody*",
    ),
    Kind(
        Release,
        lambda pk, approve, by: decide_release(release_id=pk, approve=approve, staff=by),
        lambda row: f"the records of account {row.account.platform_id} for {row.to}",
        "on *Custody*",
    ),
    Kind(
        PairingOrder,
        lambda pk, approve, by: decide_pairing_order(order_id=pk, approve=approve, staff=by),
        lambda row: (
            f"to {row.verb} the pairing of {row.pairing.guardian.platform_id} with"
            f" {row.pairing.teen.platform_id}"
        ),
        "on the case's page",
    ),
    Kind(
        Erasure,
        lambda pk, approve, by: decide_erasure(erasure_id=pk, approve=approve, staff=by),
        lambda row: (
            f"the erasure of account {row.account.platform_id}"
            if row.account
            else "the erasure of an account"
        ),
        "on *Custody*",
    ),
    Kind(
        Destruction,
        lambda pk, approve, by: decide_destruction(destruction_id=pk, agree=approve, staff=by),
        lambda row: f"the destruction of the evidence of case {row.case_id}",
        "on *Custody*",
    ),
    Kind(
        LogKeyChange,
        lambda pk, approve, by: decide_log_key(change_id=pk, approve=approve, staff=by),
        lambda row: f"{row.after} would sign the ledger",
        "",
    ),
)


def kind_of(request: TwoPeopleAnywhere) -> Kind:
    """Return the kind of a request."""
    return next(kind for kind in KINDS if isinstance(request, kind.model))
