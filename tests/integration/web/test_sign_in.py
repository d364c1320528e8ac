"""Sign-in: strangers can neither guess a password nor keep a colleague out."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory
from django.urls import get_resolver
from django.utils import timezone

from kinward.access import attempts, tally
from kinward.access.actor import Actor
from kinward.access.attempts import ACCOUNT, NETWORK, TooManyAttempts, begin_attempt
from kinward.access.models import RecentAttempts, Staff
from kinward.access.refusals import tally_refusals
from kinward.access.staff import create_staff, sign_out_everywhere
from kinward.cli.demo import give_second_factor, one_time_code
from kinward.ledger.models import Entry
from kinward.web.adapter import StaffAdapter
from kinward.web.devices import cookie_name

pytestmark = pytest.mark.django_db
OPERATOR = Actor.operator("test")
PASSWORD = "a long test word"
PROXY = "127.0.0.1"
TOO_MANY = TooManyAttempts().sentence


@pytest.fixture(autouse=True)
def _nothing_is_written_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "EVERY", float("inf"))


@pytest.fixture
def person() -> Staff:
    return create_staff(
        username="Robin", password=PASSWORD, roles=["reviewer"], actor=Actor.system("demo")
    )


def send(client: Client, password: str = PASSWORD, login: str = "robin", **more: Any) -> Any:
    return client.post("/account/login/", {"login": login, "password": password}, **more)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def known_device(login: str = "robin", **more: Any) -> Client:
    """A browser that has signed in, and out again."""
    client = Client()
    send(client, login=login, **more)
    assert is_signed_in(client)
    client.post("/account/logout/")
    assert not is_signed_in(client)
    return client


def behind(address: str) -> dict[str, Any]:
    return {"REMOTE_ADDR": PROXY, "headers": {"x-forwarded-for": address}}


@pytest.fixture
def flood(
    person: Staff, configure: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[Client, Counter[str]]:
    """A colleague's known device, and what 10,000 wrong sign-ins from 100 addresses could try."""
    configure(trusted_proxies=PROXY)
    device = known_device(**behind("198.51.100.7"))
    outcomes, checked = Counter[str](), person.check_password

    def count(self: Staff, password: str) -> bool:
        outcomes["checked"] += 1
        return bool(checked(password))

    monkeypatch.setattr(Staff, "check_password", count)
    factory = RequestFactory()
    for number in range(10_000):
        request = factory.post("/account/login/", **behind(f"203.0.113.{number % 100}"))
        request.user = AnonymousUser()
        try:
            adapter = StaffAdapter(request)
            assert adapter.authenticate(request, username="robin", password=str(number)) is None
        except ValidationError:
            outcomes["refused"] += 1
    return device, outcomes


def test_ten_thousand_wrong_sign_ins_guess_nothing_and_keep_no_colleague_out(
    flood: tuple[Client, Counter[str]],
) -> None:
    device, outcomes = flood
    assert outcomes == {"checked": ACCOUNT.soon, "refused": 10_000 - ACCOUNT.soon}
    failed = Entry.objects.filter(kind="staff.sign_in_failed", subject="staff:Robin")
    assert failed.count() == ACCOUNT.soon, "a flood does not fill the ledger"
    counts = Counter[str]()
    for (_, reason), count in tally_refusals()._counts.items():
        counts[reason] += count
    assert counts == {"sign_in.wrong": 5, "sign_in.too_many": 9_995}

    # Who holds the right password, but no known device, is refused without a word about it.
    stranger = Client()
    assert TOO_MANY in send(stranger, **behind("192.0.2.1")).content.decode()
    # From the very network of the flood, too, the colleague may err and then sign in.
    assert TOO_MANY not in send(device, "wrong", **behind("203.0.113.5")).content.decode()
    send(device, **behind("203.0.113.5"))
    assert is_signed_in(device)


def test_a_day_of_guessing_tries_thirty_passwords(
    person: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, tried = timezone.now(), 0
    for minute in range(0, 24 * 60, 2):
        at = now + timedelta(minutes=minute)
        monkeypatch.setattr(timezone, "now", lambda at=at: at)
        for address in ("203.0.113.1", "203.0.113.2"):
            try:
                begin_attempt(what="password", login="Robin ", network=address)
            except TooManyAttempts:
                continue
            tried += 1
    assert tried == ACCOUNT.day == 30
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=2))
    begin_attempt(what="password", login="robin", network="203.0.113.1")
    assert RecentAttempts.objects.count() == 2, "what is older than a day is forgotten"


def test_names_of_nobody_are_refused_alike(person: Staff) -> None:
    def answers(login: str) -> list[bool]:
        sent = [send(Client(REMOTE_ADDR=f"192.0.2.{n}"), "wrong", login) for n in range(7)]
        return [TOO_MANY in answer.content.decode() for answer in sent]

    assert answers("ROBIN") == answers("nobody") == [False] * 5 + [True] * 2


