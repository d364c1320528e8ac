"""From the request to the account's age: the gate, the wallet, the provider, and the database."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import msgspec
import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.services import create_key
from kinward.ages import openid4vp, services
from kinward.ages import sandbox as practice
from kinward.ages.encrypted import AnswerKey, encrypt
from kinward.ages.models import Method, ProofRequest
from kinward.ages.practice import Issuer
from kinward.ages.practice import token_of as practice_token
from kinward.ages.sandbox import Sandbox
from kinward.ledger.models import Entry
from kinward.people.models import Account, UnreadSignal
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.support.helpers import listening

pytestmark = pytest.mark.django_db(transaction=True)

PROOFS: Final = "/v1/accounts/member-1/age-proofs"
WALLET: Final = "/v1/age-proofs/wallet"
DAY: Final = timedelta(days=1)


@pytest.fixture
def services_of_age(configure: Configure, tmp_path: Path) -> Iterator[Sandbox]:
    """A test issuer with its wallet, and a provider of age keys, both of which are trusted."""
    server = practice.serve(host="127.0.0.1", port=0, client_id="app", client_secret="s3cret")
    practice.write_issuers(server, tmp_path / "issuers.pem")
    configure(
        age_issuers=str(tmp_path / "issuers.pem"),
        inner_hosts="127.0.0.1",
        agekey_issuer=server.url,
        agekey_client_id="app",
        agekey_client_secret="s3cret",
        agekey_redirect_url="https://app.example/age",
    )
    with listening(server):
        yield server


@pytest.fixture
def call(db: None, account: Account) -> Caller:
    scopes = frozenset({"accounts:write", "policy:decide"})
    return Caller(create_key(name="app", scopes=scopes, actor=Actor.system("test")))


def ask(call: Caller, method: str = "wallet", ages: tuple[int, ...] = (18,), **more: Any) -> Any:
    answer = call("POST", PROOFS, json={"method": method, "ages": ages, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def presented(server: Sandbox, asked: Any, age: int, **more: str) -> dict[str, Any]:
    """What a wallet would post, and the place of its attestation in the status list."""
    form = {"request": asked["url"], "age": str(age), "send": "no", **more}
    answer = httpx.post(f"{server.url}/present", data=form, trust_env=False)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def outcome(call: Caller, asked: Any) -> tuple[str, str]:
    found = call("GET", f"{PROOFS}/{asked['proof_id']}").json()
    return found["outcome"], found["reason"]


def stored() -> tuple[int, int, str, str]:
    age = Account.objects.get(platform_id="member-1").age
    return age.lower, age.upper, age.source, age.assurance


def set_known(lower: int, upper: int, assurance: Any) -> None:
    known = AgeRange(lower, upper, "earlier", assurance)
    put_account(platform_id="member-1", profile=Profile(age=known))


def reason_of(answer: httpx.Response) -> str:
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "age_proof.refused"
    return str(answer.json()["reason"])


def test_a_wallet_proves_an_age(call: Caller, services_of_age: Sandbox) -> None:
    set_known(15, 16, "declared")
    asked = ask(call)
    assert asked["url"].startswith("av://?response_type=vp_token&response_mode=direct_post&")
    assert asked["request"]["client_id"] == f"redirect_uri:{asked['request']['response_uri']}"
    assert outcome(call, asked) == ("waiting", "")
    sent = presented(services_of_age, asked, 20)["sent"]
    answer = call("POST", WALLET, data=sent, headers={"Authorization": ""})
    assert (answer.status_code, answer.json()) == (200, {})
    assert outcome(call, asked) == ("accepted", "")
    assert stored() == (18, 150, "eu-wallet", "verified")
    entry = Entry.objects.get(kind="age.proven")
    assert (entry.subject, entry.actor) == ("account:member-1", "account:member-1")
    assert entry.data == {"method": "wallet", "outcome": "accepted", "age": [18, 150]}


def test_a_person_who_is_younger_is_so_from_then_on(call: Caller, services_of_age: Sandbox) -> None:
    set_known(30, 31, "declared")
    asked = ask(call, ages=(16, 18))
    sent = presented(services_of_age, asked, 17)["sent"]
    answer = call("POST", f"{PROOFS}/{asked['proof_id']}/answer", json=sent)
    assert answer.json()["age"]["lower"] == 16
    assert stored() == (16, 18, "eu-wallet", "verified")
    assert Entry.objects.get(kind="age.proven").actor == "key:app"


def test_an_answer_is_taken_once(call: Caller, services_of_age: Sandbox) -> None:
    asked = ask(call)
    sent = presented(services_of_age, asked, 20)["sent"]
    assert call("POST", WALLET, data=sent).status_code == 200
    for again in (sent, presented(services_of_age, asked, 20)["sent"]):
        answer = call("POST", WALLET, data=again)
        assert (answer.status_code, answer.json()["code"]) == (404, "age_proof.unknown")
    assert Entry.objects.filter(kind="age.proven").count() == 1


def test_two_answers_at_once_are_one(call: Caller, services_of_age: Sandbox) -> None:
    asked = ask(call)
    sent = [presented(services_of_age, asked, 20)["sent"] for _ in range(4)]
    answers = call.together([("POST", WALLET, {"data": each}) for each in sent])
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]


def test_a_newer_request_while_an_answer_is_verified(
    call: Caller, services_of_age: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, newer = ask(call), list[str]()
    sent = presented(services_of_age, asked, 20)["sent"]
    fetch = services._fetch_list

    def fetch_slowly(uri: str) -> bytes:
        again = services.ask_for_proof(account_id="member-1", method=Method.WALLET, ages=[21])
        newer.append(str(again.request.pk))
        return fetch(uri)

    monkeypatch.setattr(services, "_fetch_list", fetch_slowly)
    assert call("POST", WALLET, data=sent).status_code == 200
    assert stored()[:2] == (18, 150)
    assert outcome(call, {"proof_id": newer[0]}) == ("waiting", "")


def test_a_platform_may_relay_what_came_to_its_own_address(
    call: Caller, services_of_age: Sandbox
) -> None:
    asked = ask(call, response_uri="https://app.example/wallet")
    assert asked["request"]["client_id"] == "redirect_uri:https://app.example/wallet"
    sent = presented(services_of_age, asked, 20)["sent"]
    answer = call("POST", f"{PROOFS}/{asked['proof_id']}/answer", json=sent)
    assert answer.json()["outcome"] == "accepted"


def test_without_a_safe_address_of_our_own_no_wallet_is_asked(
    call: Caller, services_of_age: Sandbox, configure: Configure
) -> None:
    configure(public_url="http://kinward.example")
    answer = call("POST", PROOFS, json={"method": "wallet", "ages": [18]})
    assert (answer.status_code, answer.json()["code"]) == (503, "config.wrong")
    assert "KINWARD_PUBLIC_URL" in answer.json()["detail"]


def test_a_refused_answer_is_an_answer(call: Caller, services_of_age: Sandbox) -> None:
    asked = ask(call)
    sent = presented(services_of_age, asked, 20)["sent"]
    wrong = call("POST", WALLET, data=sent | {"vp_token": "{}"})
    assert reason_of(wrong) == "malformed"
    assert call("POST", WALLET, data=sent).status_code == 404
    assert outcome(call, asked) == ("refused", "malformed")


def test_an_answer_captured_for_another_request(call: Caller, services_of_age: Sandbox) -> None:
    first = ask(call)
    sent = presented(services_of_age, first, 20)["sent"]
    second = ask(call)  # takes the first one's place
    assert call("POST", WALLET, data=sent).status_code == 404
    assert call("GET", f"{PROOFS}/{first['proof_id']}").status_code == 404
    answer = call("POST", WALLET, data=sent | {"state": second["request"]["state"]})
    assert reason_of(answer) == "request.other"


def test_an_answer_of_another_account(call: Caller, services_of_age: Sandbox) -> None:
    put_account(platform_id="member-2", profile=Profile())
    other = "/v1/accounts/member-2/age-proofs"
    asked = call("POST", other, json={"method": "wallet", "ages": [18]}).json()
    sent = presented(services_of_age, asked, 20)["sent"]
    assert call("POST", f"{PROOFS}/{asked['proof_id']}/answer", json=sent).status_code == 404
    own = ask(call)
    assert call("POST", f"{PROOFS}/{own['proof_id']}/answer", json=sent).status_code == 404
    assert stored()[2] != "eu-wallet"


def test_an_attestation_that_has_expired(call: Caller, services_of_age: Sandbox) -> None:
    issue = services_of_age.issuer.issue

    def issue_earlier(claims: Any, now: Any, changes: Any) -> Any:
        moments = {"signed": now - 2 * DAY, "validFrom": now - 2 * DAY, "validUntil": now - DAY}
        return issue(claims, now, {**changes, "validityInfo": moments})

    services_of_age.issuer.issue = issue_earlier  # type: ignore[method-assign,assignment]
    sent = presented(services_of_age, ask(call), 20)["sent"]
    assert reason_of(call("POST", WALLET, data=sent)) == "expired"
    assert stored()[2] != "eu-wallet"


def test_an_issuer_whom_nobody_listed(call: Caller, services_of_age: Sandbox) -> None:
    stranger = Issuer(timezone.now(), "Somebody")
    services_of_age.issuer.issue = stranger.issue  # type: ignore[method-assign]
    sent = presented(services_of_age, ask(call), 20)["sent"]
    assert reason_of(call("POST", WALLET, data=sent)) == "issuer.untrusted"
    assert stored()[2] != "eu-wallet"


def test_an_answer_that_was_made_for_another_verifier(
    call: Caller, services_of_age: Sandbox
) -> None:
    asked = ask(call)
    # Somebody else shows our number as their own request, and passes the answer on to us.
    ours = quote(asked["request"]["response_uri"], safe="")
    theirs = quote("https://elsewhere.example/wallet", safe="")
    shown = {"url": asked["url"].replace(ours, theirs)}
    assert shown["url"] != asked["url"]
    sent = presented(services_of_age, shown, 20)["sent"]
    assert reason_of(call("POST", WALLET, data=sent)) == "request.other"
    assert stored()[2] != "eu-wallet"


def test_a_request_that_has_expired(
    call: Caller, services_of_age: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "OPEN_FOR", timedelta(0))
    asked = ask(call)
    sent = presented(services_of_age, asked, 20)["sent"]
    assert call("POST", WALLET, data=sent).status_code == 404
    assert outcome(call, asked) == ("expired", "")


@pytest.mark.parametrize("state", [1, 2])
def test_what_was_revoked_or_suspended(call: Caller, services_of_age: Sandbox, state: int) -> None:
    asked = ask(call)
    found = presented(services_of_age, asked, 20)
    form = {"place": found["place"], "state": state}
    httpx.post(f"{services_of_age.url}/revoke", data=form, trust_env=False)
    assert reason_of(call("POST", WALLET, data=found["sent"])) == "revoked"
    assert stored()[2] != "eu-wallet"


def test_a_status_that_cannot_be_fetched_is_not_clear(
    call: Caller, services_of_age: Sandbox, configure: Configure
) -> None:
    configure(inner_hosts="")  # nobody may call the list's address
    asked = ask(call)
    sent = presented(services_of_age, asked, 20)["sent"]
    assert reason_of(call("POST", WALLET, data=sent)) == "status.unknown"


def test_a_list_of_another_trusted_issuer_does_not_count(
    call: Caller, services_of_age: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    other = Issuer(timezone.now(), "Another")
    both = tmp_path / "both.pem"
    both.write_bytes(services_of_age.issuer.pem + other.pem)
    configure(age_issuers=str(both))
    asked = ask(call)
    sent = presented(services_of_age, asked, 20)["sent"]
    services_of_age.issuer.status_list = other.status_list  # type: ignore[method-assign]
    assert reason_of(call("POST", WALLET, data=sent)) == "status.unknown"


def test_without_a_list_of_issuers_nobody_is_asked_and_nothing_is_trusted(
    call: Caller, services_of_age: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    asked = ask(call)
    sent = presented(services_of_age, asked, 20)["sent"]
    configure(age_issuers="")
    answer = call("POST", PROOFS, json={"method": "agekey", "ages": [18], "response_uri": "x"})
    assert answer.status_code == 422
    answer = call("POST", PROOFS, json={"method": "wallet", "ages": [18]})
    assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
    assert "KINWARD_AGE_ISSUERS" in answer.json()["detail"]
    assert reason_of(call("POST", WALLET, data=sent)) == "issuer.untrusted"
    configure(age_issuers=str(tmp_path / "missing.pem"))
    assert call("POST", PROOFS, json={"method": "wallet", "ages": [18]}).status_code == 503


def test_a_list_of_issuers_that_counts_no_longer_trusts_nobody(
    call: Caller, services_of_age: Sandbox, configure: Configure, tmp_path: Path
) -> None:
    asked = ask(call)
    sent = presented(services_of_age, asked, 20)["sent"]
    old = tmp_path / "old.pem"
    for line in ("# until: 2026-01-01", "# until: soon"):
        old.write_bytes(f"{line}\n".encode() + services_of_age.issuer.pem)
        configure(age_issuers=str(old))
        for answer in (
            call("POST", PROOFS, json={"method": "wallet", "ages": [18]}),
            call("POST", WALLET, data=sent),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
            assert "KINWARD_AGE_ISSUERS" in answer.json()["detail"]
    assert stored()[2] != "eu-wallet"


def test_a_guardians_word_stands_against_a_lent_phone(
    call: Caller, services_of_age: Sandbox
) -> None:
    set_known(13, 16, "guardian")
    asked = ask(call)
    sent = presented(services_of_age, asked, 40)["sent"]
    assert call("POST", WALLET, data=sent).status_code == 200
    assert outcome(call, asked) == ("contradicted", "")
    assert stored() == (13, 16, "earlier", "guardian")
    assert Entry.objects.get(kind="age.proven").data["outcome"] == "contradicted"


def test_a_proof_outlives_the_platforms_weaker_words(
    call: Caller, services_of_age: Sandbox
) -> None:
    def put(**profile: Any) -> tuple[int, int]:
        call("PUT", "/v1/accounts/member-1", json=profile)
        return stored()[:2]

    sent = presented(services_of_age, ask(call), 12)["sent"]
    assert call("POST", WALLET, data=sent).status_code == 200
    assert stored()[:2] == (0, 18)
    assert put() == (0, 18)
    assert put(age={"lower": 30, "upper": 31}) == (0, 18)
    assert put(age_signal={"birth_date": "1990-01-01"}) == (0, 18)
    assert put(age_signal={"apple": {"declined": True}}) == (0, 18)
    assert stored()[2:] == ("eu-wallet", "verified")
    sent = presented(services_of_age, ask(call), 40)["sent"]  # younger stands: it was proven
    assert call("POST", WALLET, data=sent).status_code == 200
    assert stored()[:2] == (0, 18)
    unknown = {"lower": 0, "upper": 150, "assurance": "none"}
    assert put(age=unknown) == (0, 150)  # the way back
    sent = presented(services_of_age, ask(call), 40)["sent"]
    assert call("POST", WALLET, data=sent).status_code == 200
    assert put(age={"lower": 15, "upper": 16}) == (15, 16)  # younger may always be said


def test_a_person_who_declines(call: Caller, services_of_age: Sandbox) -> None:
    asked = ask(call)
    form = {"error": "access_denied", "state": asked["request"]["state"]}
    assert reason_of(call("POST", WALLET, data=form)) == "declined"
    assert outcome(call, asked) == ("refused", "declined")


def test_what_is_new_to_us_is_for_the_doctor(call: Caller, services_of_age: Sandbox) -> None:
    issue, asked = services_of_age.issuer.issue, ask(call)

    def newer(claims: Any, now: Any, changes: Any) -> Any:
        return issue(claims | {"age_in_years": 20}, now, {**changes, "version": "2.0"})

    services_of_age.issuer.issue = newer  # type: ignore[method-assign,assignment]
    sent = presented(services_of_age, asked, 20)["sent"]
    assert reason_of(call("POST", WALLET, data=sent)) == "document.other"
    assert [row.words for row in UnreadSignal.objects.filter(source="eu-wallet")] == [
        "mso.version=2.0"
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"method": "wallet", "ages": []},
        {"method": "wallet", "ages": [18, 18]},
        {"method": "wallet", "ages": [0]},
        {"method": "wallet", "ages": [13, 14, 15, 16, 18]},
        {"method": "stars", "ages": [18]},
        {"method": "wallet", "ages": [18], "response_uri": "http://app.example/answer"},
        {"method": "wallet", "ages": [18], "response_uri": "https://a.example/" + "a" * 500},
        {"method": "wallet", "ages": [18], "response_uri": "https://["},
        {"method": "wallet", "ages": [18], "response_uri": "https://a.example/#there"},
    ],
)
def test_a_request_that_nobody_can_answer(
    call: Caller, services_of_age: Sandbox, body: dict[str, Any]
) -> None:
    assert call("POST", PROOFS, json=body).status_code == 422
    assert not ProofRequest.objects.exists()


def test_the_open_door_has_bounds(call: Caller, services_of_age: Sandbox) -> None:
    big = call("POST", WALLET, data={"state": "x", "vp_token": "A" * 300_000})
    assert big.status_code == 413
    assert call("POST", WALLET, json={"state": "x"}).status_code == 415
    assert call("POST", WALLET, data={"vp_token": "x"}).status_code == 422  # without a state
    for state in ("", "x" * 60_000, "\0", "'"):
        assert call("POST", WALLET, data={"state": state}).status_code == 404
    many = {f"field{number}": "x" for number in range(30)}
    assert call("POST", WALLET, data=many).status_code == 422


def test_a_stranger_at_the_open_door_has_a_limit(
    call: Caller, services_of_age: Sandbox, configure: Configure
) -> None:
    configure(refused_per_minute=3)
    answers = call.together([("POST", WALLET, {"data": {"state": "x"}})] * 5)
    assert sorted(answer.status_code for answer in answers) == [404, 404, 404, 429, 429]


# -- encrypted answers


def test_an_encrypted_answer(call: Caller, services_of_age: Sandbox) -> None:
    asked = ask(call, encrypted=True)
    parameters = asked["request"]
    assert parameters["response_mode"] == "direct_post.jwt"
    (key,) = parameters["client_metadata"]["jwks"]["keys"]
    assert {key["kty"], key["crv"], key["alg"], key["use"]} == {"EC", "P-256", "ECDH-ES", "enc"}
    assert "d" not in key
    sent = presented(services_of_age, asked, 20)["sent"]
    assert sent.keys() == {"response"}
    kept = ProofRequest.objects.get().answer_key
    assert kept
    assert "P-256" not in kept  # it is sealed
    assert call("POST", WALLET, data=sent).status_code == 200
    assert stored() == (18, 150, "eu-wallet", "verified")
    assert ProofRequest.objects.get().answer_key == ""
    assert call("POST", WALLET, data=sent).status_code == 404  # it is taken once


def test_an_encrypted_answer_is_relayed(call: Caller, services_of_age: Sandbox) -> None:
    asked = ask(call, encrypted=True, response_uri="https://app.example/wallet")
    sent = presented(services_of_age, asked, 20)["sent"]
    answer = call("POST", f"{PROOFS}/{asked['proof_id']}/answer", json=sent)
    assert answer.json()["outcome"] == "accepted"


def test_an_answer_in_clear_where_encryption_was_asked(
    call: Caller, services_of_age: Sandbox
) -> None:
    asked = ask(call, encrypted=True)
    sent = presented(services_of_age, asked, 20, clear="yes")["sent"]
    assert reason_of(call("POST", WALLET, data=sent)) == "unencrypted"
    assert outcome(call, asked) == ("refused", "unencrypted")
    assert stored()[2] != "eu-wallet"
    # Nor with something encrypted beside it.
    asked = ask(call, encrypted=True)
    both = presented(services_of_age, asked, 20)["sent"]
    clear = presented(services_of_age, asked, 20, clear="yes")["sent"]
    assert reason_of(call("POST", WALLET, data=clear | both)) == "unencrypted"
    assert stored()[2] != "eu-wallet"


def test_an_encrypted_answer_that_nobody_asked_for(call: Caller, services_of_age: Sandbox) -> None:
    asked = ask(call)
    key = AnswerKey.new(asked["request"]["state"])
    response = encrypt({"vp_token": {}, "state": asked["request"]["state"]}, key.public)
    assert reason_of(call("POST", WALLET, data={"response": response})) == "malformed"


def test_an_answer_that_is_encrypted_to_another_key(call: Caller, services_of_age: Sandbox) -> None:
    asked = ask(call, encrypted=True)
    other = AnswerKey.new(asked["request"]["state"])
    response = encrypt({"vp_token": {}}, other.public)
    assert reason_of(call("POST", WALLET, data={"response": response})) == "malformed"
    # An answer for an earlier request, whose key is gone.
    first = ask(call, encrypted=True)
    sent = presented(services_of_age, first, 20)["sent"]
    ask(call, encrypted=True)
    assert call("POST", WALLET, data=sent).status_code == 404


def test_a_presentation_that_was_signed_for_an_answer_in_clear(
    call: Caller, services_of_age: Sandbox
) -> None:
    """The wallet's signature covers the key, so nobody encrypts what was presented elsewhere."""
    asked = ask(call, encrypted=True)
    request = asked["request"]
    attestation, _ = services_of_age.attest(20, ["age_over_18"])
    bound = openid4vp.request_of(request["nonce"], request["response_uri"])
    token = msgspec.json.decode(practice_token(attestation.present(bound)))
    (key,) = request["client_metadata"]["jwks"]["keys"]
    response = encrypt({"vp_token": token, "state": request["state"]}, key)
    assert reason_of(call("POST", WALLET, data={"response": response})) == "request.other"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"error": "access_denied"}, "declined"),
        ({"vp_token": {}, "state": "another"}, "request.other"),
        ({"vp_token": "e30"}, "malformed"),
        ({"vp_token": []}, "malformed"),
        ([], "malformed"),
    ],
)
def test_what_is_inside_an_encrypted_answer(
    call: Caller, services_of_age: Sandbox, answer: Any, reason: str
) -> None:
    asked = ask(call, encrypted=True)
    (key,) = asked["request"]["client_metadata"]["jwks"]["keys"]
    response = encrypt(answer, key, "A256GCM")
    assert reason_of(call("POST", WALLET, data={"response": response})) == reason


