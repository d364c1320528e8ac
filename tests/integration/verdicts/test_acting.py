"""What the guidelines make of a finding and of a verdict, and that all of it can be given back."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.agreement import AlreadyDecided
from kinward.access.models import Staff
from kinward.casebook.models import Case, Verdict
from kinward.enforcement.models import Action, Removal, Sanction, SanctionKind
from kinward.enforcement.queries import is_removed
from kinward.enforcement.registration import blocked_kinds
from kinward.enforcement.removals import copies_left, remove_copy, remove_everywhere
from kinward.enforcement.sanctions import current_standing, end_due, impose_sanction, lift_sanction
from kinward.enforcement.strikes import strikes_of
from kinward.evidence.models import Evidence
from kinward.evidence.warrants import standing_warrant
from kinward.exchanges.models import Exchange, Opinion
from kinward.experience.live import live
from kinward.ground.errors import Forbidden
from kinward.guidelines.models import Edition
from kinward.guidelines.queries import guidelines_in_force
from kinward.guidelines.reading import GuidelinesInvalid, read_guidelines, shipped
from kinward.guidelines.services import (
    GuidelinesOutdated,
    VersionTaken,
    decide_edition,
    propose_edition,
)
from kinward.ledger.models import Entry
from kinward.ledger.verification import verify_ledger
from kinward.matching.models import Bank, BankedHash, Check
from kinward.people.locks import lock_account
from kinward.people.models import Account
from kinward.people.services import (
    IdentifierIn,
    Profile,
    digests_of,
    put_account,
    related_accounts,
)
from kinward.policy.ages import AgeRange
from kinward.policy.request import About, Request
from kinward.reporting.models import Report
from kinward.review.grounds import grounds_of_case
from kinward.review.lease import take_case
from kinward.verdicts.bank import unbank
from kinward.verdicts.consequences import _hashes, contents_of_case, undo_consequences
from kinward.verdicts.form import VerdictForm
from kinward.verdicts.simulation import simulate_cases
from tests.integration.conftest import Configure
from tests.support.editions import shipped_guidelines, with_version
from tests.support.factories import make_case
from tests.support.helpers import (
    KNOWN,
    KNOWN_PNG,
    UNKNOWN,
    confirmed,
    due_jobs,
    quarantined,
    run_jobs,
    upload,
)
from tests.support.verdicts import decide_case

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor.system("test")


@pytest.fixture
def adult(db: None) -> Account:
    profile = Profile(age=AgeRange(34, 35), jurisdiction="US-CA")
    return put_account(platform_id="heron", profile=profile)[0]


@pytest.fixture
def leads(db: None) -> tuple[Staff, Staff]:
    return (
        Staff.objects.create_user(username="lee", password="x" * 12, roles=["policy lead"]),
        Staff.objects.create_user(username="max", password="x" * 12, roles=["policy lead"]),
    )


def told(account: Account) -> list[tuple[str, object]]:
    """What the platform is told of an account: each effect, and how the account then stands."""
    made = Action.objects.filter(account=account, target_kind="account").order_by("number")
    return [(each.effect, each.standing["standing"]) for each in made if each.standing]


def may(account: Account, capability: str, target: Account | None = None) -> str:
    about = None if target is None else About(id=target.platform_id)
    request = Request(
        capability=capability,
        actor=About(id=account.platform_id),
        target=about,
        relationship="mutual",
    )
    return live().decide([request])[0].effect


def test_bullying_is_no_matter_for_an_authority(adult: Account, reviewer: Staff) -> None:
    case = confirmed(adult, reviewer, "SF-2", "post-1")
    assert case.state == "enforced"
    assert not Report.objects.exists()
    assert told(adult) == []
    done = Action.objects.exclude(effect="notify").values_list("effect", "target")
    assert list(done) == [("remove", "post-1")]
    verdict = Verdict.objects.get()
    assert verdict.guidelines == shipped_guidelines()
    assert verdict.consequence is not None
    assert verdict.consequence["account"] == "warn"
    assert strikes_of(adult) == 1
    assert verify_ledger().ok


def test_strikes_climb_the_ladder_and_decay(adult: Account, reviewer: Staff) -> None:
    confirmed(adult, reviewer, "SF-2")
    confirmed(adult, reviewer, "SF-2")
    assert told(adult) == [("restrict", "active")]
    confirmed(adult, reviewer, "SF-2")
    assert told(adult)[-1] == ("suspend", "suspended")
    until = current_standing(lock_in(adult)).until
    assert until is not None
    assert timedelta(days=29) < until - timezone.now() < timedelta(days=31)
    confirmed(adult, reviewer, "SF-1")
    adult.refresh_from_db()
    assert adult.standing == "suspended", "nobody saw anything, so no strike ends the account"
    confirmed(adult, reviewer, "SF-2", chat=True)
    adult.refresh_from_db()
    assert adult.standing == "terminated"
    adult.strikes.update(expires_at=timezone.now())
    assert strikes_of(adult) == 0


def lock_in(account: Account) -> Account:
    with transaction.atomic():
        return lock_account(account.pk)


def test_what_is_restricted_is_denied_and_comes_back_by_itself(
    adult: Account, account: Account, reviewer: Staff
) -> None:
    peer = put_account(platform_id="crane", profile=Profile(age=AgeRange(30, 31)))[0]
    before = may(adult, "live.host")
    assert may(adult, "comment.send", peer) == "allow"
    confirmed(adult, reviewer, "CS-4")  # two strikes
    assert may(adult, "live.host") == "deny"
    assert may(adult, "comment.send", peer) == "deny"
    assert may(adult, "feed.autoplay") == "allow", "only what is restricted"
    said = live().decide([Request(capability="live.host", actor=About(id="heron"), language="de")])[
        0
    ]
    assert said.reasons[0].code == "account.restricted"
    assert "Regel gebrochen" in said.sentence("de")
    past = timezone.now() - timedelta(seconds=1)
    Sanction.objects.update(until=past)
    assert end_due() == 1
    assert end_due() == 0
    assert may(adult, "live.host") == before
    assert told(adult) == [("restrict", "active"), ("restore", "active")]


def test_who_is_suspended_may_do_nothing_and_is_reached_by_nobody(
    adult: Account, bank: Bank
) -> None:
    peer = put_account(platform_id="crane", profile=Profile(age=AgeRange(30, 31)))[0]
    assert may(peer, "dm.send", adult) == "allow"
    quarantined(adult)
    assert may(adult, "dm.send", peer) == "deny"
    assert may(peer, "dm.send", adult) == "deny"


def test_sanctions_of_two_cases_add_up_and_each_gives_back_its_own(
    adult: Account, reviewer: Staff
) -> None:
    first = confirmed(adult, reviewer, "CS-4")
    second = confirmed(adult, reviewer, "SF-2")  # the third strike: suspended for 30 days
    adult.refresh_from_db()
    assert adult.standing == "suspended"
    with transaction.atomic():
        undo_consequences(second, lock_account(adult.pk), why="a test", actor=ACTOR)
    adult.refresh_from_db()
    assert (adult.standing, strikes_of(adult)) == ("active", 2)
    assert set(current_standing(adult).withheld) == {"dm.send", "comment.send", "live.host"}
    assert may(adult, "live.host") == "deny"
    with transaction.atomic():
        undo_consequences(first, lock_account(adult.pk), why="a test", actor=ACTOR)
    assert current_standing(adult).withheld == {}
    assert told(adult) == [
        ("restrict", "active"),
        ("suspend", "suspended"),
        ("restore", "active"),
        ("restore", "active"),
    ]


def test_a_suspension_that_runs_out_under_another_is_not_felt(adult: Account) -> None:
    now = timezone.now()
    with transaction.atomic():
        locked = lock_account(adult.pk)
        short, long = make_case(adult).id, make_case(adult).id
        for case_id, days in ((short, 1), (long, 9)):
            impose_sanction(
                account=locked,
                case_id=case_id,
                kind=SanctionKind.SUSPEND,
                until=now + timedelta(days=days),
                actor=ACTOR,
            )
    assert told(adult) == [("suspend", "suspended")] * 2, "the second time for longer"
    Sanction.objects.filter(case_id=short).update(until=now)
    end_due()
    assert len(told(adult)) == 2
    with transaction.atomic():
        lift_sanction(account=lock_account(adult.pk), case_id=long, why="x", actor=ACTOR)
    assert told(adult)[-1] == ("restore", "active")


def test_a_case_suspends_also_who_is_suspended(
    account: Account, bank: Bank, reviewer: Staff
) -> None:
    """Else a known picture would be let go with the other case's suspension."""
    for _ in range(3):
        confirmed(account, reviewer, "SF-2")
    account.refresh_from_db()
    assert account.standing == "suspended"
    case = quarantined(account)
    quarantined(account, content_id="post-2")
    assert Sanction.objects.filter(case_id=case.id).count() == 1
    Sanction.objects.exclude(case_id=case.id).update(until=timezone.now())
    end_due()
    account.refresh_from_db()
    assert account.standing == "suspended"
    take_case(case=case, staff=reviewer)
    decide_case(case_id=case.id, staff=reviewer, form=VerdictForm(outcome="dismissed"))
    account.refresh_from_db()
    assert account.standing == "active"


