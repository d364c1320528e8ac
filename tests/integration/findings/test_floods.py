"""One hash that suddenly hits many accounts waits for a person."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any, Final, cast
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.casebook.models import Case, Finding, Verdict
from kinward.enforcement.models import Action, Effect
from kinward.findings import floods
from kinward.findings.floods import FloodUnseen, give_back_wrong, release_flood, resume_flood
from kinward.findings.retro import retro_match
from kinward.findings.upload import receive
from kinward.ground.errors import Forbidden
from kinward.ledger.models import Entry
from kinward.matching.floods import NoFlood, open_floods
from kinward.matching.hashlists import ListedHash
from kinward.matching.kinds import Sha256
from kinward.matching.models import Bank, BankedHash, Flood, HashHit
from kinward.matching.services import Upload, add_hashes, create_bank, file_hashes
from kinward.media import Busy, Digests, digest_bytes
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.redress.models import Appeal, Statement
from kinward.reporting.models import Report
from kinward.review.lease import take_case
from kinward.verdicts.appeals import decide_appeal
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.statement import _taken
from tests.integration.conftest import Configure
from tests.support.deep import DEEP
from tests.support.helpers import KNOWN, quarantined, run_jobs, upload
from tests.support.marked import marked_by_two, reinstated
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db(transaction=True)
FLOOD: Final = 500 if DEEP else 120  # accounts
ACTOR = Actor.system("test")
VALUE = b"\x5a" * 32


@pytest.fixture
def senior(db: None) -> Staff:
    return Staff.objects.create_user(username="sam", password="a word", roles=["senior reviewer"])


@pytest.fixture
def hash_(db: None) -> BankedHash:
    """One banked SHA-256, of a verified bank."""
    made = create_bank(name="list", confidence="verified", actor=ACTOR)
    hashes = [ListedHash(Sha256.name, VALUE)]
    add_hashes(bank=made, hashes=hashes, provenance="p", actor=ACTOR)
    return BankedHash.objects.get(bank=made)


@pytest.fixture
def rule_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guidelines by which an exact match with a verified bank is confirmed by a rule alone."""
    import msgspec

    from kinward.findings import opening
    from kinward.guidelines.api import guidelines_in_force
    from kinward.guidelines.rules import FindingRule
    from kinward.verdicts import conclusion, void

    rule = FindingRule(
        id="exact", confidence="verified", exact=True, verdict="CS-1", within_hours=24
    )

    def changed() -> object:
        shipped = guidelines_in_force()
        return msgspec.structs.replace(shipped, finding=(rule, *shipped.finding))

    for module in (opening, conclusion, void):
        monkeypatch.setattr(module, "guidelines_in_force", changed)


def accounts(count: int) -> list[Account]:
    return [
        put_account(platform_id=f"member-{number}", profile=Profile())[0] for number in range(count)
    ]


def send(account: Account, content_id: str = "post") -> str:
    """Send a file by its SHA-256 alone."""
    about = Upload(
        content_id=f"{content_id}-{account.platform_id}",
        uploaded_at=timezone.now(),
        digests=Digests("", "", VALUE.hex()),
    )
    return receive(actor=Actor.key("test"), account_id=account.platform_id, upload=about).outcome


def standings() -> list[str]:
    return sorted(Account.objects.values_list("standing", flat=True))


@pytest.mark.usefixtures("rule_decides")
def test_of_a_flood_over_many_accounts_at_most_25_have_a_final_consequence(
    hash_: BankedHash,
) -> None:
    """One hash, all accounts at once, through eight connections."""
    people = accounts(FLOOD)

    def one(account: Account) -> str:
        try:
            return send(account)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(one, people))
    assert set(outcomes) == {"quarantine"}, "what waits is held"
    assert Verdict.objects.count() == 25
    assert Case.objects.filter(state="confirmed").count() == 25
    assert standings().count("terminated") == 25
    assert standings().count("active") == FLOOD - 25, (
        "the others keep their accounts until a person looks"
    )
    assert Report.objects.values("case").distinct().count() == 25
    waiting = Finding.objects.filter(waits=True)
    assert waiting.filter(case__state="open").count() == FLOOD - 25
    held = Action.objects.filter(case__in=waiting.values("case"), effect="quarantine")
    assert held.count() == FLOOD - 25
    assert [cast("Any", flood).accounts for flood in open_floods()] == [FLOOD]
    assert Entry.objects.filter(kind="flood.began").count() == 1