@pytest.mark.parametrize("response", ["x", "....", "e30.a.b.c.d", "eyJraWQiOjF9.a.b.c.d", "\0"])
def test_what_is_no_encrypted_answer(call: Caller, services_of_age: Sandbox, response: str) -> None:
    answer = call("POST", WALLET, data={"response": response})
    assert (answer.status_code, answer.json()["reason"]) == (422, "malformed")
    assert call("POST", WALLET, data={"response": "a" * 190_000}).status_code == 422


def test_age_keys_are_not_encrypted(call: Caller, services_of_age: Sandbox) -> None:
    asked = {"method": "agekey", "ages": [18], "encrypted": True}
    assert call("POST", PROOFS, json=asked).status_code == 422


def test_identifiers_that_were_taken_back(call: Caller, services_of_age: Sandbox) -> None:
    """The practice issuer has a status list only, so its address answers no identifier list."""
    issue = services_of_age.issuer.issue

    def with_identifier(claims: Any, now: Any, changes: Any) -> Any:
        listed = {"id": b"mine", "uri": changes["status"]["status_list"]["uri"]}
        return issue(claims, now, {"status": changes["status"] | {"identifier_list": listed}})

    services_of_age.issuer.issue = with_identifier  # type: ignore[method-assign,assignment]
    asked = ask(call)
    sent = presented(services_of_age, asked, 20)["sent"]
    assert reason_of(call("POST", WALLET, data=sent)) == "status.unknown"
    lists = services_of_age.issuer.identifiers_cwt
    plain = services_of_age.issuer.status_list
    turn: list[Any] = [lambda uri, states, now: lists(uri, [], now), plain]

    def next_list(*sent: Any) -> bytes:
        return bytes(turn.pop()(*sent))

    services_of_age.issuer.status_list = next_list  # type: ignore[method-assign,assignment]
    asked = ask(call)
    sent = presented(services_of_age, asked, 20)["sent"]
    assert call("POST", WALLET, data=sent).status_code == 200
    turn += [lambda uri, states, now: lists(uri, [b"mine"], now), plain]
    asked = ask(call)
    sent = presented(services_of_age, asked, 20)["sent"]
    assert reason_of(call("POST", WALLET, data=sent)) == "revoked"


