"""Staff pause a pairing in a case, and two of them end it or hand a teen to another guardian."""

from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from django.test import Client
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.casebook.models import Case, UserReport
from kinward.cli.main import cli
from kinward.evidence.models import Evidence
from kinward.evidence.sealing import new_key
from kinward.experience.settings import decide_afresh
from kinward.families.errors import NotPaired, PairingNeedsPerson
from kinward.families.models import GuardianProof, Pairing
from kinward.families.pairing.power import has_power, shows_power
from kinward.families.pairing.proof import method_of
from kinward.families.settings import choices
from kinward.ground.errors import Forbidden, Invalid, KinwardError, NotFound
from kinward.ledger.models import Entry
from kinward.ledger.words import says
from kinward.people.models import Account
from kinward.people.services import AccountUnknown
from kinward.review.lease import LeaseNeeded, take_case
from kinward.verdicts.decision import settle_case_dispute
from kinward.verdicts.disputes import disputed_pairings, leaves_undecided
from kinward.verdicts.orders import (
    OrderForm,
    OrderWaits,
    decide_pairing_order,
    pause_by_command,
    pause_pairing,
    request_pairing_order,
)
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.integration.web.test_console import signed_in
from tests.support.families import make_account, pair, told_of

pytestmark = pytest.mark.django_db

WHY: Final = "The youth office moved the child on Monday."


@pytest.fixture
def kid(db: None) -> Account:
    return make_account("kid", 14, place="BR")


@pytest.fixture
def fost(db: None) -> Account:
    return make_account("fost", 44)


@pytest.fixture
def pairing(kid: Account, fost: Account) -> Pairing:
    return pair(fost, kid)


@pytest.fixture
def case(pairing: Pairing) -> Case:
    """A case about the guardian, which the first of two reviewers has taken."""
    made: Case = Case.objects.create(account=pairing.guardian, state="open", due_at=timezone.now())
    return made


@pytest.fixture
def two(case: Case) -> tuple[Staff, Staff]:
    robin, sam = (
        Staff.objects.create_user(username=name, password="a long test word", roles=["reviewer"])
        for name in ("robin", "sam")
    )
    take_case(case=case, staff=robin)
    return robin, sam


def asked(case: Case, pairing: Pairing, staff: Any, **more: Any) -> Any:
    form = OrderForm(case.id, pairing.pk, WHY, **more)
    return request_pairing_order(form=form, staff=staff)


def sets(guardian: Account, value: Any) -> None:
    choices.choose_setting(
        guardian=guardian, teen_id="kid", capability="session.hours", value=value
    )


@pytest.mark.django_db(transaction=True)
def test_a_foster_carer_is_powerless_within_the_report_call(
    kid: Account, fost: Account, pairing: Pairing
) -> None:
    """F16: a social worker and the child report. Both were acknowledged, and moved nothing."""
    call = Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))
    make_account("social-worker", 40)
    for reporter in ("social-worker", "kid"):
        about = {"account_id": "fost", "category": "home", "reporter_id": reporter}
        assert call("POST", "/v1/reports", json=about).status_code == 201
    pairing.refresh_from_db()
    assert not has_power(pairing)
    assert shows_power(pairing), "and the carer notices nothing"
    before = decide_afresh(kid, "session.hours").value
    sets(fost, "16:00-18:00")
    assert decide_afresh(kid, "session.hours").value == before
    robin, sam = (
        Staff.objects.create_user(username=name, password="a long test word", roles=["reviewer"])
        for name in ("robin", "sam")
    )
    (case,) = Case.objects.filter(account=fost)
    take_case(case=case, staff=robin)
    order = asked(case, pairing, robin)
    decide_pairing_order(order_id=order.pk, approve=True, staff=sam)
    pairing.refresh_from_db()
    assert pairing.ended_at is not None
    assert disputed_pairings(case.id) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("category", ["home", "contact", "abuse", "threats"])
def test_what_a_teen_reports_of_their_own_guardian_pauses_quietly(
    kid: Account, fost: Account, pairing: Pairing, category: str
) -> None:
    call = Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))
    about = {"account_id": "fost", "category": category, "reporter_id": "kid"}
    assert call("POST", "/v1/reports", json=about).status_code == 201
    pairing.refresh_from_db()
    assert pairing.quiet
    assert pairing.disputed_at is not None
    assert UserReport.objects.get().pairing == pairing
    assert told_of(fost) == ["paired"]


@pytest.mark.django_db(transaction=True)
def test_what_says_nothing_of_the_guardian_pauses_nothing(
    kid: Account, fost: Account, pairing: Pairing
) -> None:
    call = Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))
    for category in ("bullying", "other"):
        about = {"account_id": "fost", "category": category, "reporter_id": "kid"}
        assert call("POST", "/v1/reports", json=about).status_code == 201
    about = {"account_id": "kid", "category": "contact", "reporter_id": "fost"}
    assert call("POST", "/v1/reports", json=about).status_code == 201, "the other way round"
    pairing.refresh_from_db()
    assert pairing.disputed_at is None


# ---- a pause takes one person and a reason