def test_a_report_says_that_the_account_was_ended_only_if_it_was(
    account: Account, bank: Bank, reviewer: Staff, leads: tuple[Staff, Staff]
) -> None:
    milder = with_version(shipped(), "other")
    milder = milder.replace(
        'account = "terminate"\nreport = "imagery"\nblock_registration = true',
        'account = "suspend"\ndays = 9\nreport = "imagery"',
    )
    in_force_now(milder, leads)
    confirmed(account, reviewer, "CS-1")
    told = Report.objects.get().draft["account"]
    assert told["terminated_at"] is None
    assert told["suspended_at"]


def test_partners_hear_of_a_confirmation_only_if_it_is_one(
    account: Account, bank: Bank, reviewer: Staff
) -> None:
    hash_id = BankedHash.objects.get(kind="pdq").pk
    exchange = Exchange.objects.create(
        name="partner", api="ncmec", bank=bank, opinions=True, config={}
    )
    assert exchange.opinions
    for clause, kinds in (("SF-1", {"seen"}), ("CS-1", {"seen", "confirmed"})):
        case = quarantined(account, content_id=f"post-{clause}")
        take_case(case=case, staff=reviewer)
        form = VerdictForm(outcome="confirmed", clause=clause)
        decide_case(case_id=case.id, staff=reviewer, form=form)
        given = Opinion.objects.filter(banked=hash_id)
        assert set(given.values_list("kind", flat=True)) == kinds


