"""How surely somebody is known to be the guardian decides what they loosen, and nothing else."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from django.db import transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.experience.live import live, named_pack, person_of, today
from kinward.experience.settings import decide_afresh, decide_everything
from kinward.families import tasks
from kinward.families.asks import answers, requests
from kinward.families.errors import GuardianUnproven, PasscodeRefused, ProofWeaker
from kinward.families.models import Choice, GuardianProof, Pairing, Side
from kinward.families.pairing import disputes, ending, invitations, joining, proving, weighing
from kinward.families.pairing.power import has_power
from kinward.families.pairing.proof import is_proven, method_of
from kinward.families.screen_time import passcodes
from kinward.families.screen_time.usage import screen_time
from kinward.families.settings import choices, keywords
from kinward.families.settings.settlement import settle_all
from kinward.ground.errors import Invalid, KinwardError
from kinward.ledger.models import Entry
from kinward.ledger.words import in_full
from kinward.people.locks import lock_account
from kinward.people.models import Account
from kinward.people.services import Profile, delete_account, put_account
from kinward.policy.ages import AgeRange
from kinward.policy.bounds import bounds_in_general
from kinward.policy.decision import EFFECTS, Decision
from kinward.policy.proving import METHODS, proves
from kinward.policy.sources import shipped_packs
from tests.integration.conftest import Configure
from tests.support.families import make_account, pair, prove, told_of
from tests.support.helpers import run_jobs
from tests.support.visits import visitor

pytestmark = pytest.mark.django_db

JOIN: Final = "account.join"
APP: Final = Actor.key("app")


@pytest.fixture
def zoe(db: None) -> Account:
    return make_account("zoe", 15, place="DE")


@pytest.fixture
def pal(zoe: Account) -> Account:
    """A friend of 19, as an estimate has it, who is paired as the guardian."""
    made = make_account("pal", 19, "estimated")
    code, _ = invitations.create_invitation(maker=made, side=Side.GUARDIAN)
    invitations.accept_invitation(account=zoe, typed=code)
    return made


def set_by(guardian: Account, teen: Account, capability: str, value: Any) -> None:
    choices.choose_setting(
        guardian=guardian, teen_id=teen.platform_id, capability=capability, value=value
    )


def no_looser(a: Decision, b: Decision) -> bool:
    assert a.kind is not None
    tight = a.kind.strictest(a.code, b.code) == a.code
    return EFFECTS.index(a.effect) <= EFFECTS.index(b.effect) and tight


def test_a_friend_loosens_nothing_and_tightens_all(
    pal: Account, zoe: Account, configure: Configure
) -> None:
    """F7: zoe is 15, and pal 19. Each is asked by its own door."""
    configure(policy_key="11" * 32)
    pack = live().in_force().for_account("zoe")
    assert pack is not None
    before = decide_everything(zoe, pack)
    loosened = 0
    for name, capability in pack.capabilities.items():
        bounds = bounds_in_general(pack.ruling, name, person_of(zoe))
        if name == JOIN or bounds is None or not bounds.guardian_moves:
            continue
        kind = capability.kind
        if kind.strictest(bounds.guardian_cap, bounds.default) != bounds.guardian_cap:
            loosened += 1
            with pytest.raises(GuardianUnproven):
                set_by(pal, zoe, name, kind.value(bounds.guardian_cap))
        set_by(pal, zoe, name, kind.value(bounds.guardian_floor))
        assert decide_afresh(zoe, name).code == bounds.guardian_floor, name
        set_by(pal, zoe, name, None)
    assert loosened > 10
    assert decide_everything(zoe, pack) == before
    week = (30,) * 6 + (90,)  # one day is enough
    with pytest.raises(GuardianUnproven):
        set_by(pal, zoe, "session.time", week)
    doors: list[Callable[[], Any]] = [
        lambda: answer(zoe, pal, minutes=15),
        lambda: answer(zoe, pal, value=120),
        lambda: answer(zoe, pal, value=120, until=timezone.now() + timedelta(hours=1)),
        lambda: propose(pal, zoe, 120),
        lambda: passcodes.show_passcodes(guardian=pal, teen_id="zoe"),
        lambda: drop_a_word_of_hers(zoe, pal),
    ]
    for door in doors:
        with pytest.raises(GuardianUnproven), transaction.atomic():
            door()
    assert passcodes.passcode_sheet(zoe, timezone.now())
    pairing = Pairing.objects.get()
    code = passcodes.codes_of(pairing, screen_time(zoe, timezone.now()).day)[0].code
    with pytest.raises(PasscodeRefused):
        passcodes.use_passcode(account=zoe, code=code, at=timezone.now())
    assert decide_everything(zoe, pack) == before
    propose(pal, zoe, 30)  # a limit may be suggested
    for door in doors:  # and with a proof each door is open
        prove(pal, zoe, "card")
        door()


def answer(teen: Account, guardian: Account, until: datetime | None = None, **what: Any) -> None:
    ask = requests.ask_guardians(teen=teen, capability="session.time", reason="", **what)
    answers.answer_ask(guardian=guardian, ask_id=ask.pk, said="yes", until=until)


def propose(guardian: Account, teen: Account, value: Any) -> None:
    requests.propose_setting(
        guardian=guardian,
        teen_id=teen.platform_id,
        capability="session.time",
        reason="",
        value=value,
    )


def drop_a_word_of_hers(teen: Account, guardian: Account) -> None:
    about: dict[str, Any] = {"teen_id": teen.platform_id}
    keywords.add_keyword(word="party", account=teen, guardian=None, **about)
    (word,) = keywords.keywords_of(teen)
    keywords.remove_keyword(keyword_id=word.pk, account=guardian, guardian=guardian, **about)


@pytest.mark.parametrize(("place", "least"), [("BR", "id"), ("US-TX", "card")])
def test_a_pairing_is_no_consent(place: str, least: str) -> None:
    teen, pal = make_account("zoe", 15, place=place), make_account("pal", 19, "estimated")
    pair(pal, teen, proof=None)
    assert decide_afresh(teen, JOIN).value == "deny"
    weaker = METHODS[METHODS.index(least) - 1]
    prove(pal, teen, weaker)
    with pytest.raises(GuardianUnproven):
        joining.consent_to_account(guardian=pal, teen_id="zoe", consents=True)
    prove(pal, teen, least)  # type: ignore[arg-type]
    assert decide_afresh(teen, JOIN).value == "deny", "a proof is no consent either"
    joining.consent_to_account(guardian=pal, teen_id="zoe", consents=True)
    assert decide_afresh(teen, JOIN).value == "allow"
    entry = Entry.objects.get(kind="choice.made")
    assert entry.data == {"capability": JOIN, "value": "allow", "proof": least}
    joining.consent_to_account(guardian=pal, teen_id="zoe", consents=False)
    assert decide_afresh(teen, JOIN).value == "deny"


def test_a_quiet_dispute_closes_no_account_and_nothing_a_guardian_does_then_either() -> None:
    teen, heron = make_account("zoe", 15, place="BR"), make_account("heron", 41)
    for _ in range(2):  # the second pairing is disputed from its first moment
        pairing = pair(heron, teen)
        disputes.pause_disputed_pairing(teen=teen, pairing_id=pairing.pk, quiet=True)
        assert decide_afresh(teen, JOIN).value == "allow"
        joining.consent_to_account(guardian=heron, teen_id="zoe", consents=False)
        assert decide_afresh(teen, JOIN).value == "allow"
        assert not joining.has_consented(pairing), "as the guardian sees it"
        joining.consent_to_account(guardian=heron, teen_id="zoe", consents=True)
        assert joining.has_consented(pairing)
        ending.end_pairing(account=heron, pairing_id=pairing.pk)
        assert decide_afresh(teen, JOIN).value == "deny"


def test_the_ledger_has_the_method_of_each_consent_and_what_it_rests_on(zoe: Account) -> None:
    heron = make_account("heron", 41)
    pair(heron, zoe, proof="id")
    set_by(heron, zoe, "feed.personalised", "allow")  # GDPR, article 8
    answer(zoe, heron, minutes=15)
    proven = Entry.objects.get(kind="guardian.proven")
    assert (proven.subject, proven.actor) == ("account:zoe", "key:app")
    assert "kyc" not in str(proven.data), "the platform may write what it likes there"
    ((_, said),) = in_full([proven])
    assert said == {
        "guardian": "heron",
        "method": "id",
        "checked_on": "2026-11-02",
        "evidence": "kyc-8842",
        "expires_at": None,
    }
    made = Entry.objects.get(kind="choice.made")
    assert made.data == {"capability": "feed.personalised", "value": "allow", "proof": "id"}
    assert Entry.objects.get(kind="ask.yes").data == {"proof": "id"}


def withdrawn(guardian: Account, teen: Account) -> None:
    proving.withdraw_proof(guardian=guardian, teen=teen, actor=APP)


def expired(guardian: Account, teen: Account) -> None:
    """Its time is over; the sweep finds it, whoever wrote it."""
    GuardianProof.objects.update(expires_at=timezone.now())
    tasks.tidy_all(0)


def weakened(guardian: Account, teen: Account) -> None:
    """A stronger one is replaced by a weaker one that names it."""
    prove(guardian, teen, "declared", replaces=GuardianProof.objects.get(ended_at=None).pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lost", [withdrawn, expired, weakened])
def test_a_proof_that_goes_takes_what_it_loosened_and_no_limit(
    configure: Configure, lost: Callable[[Account, Account], None]
) -> None:
    configure(policy_key="11" * 32)
    zoe, heron = make_account("zoe", 15, place="BR"), make_account("heron", 41)
    pairing = pair(heron, zoe, proof="id")
    assert decide_afresh(zoe, JOIN).value == "allow", "the offer said so, and the app knew"
    set_by(heron, zoe, "purchase.make", "allow")
    set_by(heron, zoe, "comment.receive", "nobody")
    set_by(heron, zoe, "session.time", (30,) + (120,) * 6)
    code = passcodes.show_passcodes(guardian=heron, teen_id="zoe")[0].code
    passcodes.use_passcode(account=zoe, code=code, at=timezone.now())
    answer(zoe, heron, minutes=30)
    ask = requests.ask_guardians(teen=zoe, capability="location.share", reason="", value="family")
    until = timezone.now() + timedelta(days=20)
    answers.answer_ask(guardian=heron, ask_id=ask.pk, said="yes", until=until)
    assert decide_afresh(zoe, "location.share").value == "family"
    lost(heron, zoe)
    assert decide_afresh(zoe, "purchase.make").value == "deny"
    assert decide_afresh(zoe, "location.share").value == "nobody"
    assert decide_afresh(zoe, "comment.receive").value == "nobody", "a limit stays"
    weekday = screen_time(zoe, timezone.now()).day.weekday()
    time = screen_time(zoe, timezone.now())
    assert (time.allowed, time.extra) == (30 if weekday == 0 else 60, 0)
    assert power_of(pairing)
    ask.refresh_from_db()
    assert ask.state == "ended"
    # Consent was given by somebody proven. It falls only where that was wrong.
    assert decide_afresh(zoe, JOIN).value == ("deny" if lost is withdrawn else "allow")
    if lost is not weakened:
        assert told_of(heron)[0] == "unproven"
        assert "unproven.theirs" in told_of(zoe)[:2]
    prove(heron, zoe, "court")  # and what was chosen comes back with a proof
    assert decide_afresh(zoe, "purchase.make").value == "allow"


def power_of(pairing: Pairing) -> bool:
    pairing.refresh_from_db()
    return has_power(pairing)


@pytest.mark.parametrize("name", shipped_packs())
def test_no_guardian_loosens_below_their_grade_in_any_pack(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written past every door, for each method, at several ages and places."""
    pack = named_pack(name, date(2027, 8, 1))
    assert pack is not None
    monkeypatch.setattr(type(live().in_force()), "for_account", lambda self, account: pack)
    number = 0
    for method in ("", "declared", "card", "court"):
        for age, place in ((12, "US"), (14, "BR"), (17, "US-UT")):
            number += 1
            teen = make_account(f"teen-{number}", age, place=place)
            twin = decide_everything(make_account(f"twin-{number}", age, place=place), pack)
            guardian = make_account(f"guardian-{number}", 40)
            pairing = Pairing.objects.create(guardian=guardian, teen=teen)
            if method:
                prove(guardian, teen, method)  # type: ignore[arg-type]
            needed = write_the_loosest(pairing, pack)
            found = decide_everything(teen, pack)
            for capability, need in needed.items():
                if not proves(method, need):
                    assert need, (name, capability)
                    looser = no_looser(found[capability], twin[capability])
                    assert looser, (name, method, age, place, capability)
    assert number == 12