@pytest.mark.parametrize("quiet", [True, False])
def test_one_person_pauses_and_the_case_decides(
    case: Case,
    pairing: Pairing,
    kid: Account,
    fost: Account,
    two: tuple[Staff, Staff],
    quiet: bool,
) -> None:
    robin, sam = two
    sets(fost, "10:00-22:00")
    about: dict[str, Any] = {"case_id": case.id, "pairing_id": pairing.pk, "quiet": quiet}
    with pytest.raises(LeaseNeeded):
        pause_pairing(**about, why=WHY, staff=sam)
    for why in ("", " ", "x" * 501):
        with pytest.raises(Invalid):
            pause_pairing(**about, why=why, staff=robin)
    for _ in range(2):
        pause_pairing(**about, why=WHY, staff=robin)
    pairing.refresh_from_db()
    assert not has_power(pairing)
    assert pairing.quiet == quiet
    assert shows_power(pairing) == quiet
    paused = [] if quiet else ["paused"]
    assert told_of(fost)[: len(paused) + 1] == [*paused, "paired"]
    assert ("paused" in told_of(kid)) != quiet
    assert disputed_pairings(case.id) == [pairing]
    assert leaves_undecided(case, "dismissed")
    assert not leaves_undecided(case, "confirmed")
    ordered = Entry.objects.get(kind="pairing.ordered", subject=str(case))
    assert says(ordered.data["why"], WHY)
    assert WHY not in str(ordered.data), "it can be erased"
    settle_case_dispute(case=case, pairing_id=pairing.pk, ends=False, staff=robin)
    pairing.refresh_from_db()
    assert has_power(pairing)
    assert decide_afresh(kid, "session.hours").value == "10:00-22:00"


def test_a_case_about_the_teen_says_nothing_of_the_guardian_by_itself(
    pairing: Pairing, kid: Account, two: tuple[Staff, Staff]
) -> None:
    robin, _ = two
    theirs = Case.objects.create(account=kid, state="open", due_at=timezone.now())
    take_case(case=theirs, staff=robin)
    pause_pairing(case_id=theirs.id, pairing_id=pairing.pk, why=WHY, quiet=True, staff=robin)
    assert leaves_undecided(theirs, "confirmed"), "a person decides about the pairing first"


def test_nobody_pauses_where_nobody_would_decide(
    case: Case, pairing: Pairing, two: tuple[Staff, Staff]
) -> None:
    robin, _ = two
    other = pair(make_account("egret", 44), make_account("plover", 15))
    about: dict[str, Any] = {"why": WHY, "quiet": True}
    with pytest.raises(NotFound):
        pause_pairing(case_id=case.id, pairing_id=other.pk, staff=robin, **about)
    Case.objects.filter(pk=case.pk).update(state="dismissed")
    with pytest.raises(Invalid):
        pause_by_command(
            case_id=case.id, pairing_id=pairing.pk, actor=Actor.operator("heron"), **about
        )


# ---- ending and handing over take two


def test_two_people_end_a_pairing(
    case: Case, pairing: Pairing, kid: Account, fost: Account, two: tuple[Staff, Staff]
) -> None:
    robin, sam = two
    order = asked(case, pairing, robin)
    pairing.refresh_from_db()
    assert has_power(pairing)
    with pytest.raises(Forbidden):
        decide_pairing_order(order_id=order.pk, approve=True, staff=robin)
    with pytest.raises(OrderWaits):
        asked(case, pairing, robin)
    decide_pairing_order(order_id=order.pk, approve=True, staff=sam)
    pairing.refresh_from_db()
    assert pairing.ended_at is not None
    assert pairing.barred_at is not None
    assert method_of(fost, kid) == ""
    assert told_of(fost)[0] == told_of(kid)[0] == "ended"
    with pytest.raises(PairingNeedsPerson):
        pair(fost, kid)
    done = Entry.objects.get(kind="pairing.order_done")
    assert (done.subject, done.actor) == (str(case), "staff:sam")


def test_a_refusal_leaves_all_as_it_was(
    case: Case, pairing: Pairing, two: tuple[Staff, Staff]
) -> None:
    robin, sam = two
    order = asked(case, pairing, robin)
    decide_pairing_order(order_id=order.pk, approve=False, staff=sam)
    pairing.refresh_from_db()
    assert has_power(pairing)
    assert asked(case, pairing, robin).state == "asked", "and somebody can ask again"