def test_a_verdict_is_not_about_what_people_called_wrong(
    account: Account, bank: Bank, reviewer: Staff
) -> None:
    wrong = BankedHash.objects.get(kind="pdq").pk
    case = quarantined(account, content_id="post-1")
    (void,) = case.findings.all()
    assert contents_of_case(case) == ["post-1"]
    void.void = True
    void.save(update_fields=["void"])
    assert contents_of_case(case) == ["post-1"], "where all is void, a person may still decide"
    void.pk, void.void, void.content_id, void.user_report = uuid4(), False, "post-2", None
    void.grounds = [ground | {"hash": wrong + 1} for ground in void.grounds]
    void.save(force_insert=True)
    assert contents_of_case(case) == ["post-2"]
    assert _hashes(case) == [wrong + 1], "no partner hears that a wrong hash is right"


def test_an_end_has_no_end(adult: Account) -> None:
    with pytest.raises(IntegrityError, match="end_is_the_end"), transaction.atomic():
        Sanction.objects.create(
            account=adult, case=make_case(adult), kind="terminate", until=timezone.now()
        )


def test_removed_everywhere_is_every_copy_and_each_has_a_case(
    account: Account, adult: Account, reviewer: Staff
) -> None:
    assert upload(account, UNKNOWN, content_id="mine").outcome == "clear"
    assert upload(adult, UNKNOWN, content_id="copy").outcome == "clear"
    case = confirmed(account, reviewer, "CS-1", "mine")
    run_jobs()
    removed = Action.objects.filter(effect="remove").values_list("target", "case_id")
    assert set(removed) == {("mine", case.id), ("copy", case.id)}
    other = Case.objects.get(account=adult)
    assert other.state == "open"
    take_case(case=other, staff=reviewer)
    decide_case(case_id=other.id, staff=reviewer, form=VerdictForm(outcome="dismissed"))
    told = Action.objects.exclude(state="superseded")
    restored = told.filter(effect="restore", target="copy")
    assert not restored.exists(), "the verdict on the same bytes stands"
    with transaction.atomic():
        undo_consequences(case, lock_account(account.pk), why="a test", actor=ACTOR)
    assert restored.exists()


