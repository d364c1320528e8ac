"""Pairing, choosing and asking: what is refused, what is told, and what never happens."""

import json
import re
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from django.core import mail
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.experience.live import load_states
from kinward.experience.services import store_pack
from kinward.experience.settings import decide_afresh
from kinward.families.asks import answers, expiry, requests
from kinward.families.errors import (
    AlreadyPaired,
    AskClosed,
    CodeRefused,
    FamilyFull,
    NeedsNoGuardian,
    NoGuardian,
    NotAGuardian,
    NotPaired,
    PairingLoop,
    PairingPaused,
    PasscodeRefused,
    SettingLocked,
    TooManyTries,
)
from kinward.families.models import Answer, Ask, Invitation, Pairing, Side, TrustedAdult
from kinward.families.pairing import disputes, ending, invitations, power, trusted_adults
from kinward.families.screen_time import passcodes
from kinward.families.screen_time.usage import screen_time
from kinward.families.settings import choices, keywords
from kinward.families.visits import digest
from kinward.families.visits.page import groups_for
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError
from kinward.ledger.models import Entry
from kinward.people.models import Account
from kinward.policy.sources import read_files
from kinward.policy.values import Weekly
from tests.integration.conftest import Configure
from tests.support.families import make_account, pair, told
from tests.support.in_force import activate_pack
from tests.support.packs import with_hours_of_china

pytestmark = pytest.mark.django_db


@pytest.fixture
def egret(db: None) -> Account:
    return make_account("egret", 44)


def guardian_value(teen: Account, capability: str) -> Any:
    return load_states([teen.platform_id])[teen.platform_id].guardian.get(capability)


# ---- codes


def test_a_code_works_once_for_one_person(teen: Account, heron: Account, egret: Account) -> None:
    code, _ = invitations.create_invitation(maker=teen, side=Side.TEEN)
    assert re.fullmatch(f"[{invitations.ALPHABET}]{{8}}", code)
    invitations.accept_invitation(account=heron, typed=f" {code[:4].lower()}-{code[4:]} ")
    with pytest.raises(CodeRefused):
        invitations.accept_invitation(account=egret, typed=code)
    assert told(heron) == ["You and Sandpiper are now paired."]


def test_an_old_code_and_a_made_up_one_are_refused_in_the_same_words(
    teen: Account, heron: Account
) -> None:
    code, made = invitations.create_invitation(maker=teen, side=Side.TEEN)
    Invitation.objects.filter(pk=made.pk).update(expires_at=timezone.now())
    said = []
    for typed in (code, "AAAAAAAA", "", "x" * 10_000):
        with pytest.raises(CodeRefused) as refused:
            invitations.accept_invitation(account=heron, typed=typed)
        said.append(str(refused.value))
    assert len(set(said)) == 1
    assert Entry.objects.filter(kind="invitation.refused").count() == 4
    assert not Pairing.objects.exists()


def test_guessing_codes_is_stopped(teen: Account, heron: Account) -> None:
    code, _ = invitations.create_invitation(maker=teen, side=Side.TEEN)
    for _ in range(invitations.MAX_WRONG):
        with pytest.raises(CodeRefused):
            invitations.read_invitation(account=heron, typed="22222222")
    with pytest.raises(TooManyTries):
        invitations.read_invitation(account=heron, typed=code)


def test_only_the_newest_code_works_and_there_are_few_a_day(teen: Account, heron: Account) -> None:
    first, _ = invitations.create_invitation(maker=teen, side=Side.TEEN)
    for _ in range(invitations.MAX_INVITATIONS - 1):
        invitations.create_invitation(maker=teen, side=Side.TEEN)
    with pytest.raises(TooManyTries):
        invitations.create_invitation(maker=teen, side=Side.TEEN)
    with pytest.raises(CodeRefused):
        invitations.accept_invitation(account=heron, typed=first)
    Invitation.objects.update(made_at=timezone.now() - timedelta(hours=25))
    assert invitations.create_invitation(maker=teen, side=Side.TEEN)