def test_a_flood_within_the_window_counts_accounts_and_not_uploads(
    hash_: BankedHash, configure: Configure
) -> None:
    configure(flood_accounts=3)
    people = accounts(5)
    for account in people[:3]:
        for number in range(4):
            send(account, f"post-{number}")
    assert not open_floods().exists()
    HashHit.objects.update(at=timezone.now() - timedelta(minutes=11))
    send(people[3])
    assert not open_floods().exists(), "three of them were earlier than the window"
    for account in people[:3]:
        send(account, "again")
    assert [flood.pk for flood in open_floods()] == [hash_.pk]
    send(people[4])
    assert standings() == ["active", *["suspended"] * 4]


def test_a_case_with_a_finding_that_waits_is_concluded_by_no_rule(
    hash_: BankedHash, configure: Configure, rule_decides: None
) -> None:
    """Else another hash's match would carry the doubtful one along."""
    configure(flood_accounts=1)
    first, second = accounts(2)
    send(first)
    send(second)
    assert Case.objects.get(account=second).state == "open"
    other = create_bank(name="other", confidence="verified", actor=ACTOR)
    add_hashes(
        bank=other, hashes=file_hashes(digest_bytes(KNOWN), None), provenance="p", actor=ACTOR
    )
    assert upload(second).outcome == "quarantine"
    assert Case.objects.get(account=second).state == "open"
    assert not Verdict.objects.filter(case__account=second).exists()


def test_a_bad_list_entry_that_hits_what_was_uploaded_before_waits(
    configure: Configure, rule_decides: None
) -> None:
    configure(flood_accounts=5)
    people = accounts(30)
    for account in people:
        assert send(account) == "clear"
    made = create_bank(name="list", confidence="verified", actor=ACTOR)
    hashes = [ListedHash(Sha256.name, VALUE)]
    add_hashes(bank=made, hashes=hashes, provenance="p", actor=ACTOR)
    for _ in retro_match():
        pass
    assert Finding.objects.count() == 30
    assert Verdict.objects.count() == 5
    assert Finding.objects.filter(waits=True, case__state="open").count() == 25


def flooded(count: int, configure: Configure) -> list[Account]:
    configure(flood_accounts=2)
    people = accounts(count)
    for account in people:
        send(account)
    return people


def test_a_person_who_confirmed_one_case_releases_a_hash_and_the_cases_go_on(
    hash_: BankedHash, configure: Configure, senior: Staff, reviewer: Staff
) -> None:
    people = flooded(5, configure)
    assert standings() == ["active"] * 3 + ["suspended"] * 2
    with pytest.raises(Forbidden):
        release_flood(hash_id=hash_.pk, staff=reviewer)
    with pytest.raises(FloodUnseen):
        release_flood(hash_id=hash_.pk, staff=senior)
    assert open_floods().exists(), "nobody has looked"
    case = Case.objects.get(account=people[4])
    take_case(case=case, staff=reviewer)
    form = VerdictForm(outcome="confirmed", clause="CS-1")
    decide_case(case_id=case.pk, staff=reviewer, form=form)
    release_flood(hash_id=hash_.pk, staff=senior)
    with pytest.raises(NoFlood):
        release_flood(hash_id=hash_.pk, staff=senior)
    assert not open_floods().exists()
    run_jobs()
    assert standings() == ["suspended"] * 4 + ["terminated"]
    assert set(Case.objects.exclude(pk=case.pk).values_list("state", flat=True)) == {"open"}
    send(put_account(platform_id="later", profile=Profile())[0])
    assert Account.objects.get(platform_id="later").standing == "suspended"
    assert Entry.objects.get(kind="flood.released").actor == "staff:sam"


@pytest.mark.usefixtures("rule_decides")
def test_a_false_positive_gives_back_what_was_taken(
    hash_: BankedHash, configure: Configure, reviewer: Staff
) -> None:
    people = flooded(5, configure)
    assert standings() == ["active"] * 3 + ["terminated"] * 2
    marked_by_two(hash_, reviewer)
    run_jobs()
    assert standings() == ["active"] * 5
    states = sorted(Case.objects.values_list("state", flat=True))
    assert states == ["dismissed"] * 3 + ["overturned"] * 2
    for account in people:
        last = Action.objects.filter(account=account, target_kind="content").latest("number")
        assert last.effect == "restore"
    assert not open_floods().exists()
    assert not Statement.objects.filter(reversed_at=None).exists()
    assert not Report.objects.exclude(state__in=("withdrawing", "withdrawn")).exists()
    assert Entry.objects.filter(kind="case.voided").count() == 5
    dismissed = Verdict.objects.filter(outcome="dismissed")
    assert {verdict.given_by for verdict in dismissed} == {reviewer}
    reinstated(hash_, reviewer)
    run_jobs()
    assert Finding.objects.filter(void=False).count() == 5, "a hash that is right is found again"
    assert len(Flood.objects.filter(began_at__isnull=False)) == 1, "and is guarded again"


