"""Every sequence of what can happen to sealed files, held to what must be true after each step.

Sealed, moved to a store that is away at times, wrapped by new keys, held, given terms, days that
pass, destroyed when an authority asks. After every step: what is to be there opens to its very
bytes; nothing is destroyed that is held or within its term; what is destroyed is gone for good.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
)

from kinward.access.actor import Actor
from kinward.evidence import care, holds, storage
from kinward.evidence import services as vault
from kinward.evidence.keys import keys
from kinward.evidence.models import Evidence
from kinward.evidence.sealing import new_key
from kinward.evidence.terms import keep_until
from kinward.ground.errors import KinwardError
from kinward.ledger.models import Entry
from kinward.ledger.verification import verify_ledger
from kinward.matching.index import bank_index
from kinward.matching.models import Bank
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from tests.integration.conftest import Configure
from tests.support.compared import gaps
from tests.support.custody import agreed_destruction, end_hold
from tests.support.helpers import KNOWN, run_machine, upload

pytestmark = pytest.mark.django_db

CUSTODIAN = Actor.operator("test")
WHOSE = st.sampled_from([0, 0, 0, 1])  # mostly of one, so that much happens to it


class Keeping(RuleBasedStateMachine):
    # Given by the test, which hypothesis cannot hand to a machine.
    configure: Configure
    directory: Path
    ahead = timedelta()

    def __init__(self) -> None:
        super().__init__()
        self.before = transaction.savepoint()
        bank_index.cache_clear()
        Keeping.ahead = timedelta()
        self.keys = [new_key()]
        self.store = self.directory / str(uuid4())
        self.blocked = self.directory / f"{uuid4()}"
        self.blocked.write_text("a file where a folder should be")
        self.configure(evidence_key=self.keys[0], evidence_store=f"file://{self.store}")
        self.accounts = [
            put_account(platform_id=name, profile=Profile())[0] for name in ("one", "two")
        ]
        self.posts = 0
        # The model, whatever the table says.
        self.bytes: dict[UUID, bytes] = {}
        self.held: set[UUID] = set()
        self.after: dict[UUID, datetime] = {}  # the days after a hold end then
        self.until: dict[UUID, datetime] = {}
        self.gone: set[UUID] = set()
        self.a_file_is_sealed(0)

    def files(self, case_id: UUID) -> set[UUID]:
        found = Evidence.objects.filter(case_id=case_id).values_list("id", flat=True)
        return set(found)

    def a_case(self, whose: int) -> UUID | None:
        of = Evidence.objects.filter(
            check_made__in=self.accounts[whose].checks.values("id")
        ).order_by("case_id")
        return of.values_list("case_id", flat=True).first()

    def kept(self, now: datetime) -> set[UUID]:
        """What a hold keeps, or the days after one."""
        return self.held | {pk for pk, until in self.after.items() if until > now}

    # What can happen.

    @rule(whose=WHOSE)
    def a_file_is_sealed(self, whose: int) -> None:
        self.posts += 1
        data = KNOWN + f"{self.posts}".encode()
        account = Account.objects.get(pk=self.accounts[whose].pk)
        upload(account, data, content_id=f"post-{self.posts}")
        made = Evidence.objects.latest("sealed_at")
        self.bytes[made.id] = data

    @rule(away=st.booleans())
    def what_is_new_moves_to_the_store(self, away: bool) -> None:
        where = self.blocked / "deeper" if away else self.store
        self.configure(evidence_store=f"file://{where}")
        with suppress(KinwardError):
            while care.store_next_file():
                pass
        self.configure(evidence_store=f"file://{self.store}")

    @rule(everything=st.booleans())
    def the_key_changes(self, everything: bool) -> None:
        self.keys.insert(0, new_key())
        self.configure(evidence_key="\n".join(self.keys))
        if everything:
            care.rewrap_keys()
            assert (
                not Evidence.objects.filter(destroyed_at=None)
                .exclude(key_id=keys().current)
                .exists()
            )
            del self.keys[1:]
            self.configure(evidence_key=self.keys[0])

    @rule(whose=WHOSE, hold=st.sampled_from([True, True, False]))
    def a_hold_begins_or_ends(self, whose: int, hold: bool) -> None:
        case = self.a_case(whose)
        if case is None or self.files(case) <= self.gone:
            return
        alive = self.files(case) - self.gone
        if hold:
            holds.set_legal_hold(case_id=case, reference="ref", actor=CUSTODIAN)
            self.held |= alive
            for pk in alive:
                self.after.pop(pk, None)
        elif alive & self.held:
            end_hold(case)
            self.after |= dict.fromkeys(alive & self.held, timezone.now() + timedelta(days=7))
            self.held -= alive

    @rule(whose=WHOSE, days=st.sampled_from([1, 1, 30]))
    def a_term_is_set(self, whose: int, days: int) -> None:
        case = self.a_case(whose)
        if case is not None:
            until = timezone.now() + timedelta(days=days)
            keep_until(case_id=case, until=until, why="a test", actor=Actor.system("test"))
            self.until |= dict.fromkeys(self.files(case) - self.gone, until)

    @rule(days=st.sampled_from([1, 31]))
    def days_pass(self, days: int) -> None:
        Keeping.ahead += timedelta(days=days)
        now = timezone.now()
        vault.destroy_expired_evidence(now)
        due = {pk for pk, until in self.until.items() if until <= now} - self.kept(now)
        self.gone |= due

    @rule(whose=WHOSE)
    def a_term_comes_to_its_end(self, whose: int) -> None:
        self.a_term_is_set(whose, 1)
        self.days_pass(2)

    @rule(whose=WHOSE)
    def an_authority_asks_for_destruction(self, whose: int) -> None:
        case = self.a_case(whose)
        if case is None:
            return
        alive = self.files(case) - self.gone
        agreed = agreed_destruction(case)
        if not alive or alive & self.kept(timezone.now()):
            with pytest.raises(KinwardError):
                vault.destroy_on_request(case_id=case, agreed=agreed, actor=CUSTODIAN)
        else:
            vault.destroy_on_request(case_id=case, agreed=agreed, actor=CUSTODIAN)
            self.gone |= alive

    # What must be true.

    @invariant()
    def what_is_there_opens_and_what_is_gone_is_gone(self) -> None:
        for evidence in Evidence.objects.all():
            if evidence.id in self.gone:
                assert (evidence.wrapped_key, evidence.ciphertext) == (None, None)
                with pytest.raises(vault.EvidenceGone):
                    vault.unsealed_bytes(evidence)
            else:
                assert vault.unsealed_bytes(evidence) == self.bytes[evidence.id]

    @invariant()
    def every_destruction_is_in_the_ledger_once(self) -> None:
        said = Entry.objects.filter(kind="evidence.destroyed").values_list("subject", flat=True)
        assert sorted(map(str, said)) == sorted(f"evidence:{pk}" for pk in self.gone)

    def teardown(self) -> None:
        try:
            assert care.scrub_evidence() == 0
            for evidence in Evidence.objects.exclude(destroyed_at=None).exclude(location=""):
                storage.delete(evidence.location)
            left = {each.stem for each in self.store.glob("*.age")}
            assert not left & {str(pk) for pk in self.gone}
            assert verify_ledger().ok
            assert gaps(["evidence"]) == []
        finally:
            transaction.savepoint_rollback(self.before)


def test_no_sequence_loses_or_keeps_what_it_must_not(
    bank: Bank, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + Keeping.ahead)
    monkeypatch.setattr(Keeping, "configure", staticmethod(configure), raising=False)
    monkeypatch.setattr(Keeping, "directory", tmp_path, raising=False)
    run_machine(Keeping, sequences=9, steps=20)
