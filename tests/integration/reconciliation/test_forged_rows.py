"""Whatever Kinward does agrees with its ledger, and whatever SQL does past it is named."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from kinward.matching.models import Bank
from kinward.people.models import Account
from tests.support.compared import gaps, live_a_little

pytestmark = pytest.mark.django_db

ENTRY = "DELETE FROM ledger_entry WHERE kind = '{}'"
# What somebody with the database does, and the counterpart that names it.
FORGERIES = {
    "verdict": [
        "UPDATE casebook_verdict SET clause = 'CS-4'",
        "UPDATE casebook_verdict SET given_by_id = (SELECT id FROM access_staff"
        " WHERE username = 'cal') WHERE given_by_id IS NOT NULL",
        "DELETE FROM casebook_verdict",
        ENTRY.format("case.confirmed"),
    ],
    "case": [
        "UPDATE casebook_case SET state = 'dismissed'",
        ENTRY.format("case.opened"),
        "DELETE FROM casebook_case",
    ],
    "finding": [
        "UPDATE casebook_finding SET content_id = 'other'",
        ENTRY.format("case.finding_added"),
        "DELETE FROM casebook_finding",
    ],
    "proposed verdict": [
        "UPDATE casebook_verdictproposal SET reasons = '[]'",
        "UPDATE casebook_verdictproposal SET asked_by_id = (SELECT id FROM access_staff"
        " WHERE username = 'kim')",
    ],
    "action": [
        "UPDATE enforcement_action SET target = 'other' WHERE target_kind = 'content'",
        "UPDATE enforcement_action SET state = 'delivered'",
        ENTRY.format("action.issued"),
        "DELETE FROM enforcement_action",
    ],
    "sanction": [
        "UPDATE enforcement_sanction SET kind = 'suspend'",
        "UPDATE enforcement_sanction SET ended_at = now()",
        ENTRY.format("sanction.imposed"),
        "DELETE FROM enforcement_sanction",
    ],
    "standing": ["UPDATE people_account SET standing = 'terminated'"],
    "evidence": [
        "UPDATE evidence_evidence SET sha256 = repeat('0', 64)",
        "UPDATE evidence_evidence SET ciphertext = 'other'",
        "UPDATE evidence_evidence SET wrapped_key = NULL, ciphertext = NULL, destroyed_at = now()",
        "UPDATE matching_check SET md5 = repeat('0', 32)",
        ENTRY.format("evidence.sealed"),
        "DELETE FROM evidence_evidence",
    ],
    "evidence of a case": [
        "UPDATE evidence_evidence SET hold_reference = ''",
        "UPDATE evidence_evidence SET hold_reference = 'AZ 9'",
        "UPDATE evidence_evidence SET expires_at = now()",
        ENTRY.format("evidence.held"),
    ],
    "end of a legal hold": [
        "UPDATE evidence_holdending SET state = 'refused'",
        "UPDATE evidence_holdending SET asked_by_id = decided_by_id, decided_by_id = asked_by_id",
        "DELETE FROM evidence_holdending",
        ENTRY.format("evidence.hold_ended"),
    ],
    "look": ["DELETE FROM review_look", ENTRY.format("evidence.viewed")],
    "comment": ["DELETE FROM review_comment", ENTRY.format("case.commented")],
    "account": [
        "UPDATE people_account SET age_lower = 30, age_upper = 31 WHERE platform_id = 'grows'",
        "UPDATE people_account SET age_assurance = 'verified' WHERE platform_id = 'grows'",
        "UPDATE people_account SET deleted_at = now()",
        "UPDATE people_account SET consent_withdrawn = true",
    ],
    "staff": [
        "UPDATE access_staff SET roles = ARRAY['administrator'] WHERE username = 'robin'",
        "UPDATE access_staff SET is_active = true WHERE username = 'gone'",
        "UPDATE access_staff SET username = 'rob' WHERE username = 'robin'",
        "INSERT INTO access_staff (username, password, roles, is_active, is_staff, is_superuser,"
        " first_name, last_name, email, date_joined, added_by, sign_outs)"
        " VALUES ('eve', '', ARRAY['administrator'], true, false, false, '', '', '', now(), '', 0)",
        ENTRY.format("staff.created"),
        "DELETE FROM access_staff WHERE username = 'gone'",
    ],
    "API key": [
        "UPDATE access_apikey SET scopes = ARRAY['media:check'] WHERE name = 'app'",
        "UPDATE access_apikey SET digest = sha256('eve') WHERE name = 'app'",
        "UPDATE access_apikey SET expires_at = now() + interval '9 years' WHERE name = 'app'",
        "UPDATE access_apikey SET revoked_at = NULL WHERE name = 'old'",
        ENTRY.format("key.created"),
        "DELETE FROM access_apikey",
    ],
    "bank": [
        "UPDATE matching_bank SET disabled = true",
        "UPDATE matching_bank SET distance = 3",
        "UPDATE matching_bankedhash SET removed = true",
        "DELETE FROM matching_bankedhash",
        "UPDATE matching_bank SET confidence = 'unverified'",
        "DELETE FROM matching_bank",
    ],
    "addition of hashes": [
        "UPDATE matching_addition SET provenance = 'other'",
        "UPDATE matching_addition SET confidence = 'unverified'",
        ENTRY.format("bank.added"),
    ],
    "hash": ["UPDATE matching_bankedhash SET false_positive = true"],
    "pack": [
        "UPDATE experience_packversion SET digest = repeat('0', 64)",
        ENTRY.format("pack.stored"),
        "DELETE FROM experience_packversion",
    ],
    "activation": [
        "UPDATE experience_activation SET actor = 'system:other'",
        ENTRY.format("pack.activated"),
        "DELETE FROM experience_activation",
    ],
    "pinned guidelines": [ENTRY.format("guidelines.pinned"), "DELETE FROM guidelines_pinned"],
    "pairing": [
        "UPDATE families_pairing SET disputed_at = NULL",
        "UPDATE families_pairing SET quiet = true WHERE disputed_at IS NOT NULL",
        "UPDATE families_pairing SET ended_at = now()",
        "UPDATE families_pairing SET teen_id = (SELECT id FROM people_account"
        " WHERE platform_id = 'grows')",
        ENTRY.format("pairing.started"),
        "DELETE FROM families_pairing",
    ],
    "choice": ["UPDATE families_choice SET value = '120'", ENTRY.format("choice.made")],
    "release": [
        "UPDATE custody_release SET decided_by_id = (SELECT id FROM access_staff"
        " WHERE username = 'robin')",
        "UPDATE custody_release SET since = '2020-01-01'",
        "DELETE FROM custody_release",
        ENTRY.format("release.approved"),
    ],
    "ledger": ["UPDATE ledger_entry SET kind = 'case.forgotten' WHERE kind = 'case.taken'"],
}


@contextmanager
def forging() -> Iterator[None]:
    """Write past every trigger and constraint of a key, and take it back."""
    before = transaction.savepoint()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
    try:
        yield
    finally:
        transaction.savepoint_rollback(before)


def test_what_services_do_agrees_and_what_sql_does_is_named(bank: Bank, account: Account) -> None:
    live_a_little(account)
    assert gaps() == []
    missed = []
    for name, statements in FORGERIES.items():
        for statement in statements:
            with forging(), connection.cursor() as cursor:
                cursor.execute(statement)
                assert cursor.rowcount, f"it forges something: {statement}"
                if not gaps([name]):
                    missed.append(statement)
    assert missed == []
    assert gaps() == []
