"""The doctor says in plain words what is wrong, and what to do."""

import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from kinward.access import ROLES, TAKES_TWO
from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.ages.practice import Issuer
from kinward.cli.doctor import CHECKS, examine
from kinward.cli.doctor.connections import check_tls
from kinward.cli.doctor.rules import check_guardians, check_guides, check_second_people
from kinward.cli.roles import check_decoders
from kinward.demo import pictures
from kinward.experience.services import store_pack
from kinward.families.models import Choice
from kinward.ground.calls_out import caller
from kinward.ground.jobs import enqueue
from kinward.media import WALLS, Unwalled, Walls, decoders, process
from kinward.people.api import Profile, put_account, unread_signals
from kinward.people.services import AgeSignal
from kinward.people.unread import MAX_FOR_SOURCE, note_unread
from kinward.policy import SIGNALS_CHECKED
from kinward.policy.sources import read_files
from tests.integration.conftest import Configure
from tests.support import strangers
from tests.support.families import make_account, pair
from tests.support.helpers import Receiver
from tests.support.in_force import activate_pack
from tests.support.tls import certificate

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


@pytest.mark.parametrize("role", ROLES)
def test_everything_that_takes_two_is_said_to_have_one(role: str) -> None:
    """Whatever is added to what takes two is asked about from then on."""
    assert "Nobody can agree to everything." in check_second_people().text
    Staff.objects.create_user(username="ada", password="x" * 20, roles=["administrator"])
    assert "ada: everything. It goes ahead 24 hours" in check_second_people().text
    Staff.objects.create_user(username="bo", password="x" * 20, roles=[role])
    alone = TAKES_TWO - ROLES[role]
    result = check_second_people()
    assert (result.level == "ok") == (not alone)
    for permission in TAKES_TWO:
        words = permission.doing[0].lower() + permission.doing[1:]
        said = words in result.text or "ada: everything" in result.text
        assert said == (permission in alone), (permission, result.text)


def test_who_is_alone_and_what_nobody_holds_are_both_named() -> None:
    Staff.objects.create_user(username="robin", password="x" * 20, roles=["reviewer"])
    Staff.objects.create_user(username="ola", password="x" * 20, roles=["operator"])
    text = check_second_people().text
    assert "robin: working on cases, delaying a statement. ola: switching" in text
    assert "marking a hash" not in text, "both of them can"
    assert "Nobody can agree to placing or lifting a legal hold, " in text


def test_guardians_who_loosen_by_being_paired() -> None:
    heron, teen = make_account("heron", 41), make_account("wren", 15, place="US-TX")
    pairing = pair(heron, teen, proof=None)
    fine = check_guardians()
    assert (fine.level, "'card' or a stronger one" in fine.text) == ("ok", True)
    Choice.objects.create(pairing=pairing, capability="account.join", value="allow")
    asked_again = check_guardians()
    assert asked_again.level == "warning"
    assert "1 accounts consented without a proof" in asked_again.text
    files = dict(read_files("teen-accounts"))
    files["pack.toml"] = files["pack.toml"].replace('guardian_proof = "card"\n', "")
    files["pack.toml"] = files["pack.toml"].replace("2026.11-5", "2026.11-5+1")
    activate_pack(pack=store_pack(files=files, actor=Actor.operator("heron")))
    earlier = check_guardians()
    assert earlier.level == "warning"
    assert "asks for no proof of a guardian" in earlier.text
    assert "of 1 accounts" in earlier.text


def test_a_proxy_that_kinward_does_not_know(configure: Configure) -> None:
    assert examine()["proxies"].level == "ok"
    configure(public_url="https://safety.example.org")
    assert "KINWARD_TRUSTED_PROXIES" in examine()["proxies"].text
    assert examine()["proxies"].level == "warning"
    configure(trusted_proxies="127.0.0.1, ::1")
    assert examine()["proxies"].level == "ok"