# -- age keys


def returned(asked: Any, age: int, **changes: str) -> dict[str, str]:
    """What a browser brings back from the provider after a person of this age agreed."""
    url = httpx.URL(asked["url"])
    url = url.copy_merge_params({"age": str(age), **changes})
    answer = httpx.get(url, trust_env=False)
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith("https://app.example/age?")
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def relay(call: Caller, asked: Any, sent: dict[str, str]) -> httpx.Response:
    return call("POST", f"{PROOFS}/{asked['proof_id']}/answer", json=sent)


@pytest.mark.parametrize("flow", ["id_token", "code"])
def test_an_age_key_proves_an_age(
    call: Caller, services_of_age: Sandbox, configure: Configure, flow: str
) -> None:
    configure(agekey_flow=flow)
    set_known(15, 16, "declared")
    asked = ask(call, "agekey", (13, 18))
    assert asked["request"] is None
    back = returned(asked, 20)
    answer = relay(call, asked, back)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "accepted"), answer.text
    assert stored() == (18, 150, "agekey", "estimated")
    assert relay(call, asked, back).status_code == 404  # the state is used up


@pytest.mark.parametrize("flow", ["id_token", "code"])
def test_an_age_key_for_another_request(
    call: Caller, services_of_age: Sandbox, configure: Configure, flow: str
) -> None:
    configure(agekey_flow=flow)
    first = returned(ask(call, "agekey"), 20)
    second = ask(call, "agekey")
    state = dict(parse_qsl(urlsplit(second["url"]).query))["state"]
    assert relay(call, second, first).status_code == 404  # the first one's state
    answer = relay(call, second, first | {"state": state})
    # The code is of another verifier, and the token of another nonce.
    assert reason_of(answer) == ("declined" if flow == "code" else "request.other")


