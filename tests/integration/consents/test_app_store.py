"""The door for the App Store: what it refuses, what it keeps, and what it does once."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinward.cli.doctor.rules import check_age_signals, check_app_store
from kinward.consents.app_store import OLDEST
from kinward.consents.models import AppDownload, StoreNotification
from kinward.consents.services import KEPT, forget_notifications
from kinward.ground.config import read_config
from kinward.ground.errors import NotConfigured
from kinward.ledger.models import Entry
from kinward.people.models import Account, UnreadSignal
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller, problem
from tests.support.families import make_account
from tests.support.stores import Apple, changed

pytestmark = pytest.mark.django_db(transaction=True)

DOOR = "/v1/stores/apple"


def milliseconds(back: timedelta = timedelta()) -> int:
    return int((time.time() - back.total_seconds()) * 1000)


def link(call: Caller, apple: Apple, user: str = "wren", download: str = "") -> httpx.Response:
    signed = download or apple.download(user)
    path = f"/v1/accounts/{user}/app-download"
    return call("PUT", path, json={"signed_app_transaction": signed})


def send(call: Caller, apple: Apple, payload: dict[str, Any]) -> httpx.Response:
    """What Apple sends, which has no key."""
    return call("POST", DOOR, json=apple.body(payload), headers={"Authorization": ""})


def is_closed(call: Caller, name: str = "wren") -> bool:
    question = {"capability": "live.watch", "actor": {"id": name}}
    reasons = call("POST", "/v1/decide", json=question).json()["reasons"]
    return "consent.withdrawn" in {reason["code"] for reason in reasons}


def test_a_withdrawal_closes_the_account_of_the_download(
    call: Caller, apple: Apple, teen: Account
) -> None:
    make_account("other", 15)
    linked = {"account_id": "wren", "withdrawn": False, "change": None, "words": []}
    assert link(call, apple).json() == linked
    assert not is_closed(call)
    answer = send(call, apple, apple.withdrawal("wren"))
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert is_closed(call)
    assert not is_closed(call, "other")
    (entry,) = Entry.objects.filter(kind="consent.withdrawn")
    assert (entry.actor, entry.subject) == ("system:app-store", "account:wren")
    assert entry.data["source"] == "apple"


def test_apple_is_known_by_a_keyed_hash_only(call: Caller, apple: Apple, teen: Account) -> None:
    signed = apple.download("wren", appTransactionId="1234567890123")
    assert link(call, apple, download=signed).status_code == 200
    assert len(bytes(AppDownload.objects.get().digest)) == 32
    assert b"1234567890123" not in bytes(AppDownload.objects.get().digest)


def test_a_second_time_nothing_happens(call: Caller, apple: Apple, teen: Account) -> None:
    link(call, apple)
    payload = apple.withdrawal("wren")
    assert send(call, apple, payload).status_code == 200
    (word,) = call("GET", "/v1/accounts/wren/consent").json()["words"]
    given_again = {"state": "given", "basis": "store", "answers": [word["id"]]}
    assert call("PUT", "/v1/accounts/wren/consent", json=given_again).status_code == 200
    # The same notification, and the same withdrawal under another id and an earlier moment.
    assert send(call, apple, payload).status_code == 200
    earlier = {"notificationUUID": str(uuid4()), "signedDate": payload["signedDate"] - 1}
    assert send(call, apple, payload | earlier).status_code == 200
    assert not is_closed(call)
    # A newer one closes it again, although the platform had already answered.
    assert send(call, apple, apple.withdrawal("wren")).status_code == 200
    assert is_closed(call)
    assert Entry.objects.filter(kind="consent.withdrawn").count() == 2


def test_what_arrives_out_of_order_opens_nothing(call: Caller, apple: Apple, teen: Account) -> None:
    link(call, apple)
    late = apple.withdrawal("wren", signedDate=milliseconds(timedelta(hours=3)))
    now = apple.withdrawal("wren")
    for payload in (now, late):
        assert send(call, apple, payload).status_code == 200
        assert is_closed(call)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"signedDate": milliseconds(OLDEST + timedelta(hours=1))}, "days ago"),
        ({"signedDate": milliseconds(timedelta(days=-2))}, "in the future"),
        ({"signedDate": None}, "no signedDate"),
        ({"signedDate": "today"}, "KINWARD_APP_STORE_ROOTS"),
        ({"notificationUUID": "one"}, "notificationUUID"),
        ({"notificationUUID": None}, "notificationUUID"),
        ({"appData": {"bundleId": "example.other", "environment": "Sandbox"}}, "another app"),
        ({"appData": None}, "another app"),
        (
            {"appData": {"bundleId": "example.tidepool", "environment": "Production"}},
            "another environment",
        ),
        ({"appData": {"bundleId": "example.tidepool"}}, "another environment"),
    ],
)
def test_what_is_not_for_this_app_or_not_recent_is_refused(
    call: Caller, apple: Apple, teen: Account, change: dict[str, Any], why: str
) -> None:
    link(call, apple)
    answer = send(call, apple, apple.withdrawal("wren", **change))
    assert why in problem(answer, 403, "store.refused")
    assert not is_closed(call)
    assert not StoreNotification.objects.exists()


def test_what_is_forged_is_refused(
    call: Caller, apple: Apple, teen: Account, tmp_path: Path
) -> None:
    link(call, apple)
    payload = apple.withdrawal("wren")
    signed = apple.body(payload)["signedPayload"]
    stranger = Apple(tmp_path / "stranger")
    unsigned = jwt.encode(payload, "a shared secret of some length, really", "HS256")
    forged = {
        "another root": stranger.body(payload)["signedPayload"],
        "changed": changed(signed, notificationUUID=str(uuid4())),
        "without certificates": unsigned,
        "cut": signed[:-9],
        "empty": "",
        "no JWS": "a.b.c",
    }
    for name, text in forged.items():
        answer = call("POST", DOOR, json={"signedPayload": text}, headers={"Authorization": ""})
        assert problem(answer, 403, "store.refused"), name
    # A withdrawal that Apple signed, about a download that a stranger signed.
    inner = payload["appData"] | {"signedAppTransactionInfo": stranger.download("wren")}
    assert problem(send(call, apple, payload | {"appData": inner}), 403, "store.refused")
    assert problem(link(call, apple, download=stranger.download("wren")), 403, "store.refused")
    assert not is_closed(call)
    assert not StoreNotification.objects.exists()


def test_the_environments_that_are_not_signed_cannot_be_chosen() -> None:
    for name in ("Xcode", "LocalTesting", ""):
        with pytest.raises(NotConfigured, match="KINWARD_APP_STORE_ENVIRONMENT"):
            read_config({"KINWARD_APP_STORE_ENVIRONMENT": name})


def test_a_withdrawal_for_nobody_waits_and_is_named(
    call: Caller, apple: Apple, teen: Account
) -> None:
    assert check_app_store().level == "ok"
    assert send(call, apple, apple.withdrawal("wren")).status_code == 200
    assert not is_closed(call)
    told = check_app_store()
    assert told.level == "warning"
    assert "1 of Apple's withdrawals of consent wait" in told.text
    # The platform says late whose download it was. From then on the account is closed.
    assert link(call, apple).json()["withdrawn"]
    assert is_closed(call)
    assert check_app_store().level == "ok"
    # So is another account of the same person.
    make_account("wren-two", 15)
    assert not is_closed(call, "wren-two")
    assert link(call, apple, "wren-two", apple.download("wren")).json()["withdrawn"]
    assert is_closed(call, "wren-two")


def test_a_withdrawal_that_does_not_say_whose_is_kept_and_named(
    call: Caller, apple: Apple, teen: Account
) -> None:
    data = {"bundleId": "example.tidepool", "environment": "Sandbox"}
    assert send(call, apple, apple.withdrawal("wren", appData=data)).status_code == 200
    assert "do not say whose" in check_app_store().text
    assert "RESCIND_CONSENT of nobody" in check_age_signals().text


def test_what_apple_has_never_said_is_named_and_loosens_nothing(
    call: Caller, apple: Apple, teen: Account
) -> None:
    link(call, apple)
    assert send(call, apple, apple.withdrawal("wren")).status_code == 200
    news = apple.withdrawal("wren") | {"version": "3.0", "guardianship": {"state": "given"}}
    for kind in ("GIVE_CONSENT", "CONSENT_RESTORED", ""):
        unknown = news | {"notificationType": kind, "notificationUUID": str(uuid4())}
        assert send(call, apple, unknown).status_code == 200
    assert is_closed(call)
    words = set(UnreadSignal.objects.filter(source="app-store").values_list("words", flat=True))
    assert words == {
        *("version=3.0", "guardianship", "notificationType=GIVE_CONSENT"),
        *("notificationType=CONSENT_RESTORED", "notificationType="),
    }
    # A version that Kinward does not know withdraws all the same.
    make_account("tern", 14)
    link(call, apple, "tern")
    assert send(call, apple, apple.withdrawal("tern", version="3.0")).status_code == 200
    assert is_closed(call, "tern")


def test_a_subtype_that_is_new_to_us_is_named(call: Caller, apple: Apple, teen: Account) -> None:
    link(call, apple)
    for changes in (
        {"notificationType": "DID_RENEW", "subtype": "BILLING_RECOVERY"},  # as the library knows it
        {"notificationType": "DID_RENEW", "subtype": "SIGNIFICANT_CHANGE"},
        {"notificationType": "DID_RENEW", "subtype": ["odd"]},
        {"subtype": "ACCEPTED"},  # a withdrawal has no subtype
    ):
        assert send(call, apple, apple.withdrawal("wren", **changes)).status_code == 200
    words = UnreadSignal.objects.filter(source="app-store").values_list("words", flat=True)
    assert set(words) == {"subtype=SIGNIFICANT_CHANGE", "subtype=['odd']", "subtype=ACCEPTED"}
    assert "SIGNIFICANT_CHANGE" in check_age_signals().text
    assert is_closed(call)  # and it withdraws all the same


def test_other_notifications_are_counted_and_forgotten(
    call: Caller, apple: Apple, teen: Account
) -> None:
    link(call, apple)
    test = apple.withdrawal("wren", notificationType="TEST")
    assert send(call, apple, test).status_code == 200
    assert send(call, apple, apple.withdrawal("other")).status_code == 200
    assert not is_closed(call)
    assert not UnreadSignal.objects.exists()
    StoreNotification.objects.update(received_at=timezone.now() - KEPT - timedelta(days=1))
    assert forget_notifications() == 1
    assert StoreNotification.objects.get().fate == "waiting"


def test_strangers_are_not_listened_to_for_ever(
    call: Caller, apple: Apple, configure: Configure
) -> None:
    configure(refused_per_minute=2)
    calls = [("POST", DOOR, {"json": {"signedPayload": "x"}})] * 4
    assert sorted(answer.status_code for answer in call.together(calls)) == [403, 403, 429, 429]


def test_an_app_that_is_not_set_up(call: Caller, teen: Account, configure: Configure) -> None:
    answer = call("POST", DOOR, json={"signedPayload": "x"})
    assert answer.status_code == 403
    configure(app_store_roots="/nowhere/roots")
    assert "KINWARD_APP_STORE_ROOTS" in problem(
        call("POST", DOOR, json={"signedPayload": "x"}), 503, "not_configured"
    )
    with pytest.raises(NotConfigured, match="KINWARD_APP_STORE_ROOTS"):
        check_app_store()
    configure(app_store_bundle="")
    assert problem(call("POST", DOOR, json={"signedPayload": "x"}), 503, "not_configured")
    assert check_app_store().text == "No app of the App Store is set up."
    configure(app_store_bundle="example.tidepool", app_store_environment="Production")
    assert "KINWARD_APP_STORE_ID" in problem(
        call("POST", DOOR, json={"signedPayload": "x"}), 503, "not_configured"
    )


values = st.none() | st.booleans() | st.integers(-9, 2**40) | st.text(max_size=20)
names = st.sampled_from(
    ["notificationType", "subtype", "version", "data", "appData", "summary", "consent", "state"]
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(names, values | st.dictionaries(names, values, max_size=3), max_size=4))
def test_nothing_that_apple_may_say_gives_consent(
    call: Caller, apple: Apple, teen: Account, said: dict[str, Any]
) -> None:
    if not Account.objects.get(pk=teen.pk).consent_withdrawn:
        link(call, apple)
        send(call, apple, apple.withdrawal("wren"))
    assert send(call, apple, apple.withdrawal("wren", **said)).status_code in {200, 403}
    assert is_closed(call)
