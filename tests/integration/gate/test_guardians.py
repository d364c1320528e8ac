"""The platform tells how it knows who is a guardian, and takes it back."""

from typing import Any, Final

import pytest

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.families.models import GuardianProof, Side
from kinward.families.pairing import invitations
from kinward.people.models import Account
from tests.integration.gate.test_gate import Caller
from tests.support.families import make_account

pytestmark = pytest.mark.django_db(transaction=True)

PATH: Final = "/v1/accounts/zoe/guardians/pal/proof"
PROOF: Final = {"method": "card", "checked_on": "2026-11-02", "evidence": "kyc-8842"}


@pytest.fixture
def call(db: None) -> Caller:
    return Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))


@pytest.fixture
def zoe(db: None) -> Account:
    """A teen whose guardian is pal, as an estimate has it an adult of 19."""
    teen, pal = make_account("zoe", 15, place="US-TX"), make_account("pal", 19, "estimated")
    code, _ = invitations.create_invitation(maker=pal, side=Side.GUARDIAN)
    invitations.accept_invitation(account=teen, typed=code)
    return teen


def sets(call: Caller, capability: str, value: Any) -> tuple[int, Any]:
    sent = {"layer": "guardian", "guardian_id": "pal", "value": value}
    answer = call("PUT", f"/v1/accounts/zoe/settings/{capability}", json=sent)
    return answer.status_code, answer.json()


def allowed(call: Caller, capability: str) -> str:
    question = {"capability": capability, "actor": {"id": "zoe"}}
    return str(call("POST", "/v1/decide", json=question).json()["effect"])


def test_a_friend_of_19_opens_nothing_by_the_api(call: Caller, zoe: Account) -> None:
    """F7. Each of these was a 200, and the pairing alone opened the account."""
    loose: dict[str, Any] = {
        "session.time": 1440,
        "session.hours": "always",
        "comment.receive": "everyone",
        "profile.private": "public",
        "feed.personalised": "allow",
        "location.share": "family",
        "profile.discoverable": "allow",
    }
    assert allowed(call, "account.join") == "deny"
    for capability, value in loose.items():
        status, answer = sets(call, capability, value)
        assert status == 403, capability
        assert answer["code"] in ("guardian.unproven", "setting.locked"), capability
    status, answer = sets(call, "account.join", "allow")
    assert (status, answer["code"]) == (403, "guardian.unproven")
    assert sets(call, "session.time", 30)[0] == 200


def test_with_a_proof_the_same_guardian_consents_and_loosens(call: Caller, zoe: Account) -> None:
    answer = call("PUT", PATH, json=PROOF)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["account_id"], told["guardian_id"], told["counts_as"]) == ("zoe", "pal", "card")
    assert {name: told["proof"][name] for name in PROOF} == PROOF
    assert told["proof"]["told_by"] == "key:app"
    assert call("PUT", PATH, json=PROOF).json() == told, "idempotent"
    assert call("GET", PATH).json() == told
    assert sets(call, "account.join", "allow")[0] == 200
    assert sets(call, "account.join", "maybe")[0] == 422
    assert allowed(call, "account.join") == "allow"
    assert sets(call, "session.time", 120)[1]["holds"]
    gone = call("DELETE", PATH)
    assert gone.status_code == 200
    assert (gone.json()["proof"], gone.json()["counts_as"]) == (None, "")
    assert call("DELETE", PATH).json() == gone.json()
    assert allowed(call, "account.join") == "deny"
    assert sets(call, "session.time", 120)[0] == 403


def test_a_weaker_proof_names_the_stronger_one_that_it_replaces(call: Caller, zoe: Account) -> None:
    stronger = call("PUT", PATH, json=PROOF | {"method": "court"}).json()["proof"]["id"]
    refused = call("PUT", PATH, json=PROOF)
    assert (refused.status_code, refused.json()["code"]) == (409, "guardian.proof_weaker")
    assert stronger in refused.json()["detail"]
    assert call("PUT", PATH, json=PROOF | {"replaces": stronger}).json()["counts_as"] == "card"


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "word"},
        {"checked_on": "soon"},
        {"checked_on": "2999-01-01"},
        {"evidence": ""},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "2999-01-01T00:00:00"},
        {"colour": "red"},
    ],
)
def test_what_is_no_proof_is_refused(call: Caller, zoe: Account, wrong: dict[str, str]) -> None:
    assert call("PUT", PATH, json=PROOF | wrong).status_code == 422
    assert not GuardianProof.objects.exists()


def test_only_a_key_for_consents_says_who_is_a_guardian(zoe: Account) -> None:
    scopes = SCOPES - {"consents:write"}
    call = Caller(create_key(name="gate", scopes=scopes, actor=Actor.system("test")))
    for method, sent in (("GET", None), ("PUT", PROOF), ("DELETE", None)):
        assert call(method, PATH, json=sent).status_code == 403
    for path in ("/v1/accounts/nobody/guardians/pal/proof", "/v1/accounts/zoe/guardians/no/proof"):
        whole = Caller(create_key(name=path[13:20], scopes=SCOPES, actor=Actor.system("test")))
        assert whole("PUT", path, json=PROOF).status_code == 404
