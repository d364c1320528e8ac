"""A name that comes twice in a body: of two values, no door takes the one that suits somebody."""

from typing import Final

import pytest

from kinward.access.actor import Actor
from kinward.access.services import create_key
from kinward.gate.http import decode_once
from kinward.ground.errors import Invalid
from kinward.ground.multipart import Malformed
from kinward.people.models import Account, Consent
from kinward.people.services import Profile
from tests.integration.gate.test_gate import Caller, problem

pytestmark = pytest.mark.django_db(transaction=True)

ME: Final = "/v1/accounts/member-1"
PLAY: Final = '"ageSignalsStatus": "SHARED", "ageRangeSource": "TIER_B", "ageLower": 13'


@pytest.fixture
def call(db: None, account: Account) -> Caller:
    scopes = frozenset({"accounts:write", "policy:decide", "consents:write"})
    return Caller(create_key(name="app", scopes=scopes, actor=Actor.system("test")))


@pytest.mark.parametrize(
    ("method", "path", "body", "name"),
    [
        ("PUT", ME, '{"age": {"lower": 13, "upper": 16}, "age": {"lower": 30}}', "age"),
        ("PUT", ME, '{"age": {"lower": 13, "lower": 30}}', "lower"),
        ("PUT", ME, '{"age_signal": {"birth_date": "2012-01-01", "birth_date": "1990-01-01"}}', ""),
        ("PUT", ME, f'{{"age_signal": {{"google_play": {{{PLAY}, "ageLower": 18}}}}}}', "ageLower"),
        (
            "PUT",
            ME,
            r'{"age_signal": {"apple": {"lowerBound": 13, "lower\u0042ound": 18}}}',
            "lowerBound",
        ),
        ("PUT", ME, '{"jurisdiction": "US-TX", "jurisdiction": "JP"}', "jurisdiction"),
        ("PUT", f"{ME}/consent", '{"state": "withdrawn", "state": "given", "basis": "store"}', ""),
        (
            "PUT",
            f"{ME}/consent/change",
            '{"question": "1", "apple": {"answer": "denial", "answer": "approval"}}',
            "answer",
        ),
        ("POST", f"{ME}/age-proofs", '{"method": "wallet", "ages": [18], "ages": [13]}', "ages"),
    ],
)
def test_a_body_that_says_two_things_under_one_name_is_refused(
    call: Caller, method: str, path: str, body: str, name: str
) -> None:
    before = Account.objects.get(platform_id="member-1")
    headers = {"Content-Type": "application/json"}
    said = problem(call(method, path, content=body, headers=headers), 422, "invalid")
    assert "twice. Send each field once." in said
    assert name in said
    now = Account.objects.get(platform_id="member-1")
    assert (now.age, now.jurisdiction) == (before.age, before.jurisdiction)
    assert not Consent.objects.exists()


def test_one_name_in_two_objects_is_no_repetition() -> None:
    body = b'{"age": {"lower": 13}, "identifiers": [{"kind": "link", "value": "lower"}]}'
    assert decode_once(body, Profile).age is not None
    with pytest.raises(Invalid, match="unknown field"):
        decode_once(b'{"lower": 13}', Profile)
    with pytest.raises(Malformed):
        decode_once(b'{"age":', Profile)