@pytest.mark.parametrize(
    "weaker",
    [
        {},  # a profile without an age
        {"age_signal": {"apple": {"declined": True}}},  # the member stops sharing
        {"age_signal": {"google_play": {"ageSignalsStatus": "NOT_SHARED"}}},
        {"age": {"lower": 11, "upper": 12}},  # a weaker word that makes them younger
    ],
)
@pytest.mark.parametrize("stronger", ["guardian", "verified"])
def test_an_age_key_makes_nobody_older_than_a_stronger_word_did(
    call: Caller, services_of_age: Sandbox, stronger: str, weaker: dict[str, Any]
) -> None:
    set_known(13, 16, stronger)
    call("PUT", "/v1/accounts/member-1", json=weaker)
    before = stored()
    asked = ask(call, "agekey")
    answer = relay(call, asked, returned(asked, 20))
    assert answer.json()["outcome"] == "contradicted"
    assert stored() == before
    asked = ask(call)  # an attestation of a wallet is strong enough
    sent = presented(services_of_age, asked, 20)["sent"]
    assert call("POST", WALLET, data=sent).status_code == 200
    assert stored() == (18, 150, "eu-wallet", "verified")


def test_a_guardian_who_contradicts_an_age_key_is_outweighed_by_no_estimate(
    call: Caller, services_of_age: Sandbox
) -> None:
    asked = ask(call, "agekey")
    assert relay(call, asked, returned(asked, 20)).json()["outcome"] == "accepted"
    set_known(13, 16, "guardian")
    assert stored() == (13, 16, "earlier", "guardian")
    older = {"age_signal": {"estimate": [30.0, 2.0]}}
    answer = call("PUT", "/v1/accounts/member-1", json=older)
    assert answer.json()["age_kept"]["upper"] == 16
    assert stored() == (13, 16, "earlier", "guardian")