@pytest.mark.parametrize("right", [True, False])
def test_a_case_that_fails_keeps_no_other_from_its_turn_and_the_job_is_tried_again(
    hash_: BankedHash,
    configure: Configure,
    reviewer: Staff,
    monkeypatch: pytest.MonkeyPatch,
    right: bool,
) -> None:
    flooded(5, configure)
    if right:
        Flood.objects.update(settled_at=timezone.now(), settled_by="staff:sam", right=True)
        settle, step, count = partial(resume_flood, hash_.pk), "_resume_case", 3
    else:
        BankedHash.objects.update(false_positive=True)
        settle = partial(give_back_wrong, hash_.pk, str(reviewer.actor))
        step, count = "give_back_void", 5
    real, tried = getattr(floods, step), list[object]()

    def fails_first(*case_id: UUID, **what: Any) -> bool:
        tried.append(what)
        if len(tried) == 1:
            raise Busy
        return cast("bool", real(*case_id, **what))

    with monkeypatch.context() as patch:
        patch.setattr(floods, step, fails_first)
        with pytest.raises(Busy):
            settle()
    assert len(tried) == count, "the others had their turn"
    assert settle() == 1, "and the first has it now"
    assert settle() == 0


@pytest.mark.parametrize(
    ("before", "marked", "after"),
    [
        ("never flooded", (False, None), (False, None)),
        ("floods", (True, False), (False, None)),  # the guard is armed again
        ("released", (True, True), (True, True)),  # a person looked, and it is right
    ],
)
def test_a_mark_settles_a_flood_and_taking_it_back_arms_the_guard(
    hash_: BankedHash,
    configure: Configure,
    reviewer: Staff,
    before: str,
    marked: tuple[bool, bool | None],
    after: tuple[bool, bool | None],
) -> None:
    flooded(1 if before == "never flooded" else 3, configure)
    if before == "released":
        Flood.objects.update(settled_at=timezone.now(), settled_by="staff:sam", right=True)

    def guard() -> tuple[bool, bool | None]:
        flood = Flood.objects.get()
        return flood.began_at is not None, flood.right

    marked_by_two(hash_, reviewer)
    assert guard() == marked
    reinstated(hash_, reviewer)
    assert guard() == after
    later = put_account(platform_id="later", profile=Profile())[0]
    send(later)
    assert not Finding.objects.get(case__account=later).waits or before == "floods"


def test_what_a_person_confirmed_or_escalated_is_not_undone_by_a_mark(
    hash_: BankedHash, configure: Configure, reviewer: Staff
) -> None:
    people = flooded(4, configure)
    confirmed, escalated = (Case.objects.get(account=account) for account in people[:2])
    for case, form in (
        (confirmed, VerdictForm(outcome="confirmed", clause="SF-1")),
        (escalated, VerdictForm(outcome="escalated")),
    ):
        take_case(case=case, staff=reviewer)
        decide_case(case_id=case.pk, staff=reviewer, form=form)
    marked_by_two(hash_, reviewer)
    run_jobs()
    states = {case.account_id: case.state for case in Case.objects.all()}
    assert states[people[0].pk] == "enforced"
    assert states[people[1].pk] == "escalated"
    assert [states[account.pk] for account in people[2:]] == ["dismissed"] * 2


def test_an_operator_gives_all_back_and_leaves_the_verdict_to_a_reviewer(
    hash_: BankedHash, configure: Configure, operator: Staff
) -> None:
    flooded(4, configure)
    marked_by_two(hash_, operator)
    run_jobs()
    assert standings() == ["active"] * 4
    assert set(Case.objects.values_list("state", flat=True)) == {"open"}
    assert not Verdict.objects.exists()