def test_the_code_itself_is_not_kept(teen: Account) -> None:
    code, made = invitations.create_invitation(maker=teen, side=Side.TEEN)
    kept = json.dumps(list(Entry.objects.values_list("data", flat=True)))
    assert code not in kept
    assert code.encode() not in bytes(made.code_digest)


# ---- who may


@pytest.mark.parametrize(
    ("age", "assurance", "error"),
    [
        (40, "declared", NotAGuardian),  # the pack asks for more than a word
        (17, "verified", NotAGuardian),
        (40, "estimated", None),
        (40, "verified", None),
    ],
)
def test_a_guardian_is_an_adult_by_the_assurance_of_the_pack(
    teen: Account, age: int, assurance: str, error: type[KinwardError] | None
) -> None:
    someone = make_account("someone", age, assurance)
    code, _ = invitations.create_invitation(maker=teen, side=Side.TEEN)
    if error is None:
        invitations.accept_invitation(account=someone, typed=code)
        return
    with pytest.raises(error):
        invitations.accept_invitation(account=someone, typed=code)
    assert not Pairing.objects.exists()


def test_an_adult_has_no_guardian(heron: Account, egret: Account) -> None:
    with pytest.raises(NeedsNoGuardian):
        invitations.create_invitation(maker=egret, side=Side.TEEN)
    code, _ = invitations.create_invitation(maker=heron, side=Side.GUARDIAN)
    with pytest.raises(NeedsNoGuardian):
        invitations.accept_invitation(account=egret, typed=code)


def test_there_is_no_loop_of_guardians(teen: Account, heron: Account) -> None:
    pair(heron, teen)
    # The platform comes to think that each is what the other was.
    Account.objects.filter(pk=heron.pk).update(age_lower=15, age_upper=16)
    Account.objects.filter(pk=teen.pk).update(age_lower=40, age_upper=41)
    with pytest.raises(PairingLoop):
        invitations.create_invitation(maker=teen, side=Side.GUARDIAN)
    with pytest.raises(PairingLoop):
        invitations.create_invitation(maker=heron, side=Side.TEEN)


def test_four_guardians_and_no_more(teen: Account, heron: Account) -> None:
    for number in range(invitations.MAX_GUARDIANS):
        pair(make_account(f"g{number}", 40), teen)
    with pytest.raises(FamilyFull):
        pair(heron, teen)
    with pytest.raises(AlreadyPaired):
        pair(Account.objects.get(platform_id="g0"), teen)


def test_pairing_is_the_consent_that_a_law_asks_for(heron: Account) -> None:
    teen = make_account("plover", 15, place="BR")
    assert decide_afresh(teen, "account.join").effect == "deny"
    made = pair(heron, teen)
    assert decide_afresh(teen, "account.join").effect == "allow"
    ending.end_pairing(account=heron, pairing_id=made.pk)
    assert decide_afresh(teen, "account.join").effect == "deny"


def test_a_guardian_who_is_known_less_surely_waits_without_power(
    teen: Account, heron: Account
) -> None:
    made = pair(heron, teen)
    Account.objects.filter(pk=heron.pk).update(age_assurance="declared")
    assert ending.end_due_pairings() == 0
    made.refresh_from_db()
    assert made.ended_at is None
    assert not power.has_power(Pairing.objects.get(pk=made.pk))