def test_an_age_key_that_shows_nothing(call: Caller, services_of_age: Sandbox) -> None:
    set_known(16, 17, "declared")
    asked = ask(call, "agekey")
    assert reason_of(relay(call, asked, returned(asked, 12))) == "unanswered"
    assert stored() == (16, 17, "earlier", "declared")


def test_an_age_key_of_another_provider_or_client(
    call: Caller, services_of_age: Sandbox, configure: Configure
) -> None:
    asked = ask(call, "agekey")
    back = returned(asked, 20)
    configure(agekey_client_id="other")
    assert reason_of(relay(call, asked, back)) == "request.other"
    configure(agekey_client_id="app")
    asked = ask(call, "agekey")
    forger = practice.serve(host="127.0.0.1", port=0, client_id="app", client_secret="x")
    try:
        sent = dict(parse_qsl(urlsplit(asked["url"]).query))
        token = forger.id_token(sent, 20)
        assert reason_of(relay(call, asked, {"state": sent["state"], "id_token": token})) == (
            "signature"
        )
    finally:
        forger.server_close()


def test_a_provider_that_is_away_or_was_never_named(
    call: Caller, services_of_age: Sandbox, configure: Configure
) -> None:
    asked = ask(call, "agekey")
    back = returned(asked, 20)
    configure(agekey_issuer=f"{services_of_age.url}/elsewhere")
    answer = relay(call, asked, back)
    assert (answer.status_code, answer.json()["code"]) == (502, "age_proof.provider_unreachable")
    assert outcome(call, asked) == ("refused", "provider.unreachable")
    assert call("POST", PROOFS, json={"method": "agekey", "ages": [18]}).status_code == 502
    for changes in ({"agekey_client_id": ""}, {"agekey_issuer": "http://keys.example"}):
        configure(**changes)
        answer = call("POST", PROOFS, json={"method": "agekey", "ages": [18]})
        assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