def test_of_a_case_with_another_reason_only_the_void_part_is_given_back(
    account: Account, bank: Bank, hash_: BankedHash, reviewer: Staff
) -> None:
    case = quarantined(account)
    send(account, "wrong")
    Flood.objects.update_or_create(hash=hash_, defaults={"began_at": timezone.now()})
    marked_by_two(hash_, reviewer)
    run_jobs()
    case.refresh_from_db()
    account.refresh_from_db()
    assert (case.state, account.standing) == ("open", "suspended")
    effects = dict(
        Action.objects.filter(target_kind="content")
        .order_by("number")
        .values_list("target", "effect")
    )
    assert effects == {"post-1": "quarantine", "wrong-member-1": "restore"}


def test_what_was_given_back_is_taken_again_once_the_hash_is_right_after_all(
    account: Account, bank: Bank, hash_: BankedHash, reviewer: Staff
) -> None:
    case = quarantined(account)
    send(account, "doubtful")
    about = Action.objects.filter(target="doubtful-member-1").order_by("number")

    def stated() -> list[str]:
        return [each["content_id"] for each in _taken(case, account, (Effect.QUARANTINE,))[:-1]]

    effects = ["quarantine"]
    for _ in range(2):
        assert list(about.values_list("effect", flat=True)) == effects
        assert stated() == ["post-1", "doubtful-member-1"]
        Flood.objects.update_or_create(hash=hash_, defaults={"began_at": timezone.now()})
        marked_by_two(hash_, reviewer)
        run_jobs()
        effects.append("restore")
        assert list(about.values_list("effect", flat=True)) == effects
        assert stated() == ["post-1"], "nobody is told that it is hidden"
        reinstated(hash_, reviewer)
        run_jobs()
        effects.append("quarantine")
    assert list(about.values_list("effect", flat=True)) == effects
    assert Case.objects.get().state == "open"


@pytest.mark.usefixtures("rule_decides")
def test_an_appeal_that_waits_is_answered_by_the_mark(
    hash_: BankedHash, account: Account, reviewer: Staff, operator: Staff
) -> None:
    send(account)
    run_jobs()
    statement = Statement.objects.get(stage="verdict")
    Statement.objects.update(told_at=timezone.now())
    appeal = Appeal.objects.create(statement=statement, text="No.", due_at=timezone.now())
    marked_by_two(hash_, operator)
    run_jobs()
    assert Case.objects.get().state != "overturned", "an operator answers no appeal"
    reinstated(hash_, reviewer)
    marked_by_two(hash_, reviewer)
    run_jobs()
    appeal.refresh_from_db()
    assert (appeal.state, appeal.decided_by) == ("overturned", reviewer)
    assert Case.objects.get().state == "overturned"


@pytest.mark.usefixtures("rule_decides")
def test_a_mark_leaves_alone_what_an_appeal_has_settled(
    hash_: BankedHash, reviewer: Staff, second_reviewer: Staff
) -> None:
    """One was overturned already, and another upheld by a person: neither is touched again."""
    won, lost = accounts(2)
    for account, overturn in ((won, True), (lost, False)):
        send(account)
        case = Case.objects.get(account=account)
        Statement.objects.filter(case_id=case.pk).update(told_at=timezone.now())
        appeal = Appeal.objects.create(
            statement=Statement.objects.get(case_id=case.pk, stage="verdict"),
            text="No.",
            due_at=timezone.now(),
        )
        take_case(case=case, staff=second_reviewer)
        decide_appeal(appeal_id=appeal.pk, overturn=overturn, note="Seen.", staff=second_reviewer)
    before = set(Case.objects.values_list("account__platform_id", "state"))
    marked_by_two(hash_, reviewer)
    assert give_back_wrong(hash_.pk, str(reviewer.actor)) == 0
    assert set(Case.objects.values_list("account__platform_id", "state")) == before
    assert Account.objects.get(pk=lost.pk).standing == "terminated"


def test_counting_costs_the_same_for_the_fifth_account_and_the_fiftieth(
    hash_: BankedHash, configure: Configure
) -> None:
    configure(flood_accounts=1000)
    costs = []
    for account in accounts(50):
        with CaptureQueriesContext(connection) as caught:
            send(account)
        costs.append(len(caught))
    assert costs[5] == costs[49]
    counting = [query["sql"] for query in caught if "matching_hashhit" in query["sql"]]
    assert len(counting) == 2, "one row is written, and one count is limited"
    assert "LIMIT 1001" in counting[1]