def test_what_travels_in_plain_text_or_with_a_certificate_that_nobody_trusts(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "reach Kinward without TLS" in examine()["TLS"].text
    path = certificate(tmp_path, "localhost")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(path)
    with strangers.stranger(strangers.packs_well) as server:
        server.socket = served.wrap_socket(server.socket, server_side=True)
        configure(public_url=f"https://localhost:{server.port}")
        refused = check_tls()
        assert (refused.level, "cannot be reached over TLS" in refused.text) == ("fault", True)
        monkeypatch.setattr(caller, "_tls", lambda: ssl.create_default_context(cafile=str(path)))
        assert check_tls().level == "ok"
        configure(mail_url="smtp+plain://relay.example")
        assert "Mail travels in plain text" in check_tls().text
        configure(database_url="postgresql://db.example/kinward?sslmode=require")
        told = check_tls()
    assert (told.level, "sslmode" in told.text) == ("warning", True)


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


def test_an_answer_about_ages_that_is_new_to_us() -> None:
    assert examine()["age signals"].level == "ok"
    tier = {"ageSignalsStatus": "SHARED", "ageRangeSource": "TIER_Z", "ageLower": 18}
    for signal in ({"google_play": tier}, {"google_play": {"mood": "x"}}, {"apple": {"mood": "x"}}):
        for _ in range(2):
            profile = Profile(age_signal=AgeSignal(**signal))
            account, *_ = put_account(platform_id="member", profile=profile)
            assert (account.age_lower, account.age_assurance) == (0, "none")
    warning = examine()["age signals"]
    assert warning.level == "warning"
    as_of = SIGNALS_CHECKED["google-play"]
    assert f"google-play (adapter as of {as_of}): ageRangeSource=TIER_Z, mood" in warning.text
    assert "apple" in warning.text


def test_an_adapter_of_ages_that_nobody_has_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    later = SIGNALS_CHECKED["apple"] + timedelta(days=91)
    monkeypatch.setattr("kinward.experience.api.today", lambda: later)
    assert "apple" in examine()["age signals"].text
    assert examine()["age signals"].level == "warning"


def test_a_guide_that_nobody_has_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from kinward.portal.api import GUIDE_DAYS
    from kinward.portal.guides.catalogue import guides

    day = guides()["pictures"].day
    monkeypatch.setattr("kinward.experience.api.today", lambda: day + timedelta(days=GUIDE_DAYS))
    assert check_guides().level == "ok"
    late = timedelta(days=GUIDE_DAYS + 1)
    monkeypatch.setattr("kinward.experience.api.today", lambda: day + late)
    assert check_guides().level == "warning"
    assert "pictures" in check_guides().text


def test_issuers_of_proofs_of_age_that_cannot_be_read_or_have_ended(
    configure: Configure, tmp_path: Path
) -> None:
    listed = tmp_path / "issuers.pem"
    now = datetime.now(UTC)
    good = Issuer(now, "Good").pem
    listed.write_bytes(f"# checked: {now.date()}\n".encode() + good)
    configure(age_issuers=str(listed))
    assert examine()["age signals"].level == "ok"
    old = Issuer(datetime.now(UTC) - timedelta(days=400), "Old")
    listed.write_bytes(listed.read_bytes() + old.pem)
    assert examine()["age signals"].level == "warning"
    assert examine()["age signals"].text.endswith("have ended: CN=Old.")
    listed.unlink()
    assert examine()["age signals"].level == "fault"
    assert "KINWARD_AGE_ISSUERS" in examine()["age signals"].text


@pytest.mark.parametrize(
    ("lines", "level", "text"),
    [
        ([("checked", -89)], "ok", ""),
        ([("checked", -91)], "warning", "last held KINWARD_AGE_ISSUERS"),
        ([("checked", 0), ("checked", -91)], "warning", "last held"),  # two files in one
        ([], "warning", "# checked"),
        ([("checked", 400)], "warning", "Nobody can have checked"),
        ([("checked", 0), ("until", 40)], "ok", ""),
        ([("checked", 0), ("until", 20)], "warning", "counts until"),
        ([("checked", 0), ("until", -1)], "fault", "counted until"),
    ],
)
def test_a_list_of_issuers_gets_old(
    configure: Configure, tmp_path: Path, lines: list[tuple[str, int]], level: str, text: str
) -> None:
    now, listed = datetime.now(UTC), tmp_path / "issuers.pem"
    days = [f"# {name}: {(now + timedelta(days=days)).date()}" for name, days in lines]
    listed.write_bytes("\n".join([*days, ""]).encode() + Issuer(now, "Good").pem)
    configure(age_issuers=str(listed))
    result = examine()["age signals"]
    assert result.level == level
    assert text in result.text


def test_an_answer_that_is_new_to_us_hides_no_other_warning(
    configure: Configure, tmp_path: Path
) -> None:
    listed = tmp_path / "issuers.pem"
    listed.write_bytes(Issuer(datetime.now(UTC) - timedelta(days=400), "Old").pem)
    configure(age_issuers=str(listed))
    note_unread("apple", "mood")
    text = examine()["age signals"].text
    assert "have ended: CN=Old." in text
    assert "mood" in text


def test_a_source_cannot_fill_the_table_of_what_is_new(db: None) -> None:
    for number in range(MAX_FOR_SOURCE + 10):
        note_unread("apple", f"field{number}")
    assert len(unread_signals()) == MAX_FOR_SOURCE


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