def test_a_copy_is_removed_once_however_many_verdicts_hold_it(
    account: Account, adult: Account, reviewer: Staff
) -> None:
    third = put_account(platform_id="whelk", profile=Profile())[0]
    for holder in (account, adult, third):
        upload(holder, UNKNOWN, content_id=f"of-{holder.platform_id}")
    case = confirmed(account, reviewer, "CS-1", f"of-{account.platform_id}")
    run_jobs()
    other = Case.objects.get(account=adult)
    take_case(case=other, staff=reviewer)
    decide_case(
        case_id=other.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="CS-1")
    )
    run_jobs()
    about = Action.objects.filter(target="of-whelk", effect="remove")
    assert [each.case_id for each in about] == [case.id], "the platform hears of it once"
    assert Removal.objects.filter(ended_at=None).count() == 2

    # It is given back when the last of those who hold it lets go.
    take_case(case=(own := Case.objects.get(account=third)), staff=reviewer)
    decide_case(case_id=own.id, staff=reviewer, form=VerdictForm(outcome="dismissed"))
    told = Action.objects.filter(target="of-whelk", effect="restore").exclude(state="superseded")
    for each, holder in ((case, account), (other, adult)):
        assert not told.exists()
        with transaction.atomic():
            undo_consequences(each, lock_account(holder.pk), why="a test", actor=ACTOR)
    assert told.count() == 1


def test_a_copy_is_not_removed_for_a_case_that_has_let_go(
    account: Account, adult: Account, reviewer: Staff
) -> None:
    upload(account, UNKNOWN, content_id="mine")
    upload(adult, UNKNOWN, content_id="copy")
    case = confirmed(account, reviewer, "CS-1", "mine")
    (mine, copy) = Check.objects.order_by("uploaded_at")
    remove_everywhere(
        case.id, copy.sha256, standing_warrant(case.verdicts.get(outcome="confirmed"))
    )
    assert copies_left(copy.sha256) == [copy], "mine went with the verdict"
    with transaction.atomic():
        undo_consequences(case, lock_account(account.pk), why="a test", actor=ACTOR)
    remove_copy(case_id=case.id, copy=copy, actor=ACTOR)
    assert not Action.objects.filter(target="copy").exists()
    assert is_removed(account, mine.content_id) is False


def test_a_hash_stays_banked_while_a_verdict_stands_behind_it(
    account: Account, adult: Account, reviewer: Staff
) -> None:
    cases = []
    for holder in (account, adult):
        upload(holder, UNKNOWN, content_id=f"of-{holder.platform_id}")
        cases.append(confirmed(holder, reviewer, "CS-1", f"of-{holder.platform_id}"))
    run_jobs()
    live = BankedHash.objects.filter(removed=False)
    count = live.count()
    assert count > 0
    assert unbank(cases[0].id, ACTOR) == 0, "the other verdict is about the same bytes"
    assert live.count() == count
    assert unbank(cases[1].id, ACTOR) == count
    assert not live.exists()
    assert unbank(cases[1].id, ACTOR) == 0, "again, nothing"


@pytest.mark.parametrize("first", ["the verdict is undone", "the other case is dismissed"])
def test_content_that_two_cases_hold_is_shown_when_both_have_let_go(
    account: Account, adult: Account, reviewer: Staff, first: str
) -> None:
    upload(account, UNKNOWN, content_id="mine")
    upload(adult, UNKNOWN, content_id="copy")
    case = confirmed(account, reviewer, "CS-1", "mine")
    run_jobs()
    other = Case.objects.get(account=adult)

    def undo_it() -> None:
        with transaction.atomic():
            undo_consequences(case, lock_account(account.pk), why="a test", actor=ACTOR)

    def dismiss_it() -> None:
        take_case(case=other, staff=reviewer)
        decide_case(case_id=other.id, staff=reviewer, form=VerdictForm(outcome="dismissed"))

    steps = [undo_it, dismiss_it]
    if first == "the other case is dismissed":
        steps.reverse()
    told = Action.objects.filter(effect="restore", target="copy").exclude(state="superseded")
    steps[0]()
    assert not told.exists(), "the other one still holds it"
    steps[1]()
    assert told.count() == 1


