"""What the guides say about the product and no other test holds: each claim, word for word.

`tests/support/claims.toml` names the tests of all claims.
"""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.experience.api import live
from kinward.families.pairing import ending
from kinward.families.settings import choices
from kinward.findings.user_reports import UserReportIn, receive_user_report
from kinward.guidelines.api import guidelines_in_force
from kinward.policy.families import MAY_BE_SEEN
from kinward.portal.guides.claims import claims_in, say_claims
from tests.integration.portal.test_pages import visiting
from tests.support.families import make_account, pair

pytestmark = pytest.mark.django_db


def said(page: str) -> str:
    return " ".join(page.split())


def test_there_is_no_word_for_content_that_a_guardian_could_see() -> None:
    numbers = {"minutes", "posts", "comments", "messages", "searches", "new_followers"}
    assert set(MAY_BE_SEEN) == numbers | {"settings", "asks"}


def test_teen_and_guardian_read_the_same_list() -> None:
    teen, guardian = make_account("wren", 15), make_account("heron", 40)
    made = pair(guardian, teen)
    pack = live().in_force().for_account("wren")
    assert pack is not None
    assert pack.families.guardian_sees
    words = ["time spent in the app each day", "the settings", "requests, suggestions and answers"]
    theirs = said(visiting(guardian).get(f"/family/teens/{made.pk}").content.decode())
    own = said(visiting(teen).get("/family").content.decode())
    for page in (own, theirs):
        assert [word for word in words if word not in page] == []


def test_guardians_read_each_other_s_names_beside_a_setting() -> None:
    """While this is so, the guide for two homes says it: some have to know before they pair."""
    teen, heron, ibis = (
        make_account("wren", 15),
        make_account("heron", 40),
        make_account("ibis", 39),
    )
    made = [pair(guardian, teen) for guardian in (heron, ibis)]
    for guardian in (heron, ibis):
        choices.choose_setting(
            guardian=guardian, teen_id="wren", capability="session.time", value=45
        )
    assert "ibis" in visiting(heron).get(f"/family/teens/{made[0].pk}").content.decode().lower()


def test_the_teen_reads_what_cannot_be_hidden() -> None:
    teen = make_account("wren", 15)
    pair(make_account("heron", 40), teen)
    page = said(visiting(teen).get("/family").content.decode())
    assert "can see that a new limit does not stop it" in page


@pytest.mark.parametrize(("age", "at_once"), [(13, False), (15, False), (16, True), (17, True)])
def test_a_teen_ends_a_pairing_with_notice_or_at_once(age: int, at_once: bool) -> None:
    """The numbers of the claim are those of the rules, and the rules do as they say."""
    teen = make_account("wren", age)
    made = pair(make_account("heron", 40), teen)
    before = timezone.now()
    ending.end_pairing(account=teen, pairing_id=made.pk)
    made.refresh_from_db()
    if at_once:
        assert made.ended_at is not None
    else:
        assert made.ends_at is not None
        assert made.ends_at - before >= timedelta(hours=48)
    (claim,) = say_claims(["end.notice"], "en")
    assert "48 more hours" in claim
    assert "From 16 on, it ends at once." in claim


def test_nobody_reads_who_reported_them() -> None:
    make_account("wren", 15)
    heron = make_account("heron", 40)
    report = UserReportIn(account_id="heron", reporter_id="wren", category="contact", text="Rude.")
    receive_user_report(report=report, actor=Actor.key("test"))
    browser = visiting(heron)
    for path in ("/family", "/family/decisions", "/family/report"):
        page = browser.get(path).content.decode()
        assert "wren" not in page
        assert "Rude." not in page


def test_the_rules_in_force_are_named_as_they_are() -> None:
    pack = live().in_force().for_account(None)
    assert pack is not None
    (claim,) = say_claims(["numbers.rules"], "en")
    assert pack.label in claim
    assert guidelines_in_force().label in claim


def test_a_claim_without_a_readable_pack_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    in_force = live().in_force()
    monkeypatch.setattr(type(in_force), "for_account", lambda *_: None)
    assert say_claims(["end.notice", "numbers.rules"], "en") == []
    assert say_claims(["guardian.max"], "en") == ["A teen can have up to 4 guardians."]
    assert Client().get("/safety/en/guides/pictures").status_code == 200


def test_every_claim_can_be_said_in_every_language() -> None:
    for language in ("en", "de", "es", "fr", "nl", "sv"):
        sentences = say_claims(claims_in(language), language)
        assert len(sentences) == len(claims_in(language))
        assert not [sentence for sentence in sentences if "{" in sentence]