def test_a_network_has_a_budget_over_all_accounts(person: Staff) -> None:
    for number in range(NETWORK.soon):
        begin_attempt(what="password", login=f"n{number}", network="192.0.2.1")
    with pytest.raises(TooManyAttempts):
        begin_attempt(what="password", login="robin", network="192.0.2.1")
    begin_attempt(what="password", login="robin", network="192.0.2.2")


def test_right_attempts_cost_nothing(person: Staff) -> None:
    for _ in range(ACCOUNT.day + 1):
        client = Client()
        send(client)
        assert is_signed_in(client)
    assert all(row.times == [] for row in RecentAttempts.objects.all())


def test_a_device_has_a_budget_of_its_own_and_no_other(person: Staff) -> None:
    device = known_device()
    for _ in range(attempts.DEVICE.soon):
        assert TOO_MANY not in send(device, "wrong").content.decode()
    assert TOO_MANY in send(device).content.decode()
    stranger = Client()
    send(stranger)
    assert is_signed_in(stranger), "nor does it spend anybody else's"


def test_a_device_is_known_for_its_account_until_signed_out_everywhere(person: Staff) -> None:
    create_staff(username="kai", password=PASSWORD, roles=["reviewer"], actor=Actor.system("demo"))
    device = known_device()
    token = device.cookies[cookie_name("robin")].value
    device.cookies[cookie_name("kai")] = token

    def spent(login: str) -> bool:
        RecentAttempts.objects.all().delete()
        for number in range(ACCOUNT.soon):
            begin_attempt(what="password", login=login, network=f"192.0.2.{number}")
        return TOO_MANY in send(device, "wrong", login).content.decode()

    assert (spent("robin"), spent("kai")) == (False, True)
    sign_out_everywhere(username="Robin", actor=OPERATOR)
    assert spent("robin")
    device.cookies[cookie_name("robin")] = token[:-1] + "x"
    assert spent("robin")


def test_the_cookie_is_bound_to_the_host_where_there_is_tls(person: Staff, configure: Any) -> None:
    client = Client()
    send(client)
    plain = client.cookies[cookie_name("Robin")]
    assert not plain.key.startswith("__Host-")
    configure(public_url="https://safety.example.org")
    client = Client()
    send(client, secure=True)
    bound = client.cookies[cookie_name("robin")]
    assert bound.key.startswith("__Host-kinward-device-")
    assert (bound["secure"], bound["httponly"], bound["path"], bound["domain"]) == (
        *(True, True),
        *("/", ""),
    )
    assert int(bound["max-age"]) == 180 * 24 * 3600


def test_codes_have_budgets_too_and_strangers_cannot_spend_them(person: Staff) -> None:
    device, secret = known_device(), give_second_factor(person)
    stranger = Client()
    send(stranger)
    assert stranger.get("/account/2fa/authenticate/").status_code == 200, "they know the password"
    for number in range(ACCOUNT.soon + 1):
        answer = stranger.post("/account/2fa/authenticate/", {"code": "wrong"})
        assert (TOO_MANY in answer.content.decode()) == (number == ACCOUNT.soon)
    send(device)
    device.post("/account/2fa/authenticate/", {"code": one_time_code(secret)})
    assert is_signed_in(device)
    signed_in = Entry.objects.filter(kind="staff.signed_in").last()
    assert signed_in is not None
    assert signed_in.data == {"how": ["password", "totp"], "known": True}
    failed = Entry.objects.filter(kind="staff.sign_in_failed").values_list("data", flat=True)
    assert list(failed) == [{"what": "code", "known": False}] * ACCOUNT.soon


def test_factors_are_entries(person: Staff, django_capture_on_commit_callbacks: Any) -> None:
    secret = give_second_factor(person)
    client = Client()
    send(client)
    client.post("/account/2fa/authenticate/", {"code": one_time_code(secret)})
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/account/2fa/recovery-codes/generate/")
    client.post("/account/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=person).exists()
    entries = Entry.objects.filter(kind__startswith="staff.factor").order_by("seq")
    assert [(entry.kind, entry.actor, entry.data["factor"]) for entry in entries] == [
        ("staff.factor_added", "staff:Robin", "recovery_codes"),
        ("staff.factor_removed", "staff:Robin", "totp"),
        ("staff.factor_removed", "staff:Robin", "recovery_codes"),
    ]


def test_passkeys_are_not_counted_against_anybody(person: Staff) -> None:
    client = Client()
    for _ in range(40):
        answer = client.post("/account/2fa/webauthn/login/", {"credential": "{}"})
        assert answer.status_code == 302


def test_nobody_resets_a_password_so_nothing_goes_round_a_factor() -> None:
    """Who forgot theirs joins anew by an invitation, under another name."""
    names = [str(name) for name in get_resolver().reverse_dict if isinstance(name, str)]
    assert "account_login" in names
    resets = {name for name in names if "reset" in name}
    assert resets == {"decide_factor_reset", "refuse_own_reset"}, "of factors, by two people"
    for path in ("password/reset/", "password/reset/key/1-abc/", "password/set/", "signup/"):
        for answer in (Client().get(f"/account/{path}"), Client().post(f"/account/{path}")):
            assert answer.status_code == 404, path
    assert Client().get("/account/password/").status_code == 302, "and this one needs a sign-in"
