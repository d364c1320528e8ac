"""The doctor says in plain words what is wrong, and what to do."""

import sys

import pytest
from django.db import connection

from kinward.cli.doctor import CHECKS, examine
from kinward.cli.roles import check_decoders
from kinward.demo import pictures
from kinward.ground.jobs import enqueue
from kinward.media import WALLS, Unwalled, Walls, decoders, process
from tests.integration.conftest import Configure
from tests.support.helpers import Receiver

pytestmark = pytest.mark.django_db


def test_an_empty_set_up(configure: Configure) -> None:
    found = examine()
    assert set(found) == set(CHECKS)
    assert found["migrations"].level == "ok"
    assert found["clock"].level == "ok"
    assert "kinward key create" in found["API key"].text
    assert "kinward worker" in found["worker"].text
    assert "KINWARD_WEBHOOK_URL" in found["webhook"].text
    assert "KINWARD_CYBERTIPLINE_URL" in found["authority"].text


def test_a_webhook_that_accepts_anything(receiver: Receiver) -> None:
    assert "must verify the signature" in examine()["webhook"].text
    receiver.answers = [(401, b"")]
    assert examine()["webhook"].level == "ok"
    receiver.answers = [(404, b"")]
    assert "Is the path right?" in examine()["webhook"].text


def test_an_authority_that_does_not_know_us(sandbox: object, configure: Configure) -> None:
    assert examine()["authority"].level == "warning"
    configure(cybertipline_password="wrong")
    assert "credentials" in examine()["authority"].text


def test_a_job_that_fails_again_and_again() -> None:
    assert examine()["jobs"].level == "ok"
    enqueue("enforcement.deliver", action_id="none")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET attempts = 10")
    assert "enforcement.deliver (1)" in examine()["jobs"].text


def test_an_evidence_key_that_is_gone(configure: Configure) -> None:
    configure(evidence_key="not a key")
    assert "not an age identity" in examine()["keys"].text


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there are fewer walls")
def test_which_walls_stand_around_the_decoders(configure: Configure) -> None:
    decoders.cache_clear()
    found = examine()["decoders"]
    assert found.level == "ok"
    assert all(wall in found.text for wall in WALLS)
    configure(decoders_without_walls="landlock,lifetime")
    decoders.cache_clear()
    found = examine()["decoders"]
    assert found.level == "warning"
    assert "leaves out lifetime, landlock." in found.text
    configure(decoders_without_walls="moat")
    decoders.cache_clear()
    found = examine()["decoders"]
    assert found.level == "fault"
    assert "moat" in found.text
    decoders.cache_clear()


def test_nothing_starts_and_nothing_is_decoded_without_a_wall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    walls = Walls([], {"landlock": "the kernel does not have it"})
    monkeypatch.setattr(process, "REQUIRED", frozenset({"landlock"}))
    monkeypatch.setattr(process, "_read_walls", lambda decoder: walls)
    decoders.cache_clear()
    assert "WITHOUT_WALLS=landlock" in examine()["decoders"].text
    assert examine()["decoders"].level == "fault"
    with pytest.raises(Unwalled):
        check_decoders()
    with pytest.raises(Unwalled):
        decoders().hash(pictures.encode(pictures.draw(1)))
    decoders().close()
    decoders.cache_clear()
