"""Uploads that hit nothing, checked many at a time: one transaction, and one write for all."""

from collections.abc import Sequence

import msgspec
from django.db import transaction

from kinward.findings.upload import Outcome, not_checked, require_looked_up
from kinward.ground.errors import KinwardError
from kinward.ground.locks import sharing
from kinward.matching.api import (
    LOOKING_UP,
    Check,
    Upload,
    banks_asked_partly,
    new_check,
    record_rows,
    untouched,
)
from kinward.people.api import account_unknown, find_accounts


class Asked(msgspec.Struct, frozen=True):
    """An upload to check, by its hashes, and the platform's id of its account."""

    account_id: str
    upload: Upload


# Clear; or why it cannot be checked; or None: it hits something, so `receive` must look at it.
Judged = Outcome | KinwardError | None


@transaction.atomic(savepoint=False)
def receive_clear(asked: Sequence[Asked]) -> list[Judged]:
    """Check uploads together, and record those that are clear, as `receive` does one by one.

    The answers are in the order of the questions. They hold once the transaction has committed.
    """
    accounts = find_accounts([one.account_id for one in asked])
    sharing(LOOKING_UP)
    clear = untouched([one.upload for one in asked])
    partly = banks_asked_partly()
    answers: list[Judged] = [None] * len(asked)
    checks: list[Check] = []
    for at, one in enumerate(asked):
        try:
            account = accounts.get(one.account_id)
            if account is None:
                raise account_unknown(one.account_id)
            checked = require_looked_up(one.upload)
        except KinwardError as error:
            answers[at] = error
            continue
        if clear[at]:
            check = new_check(account, one.upload, matched=False)
            reasons = not_checked(one.upload, checked, (), partly)
            answers[at] = Outcome(str(check.id), "clear", checked, reasons)
            checks.append(check)
    record_rows(checks)
    return answers