def test_a_teen_is_handed_over_with_sealed_papers(
    case: Case,
    pairing: Pairing,
    kid: Account,
    fost: Account,
    two: tuple[Staff, Staff],
    configure: Configure,
) -> None:
    configure(evidence_key=new_key())
    robin, sam = two
    gran = make_account("gran", 61)
    sets(fost, "10:00-22:00")
    papers = "Order 12/26 of a court of a test, seen in the original."
    order = asked(case, pairing, robin, to="gran", papers=papers)
    assert Evidence.objects.get(case=case).size == len(papers)
    decide_pairing_order(order_id=order.pk, approve=True, staff=sam)
    pairing.refresh_from_db()
    assert pairing.ended_at is not None
    new = Pairing.objects.get(teen=kid, ended_at=None)
    assert new.guardian == gran
    assert has_power(new)
    proof = GuardianProof.objects.get(ended_at=None)
    assert (proof.method, proof.evidence, proof.told_by) == ("court", str(case), "staff:sam")
    assert decide_afresh(kid, "account.join").value == "allow", "BR asks a guardian for it"
    assert decide_afresh(kid, "session.hours").value != "10:00-22:00"
    assert told_of(kid)[:2] == ["paired", "ended"]
    sets(gran, "10:00-22:00")
    with pytest.raises(NotPaired):
        sets(fost, "10:00-21:00")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"to": "nobody", "papers": "p"}, AccountUnknown),
        ({"to": "gran"}, Invalid),
        ({"to": "gran", "papers": " "}, Invalid),
        ({"to": "gran", "papers": "x" * 20_001}, Invalid),
        ({"to": "gran", "papers": "p", "method": "card"}, Invalid),
        ({"to": "fost", "papers": "p"}, Invalid),
        ({"to": "kid", "papers": "p"}, Invalid),
    ],
)
def test_what_hands_nobody_over_is_refused(
    case: Case,
    pairing: Pairing,
    two: tuple[Staff, Staff],
    configure: Configure,
    wrong: dict[str, str],
    error: type[KinwardError],
) -> None:
    configure(evidence_key=new_key())
    make_account("gran", 61)
    with pytest.raises(error):
        asked(case, pairing, two[0], **wrong)
    assert not Evidence.objects.exists()


def test_nobody_is_handed_to_somebody_who_may_guard_nobody(
    case: Case,
    pairing: Pairing,
    two: tuple[Staff, Staff],
    configure: Configure,
) -> None:
    configure(evidence_key=new_key())
    make_account("young", 16)
    order = asked(case, pairing, two[0], to="young", papers="p")
    with pytest.raises(KinwardError):
        decide_pairing_order(order_id=order.pk, approve=True, staff=two[1])
    pairing.refresh_from_db()
    assert has_power(pairing), "all or nothing"


# ---- the console and the command line


def test_the_case_page_does_all_of_it(
    case: Case, pairing: Pairing, kid: Account, two: tuple[Staff, Staff], configure: Configure
) -> None:
    configure(evidence_key=new_key())
    make_account("gran", 61)
    robin, sam = (signed_in(person) for person in two)
    page = robin.get(f"/cases/{case.id}").content.decode()
    assert "Pause quietly" in page
    assert "Pause quietly" not in sam.get(f"/cases/{case.id}").content.decode()
    address = f"/cases/{case.id}/pairings/{pairing.pk}/order"
    post(robin, address, verb="pause quietly", why=WHY)
    pairing.refresh_from_db()
    assert pairing.quiet
    for form in ({"verb": "hand over", "why": WHY}, {"verb": "", "why": WHY}, {"verb": "end"}):
        assert robin.post(address, form).status_code in (400, 409, 422)
    post(robin, address, verb="hand over", why=WHY, to="gran", method="court", papers="p")
    page = sam.get(f"/cases/{case.id}").content.decode()
    assert "Request about a pairing" in page
    assert WHY in page
    order = pairing_order()
    post(sam, f"/cases/{case.id}/orders/{order}", decision="approve")
    assert Pairing.objects.get(teen=kid, ended_at=None).guardian.platform_id == "gran"
    assert "It is done, by sam" in " ".join(sam.get(f"/cases/{case.id}").content.decode().split())


def post(browser: Client, address: str, **form: str) -> None:
    assert browser.post(address, form).status_code == 302, address


def pairing_order() -> Any:
    from kinward.verdicts.models import PairingOrder

    return PairingOrder.objects.get().pk


def run(*words: str) -> Any:
    return CliRunner().invoke(cli, list(words))


def test_an_operator_lists_pauses_and_gives_a_reason(
    case: Case, pairing: Pairing, fost: Account, tmp_path: Path, configure: Configure
) -> None:
    configure(evidence_key=new_key())
    listed = run("family", "list", "fost").output
    assert listed == f"{pairing.pk}  fost guards kid, proof: court\n"
    words = ("family", "pause", str(pairing.pk), "--case", str(case.id))
    assert run(*words, "--why", WHY, "--quiet").exit_code == 0
    pairing.refresh_from_db()
    assert pairing.quiet
    assert run("family", "list", "kid").output.endswith(", paused\n")
    assert disputed_pairings(case.id) == [pairing]
    make_account("gran", 61)
    papers = tmp_path / "papers"
    papers.write_bytes(b"\xff\xfe\x00")
    hand_over = ("family", "hand-over", str(pairing.pk), "--case", str(case.id), "--to", "gran")
    refused = run(*hand_over, "--papers", str(papers))
    assert refused.exit_code == 2
    assert "Type what the papers say" in refused.output
    papers.write_text("Order 12/26")
    waits = run(*hand_over, "--papers", str(papers))
    assert "Requested, and not done yet: to hand over the pairing of fost with kid" in waits.output
    assert "to hand over the pairing of fost with kid" in run("agree").output
