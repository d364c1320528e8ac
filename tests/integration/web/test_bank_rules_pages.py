"""The console's pages about how banks match, silence and floods; and the same by command."""

import pytest
from click.testing import CliRunner
from django.core.files.uploadedfile import SimpleUploadedFile

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.services import create_key
from kinward.cli.bank import bank as bank_command
from kinward.matching.hashlists import ListedHash
from kinward.matching.kinds import Pdq
from kinward.matching.lookup import look_up
from kinward.matching.models import Bank, BankedHash
from kinward.matching.services import add_hashes, create_bank
from kinward.media import read_picture
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.integration.web.test_console import signed_in
from tests.support.helpers import KNOWN, run_jobs, upload
from tests.support.weakened import tuned_by_two

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor.system("test")


def staff(name: str, role: str) -> Staff:
    return Staff.objects.create_user(username=name, password="a long word", roles=[role])


def run(*arguments: str) -> str:
    result = CliRunner().invoke(bank_command, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_a_policy_lead_judges_a_shadow_bank_and_makes_it_live(account: Account, bank: Bank) -> None:
    lead = signed_in(staff("lea", "policy lead"))
    form = {"role": "shadow", "distance": "31", "enabled_ratio": "1"}
    tuned_by_two(bank, role="shadow")
    assert upload(account, content_id="would-match").outcome == "clear"
    text = lead.get("/banks/of/known").content.decode()
    assert "What it would have matched" in text
    assert "would-match" in text
    assert account.platform_id in text
    assert "shadow" in lead.get("/banks").content.decode()
    assert lead.post("/banks/of/known/tune", form | {"role": "live"}).status_code == 302
    run_jobs()
    account.refresh_from_db()
    assert account.standing == "suspended"


@pytest.mark.parametrize(
    "wrong", [{"role": ""}, {"distance": "32"}, {"distance": ""}, {"enabled_ratio": "nan"}]
)
def test_a_wrong_rule_is_refused_on_its_page(
    bank: Bank, operator: Staff, wrong: dict[str, str]
) -> None:
    form = {"role": "live", "distance": "9", "enabled_ratio": "1"} | wrong
    answer = signed_in(operator).post("/banks/of/known/tune", form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    bank.refresh_from_db()
    assert (bank.role, bank.distance, bank.enabled_ratio) == ("live", 31, 1)


def test_two_people_agree_to_silence_in_the_console(account: Account, bank: Bank) -> None:
    value = read_picture(KNOWN, 10**8).signature
    harmless = create_bank(name="harmless", confidence="verified", actor=ACTOR)
    assert "is negative" in run("set", "harmless", "--role", "negative")
    hashes = [ListedHash(Pdq.name, value)]
    add_hashes(bank=harmless, hashes=hashes, provenance="p", actor=ACTOR)
    assert "1 hash waits for two people" in run("set", "harmless")
    first = signed_in(staff("sam", "senior reviewer"))
    second = signed_in(staff("lea", "policy lead"))
    page = "/banks/of/harmless"
    assert "waits for two people" in first.get("/banks").content.decode()
    assert first.post(f"{page}/silence", {"why": ""}).status_code == 422
    first.post(f"{page}/silence", {"why": "A test card."})
    shown = first.get(page).content.decode()
    assert "another person must approve it" in shown
    silencing = harmless.silencings.get()
    decide = f"/banks/silences/{silencing.id}"
    assert first.post(decide, {"decision": "agree"}).status_code == 403
    shown = second.get(page).content.decode()
    assert "A test card." in shown
    assert "of banks\n" in shown, "it says how much that matches it comes near"
    second.post(decide, {"decision": "agree"})
    assert upload(account, content_id="hushed").outcome == "clear"
    shown = second.get(page).content.decode()
    assert "What it silenced" in shown
    assert "hushed" in shown
    assert "negative banks silenced 1 of its hits" in second.get("/banks/of/known").content.decode()
    assert "1 hash silences matches" in run("set", "harmless")
    searched = run("search", "--hash", f"pdq:{value.hex()}")
    assert "No banked hash matches." in searched
    assert "no match: silenced by" in searched
    second.post(f"{page}/speak")
    run_jobs()
    account.refresh_from_db()
    assert account.standing == "suspended", "what was silenced is looked for again"


def test_a_search_names_the_banks_that_were_not_asked(bank: Bank, reviewer: Staff) -> None:
    value = read_picture(KNOWN, 10**8).signature.hex()
    assert "known  verified  4 hashes  ratio 0" not in run("list")
    tuned_by_two(bank, enabled_ratio=0)
    assert "ratio 0." in run("set", "known")
    assert "ratio 0" in run("list")
    searched = run("search", "--hash", f"pdq:{value}")
    assert "No banked hash matches." in searched
    assert "Not asked: known (ratio 0)" in searched
    page = signed_in(reviewer)
    answer = page.post("/banks/search", {"file": SimpleUploadedFile("a.jpg", KNOWN)})
    assert "Not checked for this file" in answer.content.decode()
    assert "checked for 0.0 of all files" in page.get("/banks/of/known").content.decode()
    run("set", "known", "--enabled-ratio", "1")
    tuned_by_two(bank, role="shadow", distance=30)
    assert "known  verified  4 hashes  shadow  distance 30" in run("list")
    assert "no match: shadow" in run("search", "--hash", f"pdq:{value}")


def test_a_flood_is_shown_and_settled_in_the_console(
    account: Account, bank: Bank, configure: Configure, operator: Staff, reviewer: Staff
) -> None:
    configure(flood_accounts=1)
    other = put_account(platform_id="member-2", profile=Profile())[0]
    upload(account)
    upload(other)
    row = BankedHash.objects.get(kind="pdq")
    assert f"{row.pk}  known  pdq" in run("floods")
    assert "  2 accounts" in run("floods")
    key = create_key(name="watch", scopes=frozenset({"media:check"}), actor=ACTOR)
    assert "kinward_floods 1.0" in Caller(key)("GET", "/metrics").text
    for page in (signed_in(operator).get("/operations"), signed_in(reviewer).get("/banks")):
        text = page.content.decode()
        assert "Hashes that wait for a person" in text
        assert "restore everything" in text
        assert "Correct hash: release" not in text, "a senior reviewer says that"
    senior = signed_in(staff("sam", "senior reviewer"))
    assert "Correct hash: release" in senior.get("/banks").content.decode()
    refused = senior.post(f"/banks/floods/{row.pk}/release")
    assert refused.status_code == 409
    assert "Nobody has confirmed a case of this hash." in refused.content.decode()
    for pk in BankedHash.objects.filter(flood__began_at__isnull=False).values_list("pk", flat=True):
        senior.post(f"/banks/hashes/{pk}/mark", {"wrong": "yes"})
    assert f"{row.pk}  known  pdq" in run("floods")
    assert "false positive, says sam" in run("floods")
    second = signed_in(reviewer)
    assert "False positives that wait for another person" in second.get("/banks").content.decode()
    for pk in BankedHash.objects.filter(flood__began_at__isnull=False).values_list("pk", flat=True):
        second.post(f"/banks/hashes/{pk}/mark", {"wrong": "yes"})
    run_jobs()
    assert "No hash waits for a person." in run("floods")
    for one in (account, other):
        one.refresh_from_db()
        assert one.standing == "active"
    assert look_up([(Pdq.name, bytes(row.value))]) == []
