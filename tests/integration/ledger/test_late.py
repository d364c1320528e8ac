"""A ledger that is late is an alarm, and the doctor says where its key should not be."""

from pathlib import Path

import pytest

from kinward.access.models import Staff
from kinward.cli import postgres
from kinward.cli.doctor.ledger import check_ledger, check_ledger_key
from kinward.ground.config import config
from kinward.ledger.pinned import LogContradicted
from kinward.ledger.sequencing import sequence_all
from kinward.ledger.signing import publish_checkpoint
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.integration.web.test_console import signed_in
from tests.support.ledgers import past_the_triggers, write

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_late_ledger_is_an_alarm_until_it_is_placed_and_signed(reviewer: Staff) -> None:
    console = signed_in(reviewer)
    write(1)
    assert "The ledger is late" not in console.get("/queue").content.decode()
    past_the_triggers("UPDATE ledger_entry SET at = at - interval '2 minutes'")
    result = check_ledger()
    assert (result.level, "pg_stat_activity" in result.text) == ("fault", True)
    page = console.get("/queue").content.decode()
    assert "The ledger is late" in page
    assert "waited for their place" in page
    assert "kinward_ledger_late 1.0" in Caller("")("GET", "/metrics").text
    # The log would not fit the entry, whose hour may be another now. It is for the clock only.
    sequence_all()
    assert "have not been signed" in check_ledger().text
    assert "have not been signed" in console.get("/queue").content.decode()
    publish_checkpoint()
    assert check_ledger().level == "ok"
    assert "The ledger is late" not in console.get("/queue").content.decode()


def test_the_doctor_says_that_nothing_more_is_signed() -> None:
    write(2)
    sequence_all()
    publish_checkpoint()
    past_the_triggers("UPDATE ledger_tile SET data = overlay(data PLACING sha256('') FROM 1)")
    with pytest.raises(LogContradicted):
        check_ledger()


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("postgresql://kinward@localhost/kinward", "fault"),
        ("postgresql:///kinward?host=/run/postgresql", "fault"),
        ("postgresql://kinward@127.0.0.1:5432/kinward", "fault"),
        ("postgresql://kinward@db.internal/kinward", "ok"),
    ],
)
def test_the_key_should_not_be_beside_the_database(
    url: str, level: str, configure: Configure, tmp_path: Path
) -> None:
    configure(database_url=url)
    assert check_ledger_key().level == level
    path = tmp_path / "ledger_key"
    path.write_text(config().secret("ledger_key"))
    configure(ledger_key_file=str(path))
    assert check_ledger_key().level == "ok"


def test_on_the_first_run_the_key_is_a_fault_too(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql:///kinward?host=/var/lib/kinward/postgres"
    configure(database_url=url)
    monkeypatch.setattr(postgres, "_EMBEDDED", {url})
    assert check_ledger_key().level == "fault"
