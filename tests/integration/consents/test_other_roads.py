"""Whatever else is said of an account, consent that is missing stays missing."""

from datetime import timedelta
from typing import Any, Final

import pytest
from django.utils import timezone

from kinward.enforcement.tasks import grow_up
from kinward.gate.routes import TABLE
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.integration.people.test_changes import ROADS
from tests.support.families import make_account, pair
from tests.support.helpers import run_jobs
from tests.support.stores import Apple

pytestmark = pytest.mark.django_db(transaction=True)

WREN: Final = "/v1/accounts/wren"
SET_BY_GUARDIAN: Final = {"layer": "guardian", "value": "allow", "guardian_id": "heron"}
PLAY: Final = {"ageSignalsStatus": "SHARED", "ageRangeSource": "TIER_D", "ageLower": 18}
# What a platform says of an account, by the line of its route. None of it is about consent.
SAID: Final[dict[str, list[tuple[str, Any]]]] = {
    "PUT /v1/accounts/{account_id}": [
        (WREN, {}),
        *((WREN, body) for body in ROADS.values()),
        (WREN, {"age": {"lower": 30, "upper": 31, "assurance": "verified"}}),
        (WREN, {"age_signal": {"google_play": PLAY}}),
        (WREN, {"age_signal": {"google_play": PLAY | {"significantChangeStatus": "APPROVED"}}}),
        (WREN, {"age_signal": {"google_play": {"userStatus": "SUPERVISED", "ageLower": 13}}}),
        (WREN, {"age_signal": {"apple": {"lowerBound": 18, "activeParentalControls": []}}}),
        (WREN, {"jurisdiction": "JP", "language": "de", "screen_name": "Wren"}),
    ],
    "PUT /v1/accounts/{account_id}/settings/{capability}": [
        (f"{WREN}/settings/live.watch", SET_BY_GUARDIAN),
        (f"{WREN}/settings/live.watch", {"layer": "self", "value": "allow"}),
        (f"{WREN}/settings/account.join", SET_BY_GUARDIAN),
    ],
    "PUT /v1/accounts/{account_id}/guardians/{guardian_id}/proof": [
        (
            f"{WREN}/guardians/{SET_BY_GUARDIAN['guardian_id']}/proof",
            {"method": "court", "checked_on": "2026-11-02", "evidence": "kyc-8842"},
        )
    ],
    "DELETE /v1/accounts/{account_id}/guardians/{guardian_id}/proof": [
        (f"{WREN}/guardians/{SET_BY_GUARDIAN['guardian_id']}/proof", None)
    ],
    "PUT /v1/accounts/{account_id}/time-zone": [
        (f"{WREN}/time-zone", {"time_zone": "Pacific/Kiritimati"})
    ],
    "PUT /v1/accounts/{account_id}/activity/{day:date}": [
        (f"{WREN}/activity/2026-11-26", {"posts": 1})
    ],
    "POST /v1/accounts/{account_id}/passcodes": [(f"{WREN}/passcodes", {"code": "000000"})],
    "POST /v1/accounts/{account_id}/erasure": [(f"{WREN}/erasure", None)],
    "POST /v1/accounts/{account_id}/age-proofs": [
        (f"{WREN}/age-proofs", {"method": "wallet", "ages": [18]})
    ],
}
# These are about consent or the end of the account, or have tests of their own beside this one:
# what a proof of age does.
ABOUT_CONSENT: Final = {
    "DELETE /v1/accounts/{account_id}",
    "PUT /v1/accounts/{account_id}/consent",
    "PUT /v1/accounts/{account_id}/consent/change",
    "PUT /v1/accounts/{account_id}/app-download",
    "POST /v1/accounts/{account_id}/age-proofs/{proof_id:uuid}/answer",
}
WITHDRAWN: Final = ("/consent", {"state": "withdrawn"}, "consent.withdrawn")
ASKED: Final = (
    "/consent/change",
    {"question": "1", "apple": {"result": "askToApprove"}},
    "consent.asked",
)
REFUSED: Final = ("/consent/change", {"question": "1", "state": "refused"}, "consent.refused")


def reason(call: Caller) -> str:
    question = {"capability": "live.watch", "actor": {"id": "wren"}}
    return str(call("POST", "/v1/decide", json=question).json()["reasons"][0]["code"])


def test_each_route_that_tells_of_an_account_is_here() -> None:
    lines = {route.line for routes in TABLE.values() for route in routes}
    told = {line for line in lines if "{account_id}" in line and not line.startswith("GET ")}
    assert told == {*SAID} | ABOUT_CONSENT


@pytest.mark.parametrize("word", [WITHDRAWN, ASKED, REFUSED], ids=lambda word: word[2])
def test_no_other_road_gives_consent(
    call: Caller, apple: Apple, guardian: Account, configure: Configure, word: Any
) -> None:
    configure(change_brings="live.watch")
    path, body, closed = word
    download = {"signed_app_transaction": apple.download("wren")}
    assert call("PUT", f"{WREN}/app-download", json=download).status_code == 200
    assert call("PUT", f"{WREN}{path}", json=body).status_code == 200
    assert reason(call) == closed
    for line, sent in SAID.items():
        for address, said in sent:
            answer = call(line.partition(" ")[0], address, json=said)
            assert answer.status_code < 500 or "age-proofs" in address, answer.text
            assert reason(call) == closed, (line, said)
    # The same download again, a second guardian, a birthday, and every job that is due.
    assert call("PUT", f"{WREN}/app-download", json=download).status_code == 200
    pair(make_account("coot", 41), Account.objects.get(platform_id="wren"))
    yesterday = (timezone.now() - timedelta(days=2)).date()
    Account.objects.filter(platform_id="wren").update(
        age_lower=17, age_upper=18, age_changes_on=yesterday
    )
    grow_up(timestamp=0)
    assert Account.objects.get(platform_id="wren").age.lower == 18
    run_jobs()
    assert reason(call) == closed


@pytest.mark.parametrize("word", [WITHDRAWN, ASKED, REFUSED], ids=lambda word: word[2])
def test_an_account_that_was_deleted_and_returns_has_no_other_consent(
    call: Caller, apple: Apple, guardian: Account, configure: Configure, word: Any
) -> None:
    configure(change_brings="live.watch")
    path, body, closed = word
    assert call("PUT", f"{WREN}{path}", json=body).status_code == 200
    assert call("DELETE", WREN).status_code < 300
    run_jobs()
    assert call("PUT", WREN, json={}).status_code == 200
    assert reason(call) == closed
