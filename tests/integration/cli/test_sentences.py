"""What an operator reads: at the command line, in the doctor, on a page with a wrong name."""

import pytest
from django.test import Client

from kinward.access.models import Staff
from kinward.cli import main as command_line
from kinward.cli.doctor import examine
from kinward.cli.roles import check_decoders
from kinward.ground.errors import Forbidden, Invalid, KinwardError, NotFound, SettingWrong
from kinward.matching.services import BankExists, get_bank
from kinward.media import decoders
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Invalid("A sync is due every 1 to 10,080 minutes."), "A sync is due every 1 to 10,080"),
        (NotFound("There is no bank 'x'."), "There is no bank 'x'."),
        (Forbidden("Ask another person."), "Ask another person."),
        (SettingWrong("KINWARD_PORT is 'x'."), "KINWARD_PORT is 'x'."),
        (BankExists("'x' exists already."), "A bank with this name exists already. 'x'"),
        (Invalid(), "The request is not"),
    ],
)
def test_the_command_line_speaks_to_an_operator(
    error: KinwardError,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run() -> None:
        raise error

    monkeypatch.setattr(command_line, "cli", run)
    monkeypatch.setattr(command_line, "close_memory", lambda: None)
    with pytest.raises(SystemExit):
        command_line.main()
    assert capsys.readouterr().err.startswith(said)


def test_the_api_keeps_its_titles() -> None:
    with pytest.raises(NotFound) as error:
        get_bank("x")
    assert error.value.problem()["title"] == "There is nothing here by that name."


def test_a_wrong_setting_is_not_called_a_missing_one(configure: Configure) -> None:
    configure(cybertipline_url="http://authority.example", reporter_email="a@example.org")
    found = examine()["authority"]
    assert found.level == "fault"
    assert found.text == "KINWARD_CYBERTIPLINE_URL must be https, unless it is on this machine."
    assert "missing" not in SettingWrong().sentence


def test_one_decoder_is_named(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    check_decoders()
    assert "KINWARD_DECODERS" not in capsys.readouterr().err
    configure(decoders=1)
    decoders.cache_clear()
    found = examine()["decoders"]
    assert found.level == "warning"
    assert "KINWARD_DECODERS is 1, and Kinward runs 2" in found.text
    check_decoders()
    assert "a film would hold up every picture" in capsys.readouterr().err
    decoders.cache_clear()


def test_a_proxy_without_a_public_name_is_a_fault(configure: Configure) -> None:
    configure(trusted_proxies="127.0.0.1")
    found = examine()["proxies"]
    assert found.level == "fault"
    assert "KINWARD_PUBLIC_URL" in found.text


@pytest.mark.parametrize("path", ["/", "/safety/en", "/account/login/"])
def test_a_name_that_is_not_kinwards_is_answered_with_a_sentence(path: str) -> None:
    answer = Client().get(path, HTTP_HOST="safety.example.org")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    text = answer.content.decode()
    assert "Kinward does not answer to safety.example.org" in text
    assert "KINWARD_PUBLIC_URL" in text
    turned = Client().get(path, HTTP_HOST="a\u202eb" * 300).content.decode()
    assert "\u202e" not in turned
    assert len(turned) < 3000


def test_operations_says_that_no_authority_is_set(operator: Staff, configure: Configure) -> None:
    text = signed_in(operator).get("/operations").content.decode()
    assert "no address is set" in text
    assert "Reports wait until somebody sets the address" in text
    configure(cybertipline_url="http://127.0.0.1:9", reporter_email="a@example.org")
    text = signed_in(operator).get("/operations").content.decode()
    assert "practice: reports reach nobody" in text
    assert "no address is set" not in text
