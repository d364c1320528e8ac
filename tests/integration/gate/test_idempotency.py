"""One effect and one answer for each key, and each app's keys are its own."""

from collections.abc import Callable
from typing import Any

import pytest

from kinward.access.actor import Actor
from kinward.access.models import ApiKey
from kinward.access.services import create_key
from kinward.gate.idempotency import MAX_KEY, KeyReused, answer_once, fingerprint
from kinward.gate.models import KeptAnswer
from kinward.ground.errors import Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(db: None) -> ApiKey:
    create_key(name="app", scopes=frozenset({"media:check"}), actor=Actor.system("test"))
    return ApiKey.objects.get(name="app")


class Producer:
    """Counts how often an answer was produced; each is another."""

    calls = 0

    def __call__(self) -> dict[str, int]:
        self.calls += 1
        return {"answer": self.calls}


@pytest.fixture
def produce() -> Producer:
    return Producer()


def ask(app: ApiKey, key: str, produce: Callable[[], Any], print_: str = "one") -> dict[str, Any]:
    return answer_once(api_key=app, key=key, print_=print_, produce=produce)


def test_what_is_produced_is_the_answer_also_the_second_time(
    app: ApiKey, produce: Producer
) -> None:
    assert ask(app, "k", produce) == {"answer": 1}
    assert ask(app, "k", produce) == {"answer": 1}
    assert produce.calls == 1
    assert KeptAnswer.objects.get().answer == {"answer": 1}


def test_without_a_key_each_call_has_an_effect_and_nothing_is_kept(
    app: ApiKey, produce: Producer
) -> None:
    assert [ask(app, "", produce), ask(app, "", produce)] == [{"answer": 1}, {"answer": 2}]
    assert not KeptAnswer.objects.exists()


def test_two_apps_may_use_the_same_key(app: ApiKey, produce: Producer) -> None:
    create_key(name="other", scopes=frozenset({"media:check"}), actor=Actor.system("test"))
    other = ApiKey.objects.get(name="other")
    assert ask(app, "k", produce) == {"answer": 1}
    assert ask(other, "k", produce, print_="two") == {"answer": 2}
    assert ask(app, "k", produce) == {"answer": 1}


def test_another_request_under_a_used_key_is_refused(app: ApiKey, produce: Producer) -> None:
    ask(app, "k", produce)
    with pytest.raises(KeyReused):
        ask(app, "k", produce, print_="two")
    assert ask(app, "another", produce, print_="two") == {"answer": 2}


def test_a_refusal_is_not_kept(app: ApiKey, produce: Producer) -> None:
    def refuse() -> None:
        raise Invalid("A test.")

    with pytest.raises(Invalid):
        ask(app, "k", refuse)
    assert ask(app, "k", produce, print_="mended") == {"answer": 1}


@pytest.mark.parametrize("key", ["k" * (MAX_KEY + 1), "a\tb", "a\x00b", "a\u200bb"])
def test_a_key_that_is_too_long_or_cannot_be_printed_is_refused(
    app: ApiKey, produce: Producer, key: str
) -> None:
    with pytest.raises(Invalid, match="at most 200 printable characters"):
        ask(app, key, produce)
    assert produce.calls == 0


def test_a_key_of_the_greatest_length_is_taken(app: ApiKey, produce: Producer) -> None:
    ask(app, "k" * MAX_KEY, produce)
    assert KeptAnswer.objects.get().idempotency_key == "k" * 200


def test_a_fingerprint_is_of_what_was_asked_in_whatever_order() -> None:
    same = [fingerprint("POST", {"a": 1, "b": 2}), fingerprint("POST", {"b": 2, "a": 1})]
    assert same[0] == same[1]
    others = [fingerprint("POST", {"a": 1}), fingerprint("PUT", {"a": 1, "b": 2})]
    assert len({same[0], *others}) == 3
