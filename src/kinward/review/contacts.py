"""Accounts that a case's account was in contact with, and that may be children who were harmed.

They are listed, not judged: the reviewer decides whom the report names.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from kinward.casebook.api import FINDING_KINDS, Case, UserReport, Verdict
from kinward.families.api import Pairing
from kinward.people.api import Account

MAX_CONTACTS: Final = 50
ADULT: Final = 18


class Contact(msgspec.Struct, frozen=True):
    """An account, whether it may be a child's, and what is known about the contact."""

    account: Account
    maybe_child: bool
    why: list[str]


def contacts_of_case(case: Case) -> list[Contact]:
    """Return the account's contacts, possible children first, at most 50."""
    known: dict[str, list[str]] = {}
    for platform_id, why in _reasons(case):
        reasons = known.setdefault(platform_id, [])
        if why not in reasons:
            reasons.append(why)
    known.pop(case.account.platform_id, None)
    contacts = [
        Contact(account, account.age_lower < ADULT, known[account.platform_id])
        for account in Account.objects.filter(platform_id__in=list(known))
    ]
    contacts.sort(
        key=lambda contact: (
            not contact.maybe_child,
            -len(contact.why),
            contact.account.platform_id,
        )
    )
    return contacts[:MAX_CONTACTS]


def _reasons(case: Case) -> Iterator[tuple[str, str]]:
    findings = list(case.findings.select_related("check_made"))
    for kind in FINDING_KINDS.values():
        for finding in findings:
            if finding.kind == kind.name:
                yield from kind.contacts(finding)
    reports = UserReport.objects.filter(account=case.account, reporter__isnull=False)
    for platform_id, category in reports.values_list("reporter__platform_id", "category"):
        yield str(platform_id), f"reported this account ({category})"
    guarded = Pairing.objects.filter(guardian=case.account)
    for platform_id in guarded.values_list("teen__platform_id", flat=True):
        yield platform_id, "is or was paired with this account as its guardian"
    earlier = Verdict.objects.filter(case__account=case.account).exclude(case=case)
    for case_id, details in earlier.values_list("case_id", "details"):
        for platform_id in details.get("victims", []):
            yield platform_id, f"was named in case {str(case_id)[:8]}"