def test_who_lost_the_account_is_kept_from_a_new_one(
    adult: Account, reviewer: Staff, configure: Configure
) -> None:
    configure(identifier_key="a key of a test")
    mail = IdentifierIn(kind="email", value=" Heron@Example.org ")
    device = IdentifierIn(kind="device", value="d-1")
    put_account(platform_id="heron", profile=Profile(identifiers=[mail, device]))
    put_account(platform_id="wren", profile=Profile(identifiers=[device]))
    assert [(str(each), kinds) for each, kinds in related_accounts(adult)] == [("wren", ["device"])]
    case = confirmed(adult, reviewer, "CS-2")
    same = IdentifierIn(kind="email", value="heron@example.ORG")
    assert blocked_kinds(digests_of([same])) == ["email"]
    assert blocked_kinds(digests_of([IdentifierIn(kind="phone", value="d-1")])) == []
    stored = b"".join(bytes(each.digest) for each in adult.identifiers.all())
    assert b"eron" not in stored
    with transaction.atomic():
        undo_consequences(case, lock_account(adult.pk), why="a test", actor=ACTOR)
    assert blocked_kinds(digests_of([same])) == []


BY_RULE = """[[finding]]
id = "exact-verified-match"
confidence = "verified"
exact = true
content = "quarantine"
account = "suspend"
verdict = "CS-1"
within_hours = 24

"""


def by_rule(leads: tuple[Staff, Staff]) -> Edition:
    """Guidelines by which a rule alone confirms an exact match with a verified bank."""
    text = with_version(shipped(), "other")
    first = '[[finding]]\nid = "verified-match"'
    return in_force_now(text.replace(first, f"{BY_RULE}{first}"), leads)


def test_a_rule_confirms_only_where_the_operator_chose_it(
    bank: Bank, account: Account, leads: tuple[Staff, Staff], reviewer: Staff
) -> None:
    assert quarantined(account).state == "open", "not by default"
    by_rule(leads)
    case = quarantined(account, content_id="post-2")
    case.refresh_from_db()
    assert case.state == "open", "a picture that is re-encoded is not exact"
    exact = upload(account, KNOWN_PNG, content_id="post-3")
    case = Case.objects.get(pk=str(exact.case_id))
    assert case.state == "confirmed"
    verdict = case.verdicts.get()
    assert (verdict.given_by, verdict.rule, str(verdict.actor)) == (
        None,
        "exact-verified-match",
        "rule:exact-verified-match",
    )
    account.refresh_from_db()
    assert account.standing == "terminated"
    report = Report.objects.get()
    assert not any(each["viewed"] for each in report.draft["files"]), "nobody has seen it"
    assert "findings.bank_confirmed" not in due_jobs()
    assert not Bank.objects.filter(name="confirmed-here").exists()


@pytest.mark.parametrize("content_id", ["post-1", "post-2"])
def test_no_rule_overrules_what_a_person_gave_back(
    content_id: str, bank: Bank, account: Account, leads: tuple[Staff, Staff], reviewer: Staff
) -> None:
    first = Case.objects.get(pk=str(upload(account, KNOWN_PNG).case_id))
    take_case(case=first, staff=reviewer)
    decide_case(case_id=first.id, staff=reviewer, form=VerdictForm(outcome="dismissed"))
    by_rule(leads)
    again = Case.objects.get(pk=str(upload(account, KNOWN_PNG, content_id=content_id).case_id))
    account.refresh_from_db()
    assert (again.state, account.standing) == ("open", "active")
    assert Action.objects.filter(case_id=again.id, effect="quarantine").exists()
    assert f"gave {content_id}, or a copy, back before" in grounds_of_case(again)[-1].text
    upload(account, KNOWN, content_id="post-3")
    account.refresh_from_db()
    assert account.standing == "suspended", "this one nobody has looked at"