def test_what_a_pack_hides_is_not_on_the_page(
    teen: Account, heron: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kinward.families.visits import page
    from kinward.policy.families import FamilyRules

    made = pair(heron, teen)
    hidden = FamilyRules(guardian_sees=("settings", "asks"))
    monkeypatch.setattr("kinward.portal.views_family.rules_for", lambda _: hidden)
    monkeypatch.setattr(page, "rules_for", lambda _: hidden)
    from tests.integration.portal.test_pages import visiting

    shown = visiting(heron).get(f"/family/teens/{made.pk}").content.decode()
    assert "minutes left" not in shown
    assert "<svg" not in shown
    assert "minutes left" in visiting(teen).get("/family").content.decode()


# ---- choosing


def test_two_guardians_who_differ_get_the_protective_value_and_are_told(
    teen: Account, heron: Account, egret: Account
) -> None:
    pair(heron, teen)
    pair(egret, teen)

    def choose(guardian: Account, value: Weekly | None) -> None:
        name = "session.time"
        choices.choose_setting(
            guardian=guardian, teen_id=teen.platform_id, capability=name, value=value
        )

    choose(heron, 120)
    assert guardian_value(teen, "session.time") == 120  # one is enough to loosen
    choose(egret, (45,) * 5 + (180, 180))
    assert guardian_value(teen, "session.time") == (45,) * 5 + (120, 120)
    for guardian in (heron, egret):
        assert any("The more protective choice applies." in each for each in told(guardian))
    choose(egret, None)
    assert guardian_value(teen, "session.time") == 120
    assert any(each.startswith("Heron changed a setting.") for each in told(teen))


def test_what_is_locked_is_refused_and_nothing_changes(teen: Account, heron: Account) -> None:
    pair(heron, teen)
    for capability, value in (
        ("dm.receive", "mutuals"),  # not before 16, whoever asks
        ("content.mature", "full"),
        ("ads.personalised", "allow"),
        ("account.join", "allow"),
        ("session.time", 5),  # under the pack's floor
        ("session.time", (60,) * 6),
        ("session.time", "much"),
        ("no.such", 1),
    ):
        with pytest.raises((SettingLocked, Invalid)):
            choices.choose_setting(
                guardian=heron, teen_id=teen.platform_id, capability=capability, value=value
            )
    assert load_states([teen.platform_id])[teen.platform_id].guardian == {}


def test_somebody_else_s_teen_and_nobody_get_one_answer(teen: Account, heron: Account) -> None:
    said = set()
    for teen_id in (teen.platform_id, "nobody", heron.platform_id):
        with pytest.raises(NotPaired) as refused:
            choices.choose_setting(
                guardian=heron, teen_id=teen_id, capability="session.time", value=60
            )
        said.add(str(refused.value))
    assert len(said) == 1


def test_words_are_left_out(teen: Account, heron: Account) -> None:
    pair(heron, teen)
    who: dict[str, Any] = {"teen_id": teen.platform_id, "account": heron}
    keywords.add_keyword(word="  Spoiler   ALERT ", guardian=heron, **who)
    keywords.add_keyword(word="spoiler alert", guardian=heron, **who)
    (word,) = keywords.keywords_of(teen)
    assert word.word == "spoiler alert"
    mine: dict[str, Any] = {"teen_id": teen.platform_id, "guardian": None, "account": teen}
    keywords.remove_keyword(keyword_id=word.pk, **mine)  # a guardian's word is not theirs to remove
    assert len(keywords.keywords_of(teen)) == 1
    with pytest.raises(Invalid):
        keywords.add_keyword(word="x" * 41, **mine)


# ---- asking


def test_minutes_for_tonight(teen: Account, heron: Account) -> None:
    pair(heron, teen)
    asked = requests.ask_guardians(
        teen=teen, capability="session.time", reason="a film", minutes=30
    )
    before = screen_time(teen, timezone.now()).allowed
    answers.answer_ask(guardian=heron, ask_id=asked.id, said="yes")
    time = screen_time(teen, timezone.now())
    assert (time.allowed, time.extra) == ((before or 0) + 30, 30)
    assert told(heron)[0] == "Sandpiper asks for: 30 more minutes today"
    assert told(teen)[0] == "Heron said yes: 30 more minutes today"
    with pytest.raises(AskClosed):
        answers.answer_ask(guardian=heron, ask_id=asked.id, said="yes")
    # Another day is another day.
    assert screen_time(teen, timezone.now() + timedelta(days=1)).extra == 0


def test_extra_minutes_stay_inside_the_law(heron: Account) -> None:
    actor = Actor.system("test")
    read = with_hours_of_china(read_files("teen-accounts"))
    files = read | {"pack.toml": read["pack.toml"].replace('version = "', 'version = "read-')}
    activate_pack(pack=store_pack(files=files, actor=actor))
    teen = make_account("plover", 15, place="CN")
    pair(heron, teen)
    asked = requests.ask_guardians(teen=teen, capability="session.time", reason="", minutes=120)
    answers.answer_ask(guardian=heron, ask_id=asked.id, said="yes")
    assert screen_time(teen, timezone.now()).allowed == 60


def test_an_ask_lapses(teen: Account, heron: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    pair(heron, teen)
    asked = requests.ask_guardians(
        teen=teen, capability="purchase.make", reason="shoes", value="allow"
    )
    later = timezone.now() + expiry.LAPSES
    monkeypatch.setattr(timezone, "now", lambda: later)
    with pytest.raises(AskClosed):
        answers.answer_ask(guardian=heron, ask_id=asked.id, said="yes")
    expiry.tidy_asks(teen.pk)
    asked.refresh_from_db()
    assert asked.state == "lapsed"
    assert decide_afresh(teen, "purchase.make").effect == "deny"


def test_a_yes_for_a_time_ends_by_itself_even_if_no_job_runs(
    teen: Account, heron: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair(heron, teen)
    asked = requests.ask_guardians(
        teen=teen, capability="purchase.make", reason="shoes", value="allow"
    )
    until = timezone.now() + timedelta(hours=2)
    answers.answer_ask(guardian=heron, ask_id=asked.id, said="yes", until=until)
    assert decide_afresh(teen, "purchase.make").effect == "allow"
    monkeypatch.setattr(timezone, "now", lambda: until)
    assert decide_afresh(teen, "purchase.make").effect == "deny"


def test_talking_and_then_yes(teen: Account, heron: Account, egret: Account) -> None:
    pair(heron, teen)
    pair(egret, teen)
    asked = requests.ask_guardians(
        teen=teen, capability="comment.receive", reason="", value="followers"
    )
    answers.answer_ask(guardian=heron, ask_id=asked.id, said="talk", note="at supper?")
    answers.answer_ask(guardian=egret, ask_id=asked.id, said="yes")
    assert guardian_value(teen, "comment.receive") == "followers"
    (seen,) = requests.ask_history(teen)
    assert [each.answer for each in seen.answers.all()] == ["talk", "yes"]


def test_old_reasons_and_notes_are_forgotten_and_new_ones_are_not(
    teen: Account, heron: Account
) -> None:
    pair(heron, teen)
    for capability, words in (("comment.receive", "old"), ("content.audience", "new")):
        ask = requests.ask_guardians(
            teen=teen, capability=capability, reason=f"{words} reason", value="followers"
        )
        answers.answer_ask(guardian=heron, ask_id=ask.id, said="talk", note=f"{words} note")
        if words == "old":
            before = timezone.now()
            Ask.objects.filter(pk=ask.pk).update(made_at=before - timedelta(days=1))
            Answer.objects.filter(ask=ask).update(at=before - timedelta(days=1))
    expiry.forget_reasons(before)
    assert set(Ask.objects.values_list("reason", flat=True)) == {"", "new reason"}
    assert set(Answer.objects.values_list("note", "answer")) == {("", "talk"), ("new note", "talk")}


def test_a_guardian_proposes_and_the_teen_agrees(teen: Account, heron: Account) -> None:
    pair(heron, teen)
    asked: dict[str, Any] = {"teen_id": teen.platform_id, "capability": "session.time"}
    made = requests.propose_setting(guardian=heron, reason="exams", value=45, **asked)
    assert told(teen)[0] == "Heron suggests: Time per day: 45 minutes"
    assert guardian_value(teen, "session.time") is None
    answers.answer_proposal(teen=teen, ask_id=made.id, said="yes")
    assert guardian_value(teen, "session.time") == 45


def test_what_was_answered_stays_answered_when_its_guardian_leaves(
    teen: Account, heron: Account, egret: Account
) -> None:
    made = pair(heron, teen)
    pair(egret, teen)
    asked: dict[str, Any] = {"teen_id": teen.platform_id, "capability": "session.time"}
    answered = requests.propose_setting(guardian=heron, reason="", value=45, **asked)
    answers.answer_proposal(teen=teen, ask_id=answered.id, said="yes")
    asked["capability"] = "comment.receive"
    waiting = requests.propose_setting(guardian=heron, reason="", value="nobody", **asked)
    ending.end_pairing(account=heron, pairing_id=made.pk)
    answered.refresh_from_db()
    waiting.refresh_from_db()
    assert (answered.state, waiting.state) == ("granted", "lapsed")


def test_nobody_asks_without_end(teen: Account, heron: Account) -> None:
    with pytest.raises(NoGuardian):
        requests.ask_guardians(teen=teen, capability="session.time", reason="", minutes=15)
    pair(heron, teen)
    for _ in range(requests.MAX_OPEN):
        requests.ask_guardians(teen=teen, capability="session.time", reason="", minutes=15)
    with pytest.raises(TooManyTries):
        requests.ask_guardians(teen=teen, capability="session.time", reason="", minutes=15)
    for wrong in ({"minutes": 0}, {"minutes": 500}, {"value": "always"}, {}):
        with pytest.raises(KinwardError):
            requests.ask_guardians(teen=teen, capability="session.time", reason="", **wrong)


# ---- pass-codes


def test_a_pass_code_is_checked_offline_and_used_once(
    teen: Account, heron: Account, configure: Configure
) -> None:
    configure(policy_key="11" * 32)
    pair(heron, teen)
    first, *rest = passcodes.show_passcodes(guardian=heron, teen_id=teen.platform_id)
    assert sum(each.minutes for each in (first, *rest)) == 60
    body = _verified(passcodes.passcode_sheet(teen, timezone.now()))
    assert _offline(body, first.code) == first.minutes
    assert _offline(body, "00000000") is None
    assert first.code not in json.dumps(body)
    used = passcodes.use_passcode(account=teen, code=first.code, at=timezone.now())
    again = passcodes.use_passcode(account=teen, code=first.code, at=timezone.now())
    assert used.extra == again.extra == first.minutes
    assert "A pass-code gave Sandpiper 15 more minutes today." in told(heron)
    assert len(passcodes.show_passcodes(guardian=heron, teen_id=teen.platform_id)) == 2
    for code, at in (
        ("00000000", timezone.now()),
        (rest[0].code, timezone.now() - timedelta(days=3)),
        (rest[0].code, timezone.now() + timedelta(hours=1)),
    ):
        with pytest.raises(PasscodeRefused):
            passcodes.use_passcode(account=teen, code=code, at=at)


def test_guessing_pass_codes_is_stopped_and_the_guardian_hears_of_it(
    teen: Account, heron: Account, egret: Account, configure: Configure
) -> None:
    configure(policy_key="11" * 32)
    pair(heron, teen)
    (code, *_) = passcodes.show_passcodes(guardian=heron, teen_id=teen.platform_id)
    for _ in range(invitations.MAX_WRONG):
        with pytest.raises(PasscodeRefused):
            passcodes.use_passcode(account=teen, code="00000000", at=timezone.now())
    for _ in range(2):
        with pytest.raises(TooManyTries):
            passcodes.use_passcode(account=teen, code=code.code, at=timezone.now())
    guessed = "Too many wrong pass-codes were entered for Sandpiper."
    assert sum(each.startswith(guessed) for each in told(heron)) == 1
    # A pairing code still works: who guesses one kind does not lock the other.
    made, _ = invitations.create_invitation(maker=egret, side=Side.GUARDIAN)
    assert invitations.read_invitation(account=teen, typed=made).maker == egret


def test_guessing_codes_does_not_lock_pass_codes(
    teen: Account, heron: Account, configure: Configure
) -> None:
    configure(policy_key="11" * 32)
    pair(heron, teen)
    (code, *_) = passcodes.show_passcodes(guardian=heron, teen_id=teen.platform_id)
    for _ in range(invitations.MAX_WRONG):
        with pytest.raises(CodeRefused):
            invitations.read_invitation(account=teen, typed="22222222")
    assert passcodes.use_passcode(account=teen, code=code.code, at=timezone.now()).extra == 15


def _verified(sheet: dict[str, str]) -> Any:
    """As an app does it: the signature first, by the key that it pins."""
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    body = base64.b64decode(sheet["body"])
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(sheet["key"]))
    key.verify(base64.b64decode(sheet["signature"]), body)
    return json.loads(body)


def _offline(body: Any, code: str) -> int | None:
    import hashlib

    for each in body["codes"]:
        salt = bytes.fromhex(each["salt"])
        found = hashlib.pbkdf2_hmac("sha256", code.encode(), salt, body["rounds"]).hex()
        if found == each["digest"]:
            return int(each["minutes"])
    return None


def test_pass_codes_end_with_the_pairing(
    teen: Account, heron: Account, configure: Configure
) -> None:
    configure(policy_key="11" * 32)
    made = pair(heron, teen)
    (code, *_) = passcodes.show_passcodes(guardian=heron, teen_id=teen.platform_id)
    ending.end_pairing(account=heron, pairing_id=made.pk)
    assert _verified(passcodes.passcode_sheet(teen, timezone.now()))["codes"] == []
    with pytest.raises(PasscodeRefused):
        passcodes.use_passcode(account=teen, code=code.code, at=timezone.now())


# ---- the end, and harm at home


def test_a_dispute_takes_all_power_and_calls_who_is_trusted(
    teen: Account, heron: Account, egret: Account
) -> None:
    made = pair(heron, teen)
    choices.choose_setting(
        guardian=heron, teen_id=teen.platform_id, capability="session.time", value=30
    )
    code, _ = invitations.create_invitation(maker=teen, side=Side.TRUSTING)
    named = invitations.accept_invitation(account=egret, typed=code)
    assert isinstance(named, TrustedAdult)
    trusted_adults.confirm_trusted_adult(teen=teen, trusted_id=named.pk)
    disputes.pause_disputed_pairing(teen=teen, pairing_id=made.pk)
    said = "Sandpiper is asking you to get in touch. Please do so soon and gently."
    assert told(egret)[0] == said
    with pytest.raises(PairingPaused):
        choices.choose_setting(
            guardian=heron, teen_id=teen.platform_id, capability="session.time", value=15
        )
    assert guardian_value(teen, "session.time") is None  # the default, while a person looks
    assert not any("trust" in each.lower() for each in told(heron))


def test_ending_takes_what_was_chosen_with_it(teen: Account, heron: Account) -> None:
    made = pair(heron, teen)
    asked: dict[str, Any] = {"teen_id": teen.platform_id, "capability": "purchase.make"}
    choices.choose_setting(guardian=heron, value="allow", **asked)
    ending.end_pairing(account=teen, pairing_id=made.pk)
    assert decide_afresh(teen, "purchase.make").effect == "allow"  # while the notice runs
    Pairing.objects.filter(pk=made.pk).update(ends_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotPaired):
        choices.choose_setting(
            guardian=heron, value="allow", **asked
        )  # whether or not the job has run
    assert ending.end_due_pairings(teen.pk) == 1
    assert decide_afresh(teen, "purchase.make").effect == "deny"
    assert "Your pairing with Sandpiper has ended." in told(heron)


@pytest.mark.parametrize(
    ("who", "changes", "ended"),
    [
        ("teen", {}, False),
        ("teen", {"age_lower": 18, "age_upper": 19}, True),  # nothing says when it changed
        ("teen", {"age_lower": 17, "age_upper": 18, "age_changes_on": date(2020, 1, 1)}, True),
        ("guardian", {"age_lower": 17, "age_upper": 18}, True),
        ("guardian", {"age_lower": 17, "age_upper": 60}, False),  # no longer certain
    ],
)
def test_a_pairing_that_is_over_is_ended_by_the_job_and_no_other(
    teen: Account, heron: Account, who: str, changes: dict[str, Any], ended: bool
) -> None:
    pairing = pair(heron, teen)
    other = pair(make_account("stork", 50), make_account("dunlin", 14))
    person = teen if who == "teen" else heron
    Account.objects.filter(pk=person.pk).update(**{"age_changes_on": None, **changes})
    assert ending.end_due_pairings() == ended
    pairing.refresh_from_db()
    other.refresh_from_db()
    assert (pairing.ended_at is not None, other.ended_at) == (ended, None)


def test_a_teen_who_stays_is_in_the_ledger_with_the_pairing(teen: Account, heron: Account) -> None:
    pairing = pair(heron, teen)
    ending.end_pairing(account=teen, pairing_id=pairing.pk)
    with pytest.raises(NotPaired):
        ending.stay_paired(account=heron, pairing_id=pairing.pk)
    ending.stay_paired(account=teen, pairing_id=pairing.pk)
    entry = Entry.objects.get(kind="pairing.stayed")
    assert (entry.subject, entry.actor) == (str(pairing), str(teen.actor))
    assert any("stay" in sentence for sentence in told(heron)), told(heron)


def test_each_setting_says_who_set_it(teen: Account, heron: Account) -> None:
    pairing = pair(heron, teen)
    choices.choose_setting(
        guardian=heron, teen_id=teen.platform_id, capability="session.time", value=45
    )
    choices.choose_for_self(account=teen, capability="live.watch", value="deny")

    def set_by(reader: Account, seen: Pairing | None) -> dict[str, str]:
        groups = groups_for(teen, reader=reader, pairing=seen)
        return {row.capability: row.set_by for group in groups for row in group.rows}

    mine, theirs = set_by(teen, None), set_by(heron, pairing)
    assert (mine["session.time"], theirs["session.time"]) == ("Set by Heron", "Set by you")
    assert mine["live.watch"] == "Set by you"
    assert theirs["live.watch"] == "Set by Sandpiper"
    assert mine["dm.receive"] == theirs["dm.receive"] == "Set by this community's rules"


# ---- the digest


def test_the_digest_goes_to_a_confirmed_address_and_has_numbers_only(
    teen: Account, heron: Account, configure: Configure
) -> None:
    made = pair(heron, teen)
    asked: dict[str, Any] = {"guardian": heron, "teen_id": teen.platform_id}
    with pytest.raises(Invalid):
        digest.choose_digest(wish="kin@tidepool.example", **asked)  # mail is not set up
    configure(mail_url="smtp://127.0.0.1:2525")
    with pytest.raises(Invalid):
        digest.choose_digest(wish="no address", **asked)
    assert digest.choose_digest(wish="kin@tidepool.example", **asked)
    made.refresh_from_db()
    assert made.digest == "app"  # until the owner has said yes
    (message,) = mail.outbox
    assert config().url in message.body
    token = re.search(r"token=(\S+)", str(message.body))
    assert token is not None
    with pytest.raises(Invalid):
        digest.confirm_digest(token.group(1)[:-2] + "xx")
    from urllib.parse import unquote

    digest.confirm_digest(unquote(token.group(1)))
    digest.mail_digest(str(made.pk))
    assert mail.outbox[-1].to == ["kin@tidepool.example"]
    assert "spent 0 minutes in the app. Requests made: 0" in mail.outbox[-1].body
    ending.end_pairing(account=heron, pairing_id=made.pk)
    digest.mail_digest(str(made.pk))
    assert len(mail.outbox) == 2


@pytest.mark.parametrize("hidden", ["", "minutes", "asks"])
def test_a_digest_counts_what_the_pack_lets_guardians_see(
    hidden: str, teen: Account, heron: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = pair(heron, teen)
    requests.ask_guardians(teen=teen, capability="session.time", reason="", minutes=15)
    rules, seen = power.rules_for(teen), ("minutes", "asks")
    rules = msgspec.structs.replace(
        rules, guardian_sees=tuple(name for name in seen if name != hidden)
    )
    monkeypatch.setattr(digest, "rules_for", lambda _account: rules)
    week = [(date(2026, 11, 25), 40), (date(2026, 11, 26), 2)]
    spent = msgspec.structs.replace(screen_time(teen, timezone.now()), week=week)
    monkeypatch.setattr(digest, "screen_time", lambda _account, _now: spent)
    counted = {"minutes": 42, "asks": 1} | ({hidden: 0} if hidden else {})
    assert digest.week_of(made, timezone.now()) == counted


def test_the_digest_in_the_app(teen: Account, heron: Account) -> None:
    pair(heron, teen)
    assert digest.send_digests() == 1
    assert told(heron)[0] == "This week Sandpiper spent 0 minutes in the app."
    assert digest.send_digests() == 0  # the job that begins again