def write_the_loosest(pairing: Pairing, pack: Any) -> dict[str, str]:
    """Write the loosest choice of all that a guardian moves; returns the least proof of each."""
    needed = {}
    for name, capability in pack.capabilities.items():
        bounds = bounds_in_general(pack.ruling, name, person_of(pairing.teen))
        if bounds is not None and bounds.guardian_moves:
            needed[name] = bounds.proof
            value = capability.kind.value(bounds.guardian_cap)
            proof = method_of(pairing.guardian, pairing.teen)
            Choice.objects.create(pairing=pairing, capability=name, value=value, proof=proof)
    with transaction.atomic():
        settle_all(lock_account(pairing.teen_id), actor=Actor.system("test"))
    return needed


@pytest.mark.django_db(transaction=True)
def test_a_new_pack_that_asks_for_more_reaches_families_from_before(
    zoe: Account, pal: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the edition of before, a pairing was enough. The sweep finds whom it concerns."""
    liv = make_account("liv", 15, place="DE")
    pair(pal, liv, proof=None)
    earlier = named_pack("teen-accounts 2026.11", today())
    assert earlier is not None
    assert earlier.families.least_proof == ""
    with monkeypatch.context() as before:
        before.setattr(type(live().in_force()), "for_account", lambda self, account: earlier)
        set_by(pal, zoe, "purchase.make", "allow")
        set_by(pal, zoe, "session.time", 30)
        ask = requests.ask_guardians(
            teen=liv, capability="location.share", reason="", value="family"
        )
        until = timezone.now() + timedelta(days=20)
        answers.answer_ask(guardian=pal, ask_id=ask.pk, said="yes", until=until)
    Pairing.objects.update(settled_packs="another")
    assert decide_afresh(zoe, "purchase.make").value == "allow"
    assert decide_afresh(liv, "location.share").value == "family"
    assert weighing.families_to_weigh() == [zoe.pk, liv.pk]
    tasks.tidy_all(0)
    assert decide_afresh(liv, "location.share").value == "nobody", "a grant alone is found too"
    assert decide_afresh(zoe, "purchase.make").value == "deny"
    assert decide_afresh(zoe, "session.time").value == 30
    assert weighing.families_to_weigh() == []


def test_a_move_to_another_law_asks_for_its_proof(zoe: Account) -> None:
    heron = make_account("heron", 41)
    pair(heron, zoe, proof="card")
    age = AgeRange(15, 16, "test", "verified")
    put_account(platform_id="zoe", profile=Profile(age=age, jurisdiction="BR"), actor=APP)
    zoe.refresh_from_db()
    assert decide_afresh(zoe, JOIN).value == "deny"
    with pytest.raises(GuardianUnproven):
        joining.consent_to_account(guardian=heron, teen_id="zoe", consents=True)


@pytest.mark.django_db(transaction=True)
def test_a_move_settles_the_family_anew(zoe: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(weighing, "settle_all", lambda teen, actor: seen.append(teen.pk))
    heron = make_account("heron", 41)
    pair(heron, zoe)
    run_jobs()
    seen.clear()
    age = AgeRange(15, 16, "test", "verified")
    put_account(platform_id="zoe", profile=Profile(age=age, jurisdiction="FR"), actor=APP)
    run_jobs()
    assert seen == [zoe.pk]


def test_a_weaker_word_takes_the_place_of_none_in_silence(zoe: Account) -> None:
    heron = make_account("heron", 41)
    prove(heron, zoe, "court")
    first = GuardianProof.objects.get()
    prove(heron, zoe, "court")  # the same again
    assert GuardianProof.objects.get().pk == first.pk
    with pytest.raises(ProofWeaker, match=str(first.pk)):
        prove(heron, zoe, "card")
    assert method_of(heron, zoe) == "court"
    prove(heron, zoe, "card", replaces=first.pk)
    assert method_of(heron, zoe) == "card"
    with pytest.raises(ProofWeaker):  # what it names is over
        prove(heron, zoe, "declared", replaces=first.pk)
    prove(heron, zoe, "school")
    assert method_of(heron, zoe) == "school"
    assert list(GuardianProof.objects.order_by("told_at").values_list("ended_why", flat=True)) == [
        "replaced",
        "replaced",
        "",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"checked_on": date(2999, 1, 1)},
        {"evidence": ""},
        {"evidence": "a\nb"},
        {"evidence": "a" * 101},
        {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"expires_at": datetime(2999, 1, 1)},
    ],
)
def test_what_says_nothing_is_refused(zoe: Account, wrong: dict[str, Any]) -> None:
    heron = make_account("heron", 41)
    told = {"method": "id", "checked_on": date(2026, 11, 2), "evidence": "e", **wrong}
    with pytest.raises(Invalid):
        proving.prove_guardian(guardian=heron, teen=zoe, told=proving.Told(**told), actor=APP)
    with pytest.raises(Invalid):
        prove(zoe, zoe)
    assert not GuardianProof.objects.exists()


def test_an_age_that_kinward_verified_makes_no_parent(zoe: Account, pal: Account) -> None:
    Account.objects.filter(pk=pal.pk).update(age_source="eu-wallet", age_assurance="verified")
    pal.refresh_from_db()
    assert method_of(pal, zoe) == ""
    prove(pal, zoe, "declared")
    assert method_of(pal, zoe) == "estimated", "the age is sure now, and nothing else"
    with pytest.raises(GuardianUnproven):
        set_by(pal, zoe, "purchase.make", "allow")


def test_a_proof_outlives_no_decision_that_this_is_not_the_guardian(zoe: Account) -> None:
    heron = make_account("heron", 41)
    pairing = pair(heron, zoe)
    disputes.pause_disputed_pairing(teen=zoe, pairing_id=pairing.pk)
    robin = Actor.stored("staff:robin")
    disputes.settle_pairing_dispute(pairing_id=pairing.pk, ends=True, actor=robin)
    assert method_of(heron, zoe) == ""
    assert GuardianProof.objects.get().ended_why == "refuted"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["heron", "zoe"])
def test_a_proof_does_not_outlive_an_account(zoe: Account, who: str) -> None:
    heron = make_account("heron", 41)
    pair(heron, zoe)
    delete_account(platform_id=who, actor=APP)
    run_jobs()
    assert GuardianProof.objects.get().ended_why == "gone"


def test_two_guardians_are_each_known_by_their_own_proof(zoe: Account, pal: Account) -> None:
    heron = make_account("heron", 41)
    pair(heron, zoe)
    set_by(heron, zoe, "session.time", 120)
    set_by(pal, zoe, "session.time", 45)
    assert decide_afresh(zoe, "session.time").value == 45, "a limit counts without a proof"
    ask = requests.ask_guardians(teen=zoe, capability="session.time", reason="", value=120)
    answers.answer_ask(guardian=heron, ask_id=ask.pk, said="yes")
    assert decide_afresh(zoe, "session.time").value == 45
    with pytest.raises(KinwardError):
        answers.answer_ask(guardian=pal, ask_id=ask.pk, said="yes")
    set_by(pal, zoe, "session.time", None)
    assert decide_afresh(zoe, "session.time").value == 120


def test_a_yes_that_waited_while_its_proof_went_gives_nothing_and_stops_nobody(
    zoe: Account,
) -> None:
    heron, egret = make_account("heron", 41), make_account("egret", 44)
    pair(heron, zoe)
    waits = pair(egret, zoe)
    set_by(heron, zoe, "session.time", 30)
    ask = requests.ask_guardians(teen=zoe, capability="session.time", reason="", value=120)
    answers.answer_ask(guardian=egret, ask_id=ask.pk, said="yes")
    assert decide_afresh(zoe, "session.time").value == 30, "it waits for heron"
    proving.withdraw_proof(guardian=egret, teen=zoe, actor=APP)
    answers.answer_ask(guardian=heron, ask_id=ask.pk, said="yes")
    assert decide_afresh(zoe, "session.time").value == 120
    assert not Choice.objects.filter(pairing=waits, ended_at=None).exists()


def test_the_pages_say_why_not_and_how(zoe: Account, pal: Account) -> None:
    pairing = Pairing.objects.get()
    requests.ask_guardians(teen=zoe, capability="session.time", reason="", minutes=15)
    his, hers = visitor(pal), visitor(zoe)
    page = his.get(f"/family/teens/{pairing.pk}").content.decode()
    assert 'data-proof="none"' in page
    assert 'name="said" value="yes"' not in page
    assert "/codes" not in page
    assert (
        '<option value="allow"' not in page.split('id="setting-purchase.make"')[1].split("<h3>")[1]
    )
    home = his.get("/family").content.decode()
    assert 'name="said" value="no"' in home
    assert 'name="said" value="yes"' not in home
    assert "does not know yet that this is your guardian" in hers.get("/family").content.decode()
    sent = his.post(f"/family/teens/{pairing.pk}/settings/purchase.make", {"value": "allow"})
    assert sent.status_code == 403
    assert "First show in the app" in sent.content.decode()
    assert his.post(f"/family/teens/{pairing.pk}/consent").status_code == 403  # DE asks for none
    prove(pal, zoe, "card")
    page = his.get(f"/family/teens/{pairing.pk}").content.decode()
    assert "data-proof" not in page
    assert 'name="said" value="yes"' in page
    assert is_proven(pairing, None)


def test_the_page_asks_a_guardian_for_consent_where_the_law_does() -> None:
    teen, heron = make_account("zoe", 15, place="BR"), make_account("heron", 41)
    pairing = pair(heron, teen, proof=None)
    his = visitor(heron)
    page = his.get(f"/family/teens/{pairing.pk}").content.decode()
    assert 'data-consent="asked"' in page
    assert "I am the guardian, and I agree" not in page
    assert his.post(f"/family/teens/{pairing.pk}/consent").status_code == 403
    prove(heron, teen, "id")
    assert "and I agree" in his.get(f"/family/teens/{pairing.pk}").content.decode()
    assert his.post(f"/family/teens/{pairing.pk}/consent").status_code == 302
    assert decide_afresh(teen, JOIN).value == "allow"
    assert "data-consent" not in his.get(f"/family/teens/{pairing.pk}").content.decode()