def in_force_now(text: str, leads: tuple[Staff, Staff]) -> Edition:
    made = propose_edition(text=text, why="A test.", staff=leads[0])
    return decide_edition(edition_id=made.id, approve=True, staff=leads[1])


def test_two_people_put_an_edition_in_force(leads: tuple[Staff, Staff], reviewer: Staff) -> None:
    text = with_version(shipped(), "other")
    with pytest.raises(Forbidden):
        propose_edition(text=text, why="x", staff=reviewer)
    with pytest.raises(GuidelinesInvalid):
        propose_edition(text=text.replace("CS-1", "CS1"), why="x", staff=leads[0])
    with pytest.raises(VersionTaken):
        propose_edition(text=shipped(), why="x", staff=leads[0])
    made = propose_edition(text=text, why="Clearer.", staff=leads[0])
    assert guidelines_in_force().label == shipped_guidelines()
    with pytest.raises(Forbidden):
        decide_edition(edition_id=made.id, approve=True, staff=leads[0])
    with pytest.raises(IntegrityError, match="two_people"), transaction.atomic():
        Edition.objects.update(state="approved", decided_by=leads[0])
    decide_edition(edition_id=made.id, approve=True, staff=leads[1])
    assert guidelines_in_force().version == "other"
    with pytest.raises(AlreadyDecided):
        decide_edition(edition_id=made.id, approve=False, staff=leads[1])
    kinds = Entry.objects.filter(subject="guidelines:community-guidelines other")
    assert list(kinds.values_list("kind", flat=True)) == [
        "guidelines.proposed",
        "guidelines.approved",
    ]


def test_an_edition_that_was_written_against_another_is_not_approved(
    leads: tuple[Staff, Staff],
) -> None:
    first, second = (with_version(shipped(), version) for version in ("first", "second"))
    late = propose_edition(
        text=second, why="Written before the other was in force.", staff=leads[0]
    )
    in_force_now(first, leads)
    with pytest.raises(GuidelinesOutdated):
        decide_edition(edition_id=late.id, approve=True, staff=leads[1])
    assert guidelines_in_force().version == "first"
    assert decide_edition(edition_id=late.id, approve=False, staff=leads[1]).state == "refused"


def test_past_cases_say_what_an_edition_would_have_done(
    adult: Account, account: Account, bank: Bank, reviewer: Staff, leads: tuple[Staff, Staff]
) -> None:
    for _ in range(3):
        confirmed(adult, reviewer, "SF-2")
    take_case(case=quarantined(account), staff=reviewer)
    text = with_version(shipped(), "other")
    milder = text.replace('account = "suspend"\npriority', 'account = "keep"\npriority', 1)
    milder = milder.replace("days = 30\n\n[[strikes", "days = 14\n\n[[strikes", 1)
    before, after = read_guidelines(shipped()), read_guidelines(milder)
    found = simulate_cases(before, after, lambda counted: None)
    assert (found.cases, found.changed) == (4, 2)
    assert found.counts == {
        "account: suspend 30 days → suspend 14 days": 1,
        "account at once: suspend → nothing": 1,
    }
    assert simulate_cases(before, before, lambda counted: None).changed == 0
    made = propose_edition(text=milder, why="Milder.", staff=leads[0])
    run_jobs()
    made.refresh_from_db()
    assert (made.counted, made.total) == (4, 4)
    assert made.simulation is not None
    assert made.simulation["changed"] == 2


def test_what_is_not_reported_is_kept_while_an_appeal_may_come(
    account: Account, bank: Bank, reviewer: Staff
) -> None:
    case = quarantined(account)
    take_case(case=case, staff=reviewer)
    decide_case(
        case_id=case.id, staff=reviewer, form=VerdictForm(outcome="confirmed", clause="SF-1")
    )
    account.refresh_from_db()
    assert account.standing == "active", "a second strike restricts, and no longer suspends"
    expires = Evidence.objects.get().expires_at
    assert expires is not None
    assert timedelta(days=190) < expires - timezone.now() < timedelta(days=200)
