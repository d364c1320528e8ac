"""A new edition of a shipped pack waits for two people, and the doctor names what nobody read."""

from datetime import timedelta

import pytest
from click.testing import CliRunner

from kinward.access.models import Staff
from kinward.cli.doctor.rules import check_age_signals, check_law, check_policy
from kinward.cli.policy import policy
from kinward.experience.live import live
from kinward.experience.models import Activation, Proposal
from kinward.experience.proposals import decide_proposal
from kinward.experience.services import pin_first_pack
from kinward.ledger.verification import verify_ledger
from kinward.people.services import Profile, put_account
from kinward.policy.law import laws_of
from kinward.policy.request import About, Request
from kinward.policy.signals import CHECKED as SIGNALS_CHECKED
from kinward.policy.signed import load_pack
from tests.integration.web.test_console import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

# Of `teen-accounts 2026.11` as databases of that time have stored it.
EARLIER_DIGEST = "998c698504f5a6f220130542aa4231585c73f35cad579ca2385d4c312638f26a"


@pytest.fixture
def lead(db: None) -> Staff:
    return staff("kai", "policy lead")


@pytest.fixture
def second(db: None) -> Staff:
    return staff("sasha", "administrator")


def staff(name: str, role: str) -> Staff:
    return Staff.objects.create_user(username=name, password="a long test word", roles=[role])


def test_a_new_database_has_the_newest_edition_and_a_used_one_keeps_its_own(db: None) -> None:
    first = pin_first_pack()
    assert str(first.pack) == "teen-accounts 2026.11-5"
    assert pin_first_pack() == first
    Activation.objects.all().delete()
    put_account(platform_id="a", profile=Profile())
    kept = pin_first_pack()
    assert str(kept.pack) == "teen-accounts 2026.11"
    assert kept.pack.digest == EARLIER_DIGEST
    assert verify_ledger().ok


def test_a_community_reads_what_a_new_edition_changes_and_two_people_take_it(
    lead: Staff, second: Staff
) -> None:
    put_account(platform_id="a", profile=Profile())
    pin_first_pack()
    assert check_policy().level == "warning"
    texas = Request(capability="account.join", actor=About(age=[15, 16], jurisdiction="US-TX"))
    assert live().decide([texas])[0].effect == "allow"
    page = signed_in(lead)
    assert "Kinward comes with teen-accounts 2026.11-5" in page.get("/policy").content.decode()
    text = page.get("/policy/edition").content.decode()
    for said in ("in US-TX", "allow", "deny; guardian deny to allow", "stricter", "at once"):
        assert said in text
    assert "from 2027-07-01" in " ".join(text.split())
    sent = {"pack": "teen-accounts", "why": "The law of Texas.", "share": "100"}
    assert page.post("/policy/packs", sent).status_code == 302
    assert live().decide([texas])[0].effect == "allow", "one person does not change it"
    proposal = Proposal.objects.get()
    assert "in US-TX" in page.get(f"/policy/proposals/{proposal.id}").content.decode()
    decide_proposal(proposal_id=proposal.id, approve=True, staff=second)
    live.cache_clear()
    assert live().decide([texas])[0].effect == "deny"
    assert page.get("/policy/edition").status_code == 404
    assert "Kinward comes with" not in page.get("/policy").content.decode()
    assert check_policy().text == "teen-accounts 2026.11-5 is in force."


def test_the_command_says_in_words_what_a_new_edition_changes(db: None) -> None:
    result = CliRunner().invoke(policy, ["diff", "teen-accounts 2026.11", "teen-accounts"])
    assert result.exit_code == 0, result.output
    for said in (
        "account.join, 13 to 17, in US-TX: allow -> deny; "
        "guardian deny to allow (proof: card) (stricter)\n",
        "account.join, 13 to 17, in US-UT: deny; guardian deny to allow -> allow (looser), "
        "before 2027-05-06\n",
        "account.join, 13 to 17, in US-LA: allow -> deny; "
        "guardian deny to allow (proof: card) (stricter), "
        "from 2027-07-01\n",
    ):
        assert said in result.output


def test_all_places_are_on_a_page(lead: Staff) -> None:
    text = " ".join(signed_in(lead).get("/policy/places").content.decode().split())
    for said in ("US-TX", "2026-05-28", "pending", "2027-05-06", "US-NY", "enjoined, not applied"):
        assert said in text
    assert "not applied until somebody verifies it" in text
    assert "Nobody has read these for more than 90 days" not in text
    assert "dk-minimum-age" not in text, "people read words"
    assert "Keep people under a minimum age of 15 or 16" in text


def test_a_clock_91_days_later_makes_the_doctor_name_each_law(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_law().level == "ok"
    assert "Not applied until somebody verifies it: cn-minutes-16-17, " in check_law().text
    read = max(law.checked for law in laws_of(load_pack("teen-accounts")) if law.checked)
    monkeypatch.setattr("kinward.experience.api.today", lambda: read + timedelta(days=91))
    finding = check_law()
    assert finding.level == "warning"
    for name in ("US-TX (2026-11-25)", "AU (2026-11-25)", "EEA (2026-11-21)"):
        assert name in finding.text
    for file in load_pack("teen-accounts").files:
        name = file.removeprefix("overlays/").removesuffix(".toml")
        if file.startswith("overlays/") and name not in {"CN", "KR"}:  # nobody has read these
            assert f" {name} (2026-11-2" in finding.text
    put_account(platform_id="a", profile=Profile())
    pin_first_pack()
    assert "does not say when somebody last read AU, BR, CN" in check_law().text


def test_a_clock_91_days_later_makes_the_doctor_name_each_adapter(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(SIGNALS_CHECKED) == 7
    assert check_age_signals().level == "ok"
    for name, read in SIGNALS_CHECKED.items():
        for days, said in ((90, False), (91, True)):
            moved = read + timedelta(days=days)
            monkeypatch.setattr("kinward.experience.api.today", lambda moved=moved: moved)
            finding = check_age_signals()
            assert (f"The adapter of {name} is as of {read}." in finding.text) == said
            assert (finding.level == "warning") or not said


def test_places_have_words_units_and_links(lead: Staff) -> None:
    text = " ".join(signed_in(lead).get("/policy/places").content.decode().split())
    assert "Austria <span" in text
    assert "New York <span" in text
    assert "A personalised feed <span" in text
    assert "60 minutes, moved by guardian" in text
    assert 'href="https://lis.virginia.gov"' in text
    assert '?capability=session.time&amp;where=US-VA#rules"' in text
    assert '<td class="day">nobody yet</td>' in text
