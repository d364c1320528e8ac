"""A restored backup gives nobody power back that they lost since, and ends what it knew as open."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.after_restore import end_access_of_backup, take_lost_power
from kinward.access.appointments import give_role, resume_staff, take_role
from kinward.access.devices import known_device, remember_device
from kinward.access.invitations import InvitationOver, invite_staff, read_invitation
from kinward.access.models import ApiKey, Staff
from kinward.access.power_list import last_lines, power_path
from kinward.access.services import change_key, create_key, revoke_key, rotate_key
from kinward.access.staff import create_staff, end_staff, suspend_staff
from kinward.ground.errors import Invalid
from kinward.ledger.models import Entry
from tests.integration.conftest import Configure
from tests.integration.web.test_console import signed_in
from tests.support.compared import gaps

pytestmark = pytest.mark.django_db(transaction=True)  # a line is written once it is committed
SYSTEM = Actor.system("test")
KEY_FIELDS = ("digest", "previous_digest", "scopes", "purposes", "expires_at", "revoked_at")


@pytest.fixture(autouse=True)
def _own_directory(configure: Configure, tmp_path: Path) -> None:
    configure(data_dir=tmp_path, secret_key="a secret of a test")


def person(name: str, *roles: str) -> Staff:
    return create_staff(username=name, password="a long test word", roles=roles, actor=SYSTEM)


def key(name: str, *purposes: str) -> None:
    create_key(name=name, purposes=purposes or ("gate",), actor=SYSTEM)


class Backup:
    """The rows of people and keys as they were, and the moment."""

    def __init__(self) -> None:
        fields = ("id", "roles", "is_active", "ended_at", "power_lost_at")
        self.staff = list(Staff.objects.values(*fields))
        self.keys = list(ApiKey.objects.values("id", *KEY_FIELDS))
        self.entries = Entry.objects.count()
        self.moment = timezone.now()

    def restore(self) -> None:
        """Put the rows back, past the services, as a restored database has them."""
        for row in self.staff:
            Staff.objects.filter(pk=row["id"]).update(**row)
        for row in self.keys:
            ApiKey.objects.filter(pk=row["id"]).update(**row)

    def take(self, path: Path | None = None) -> list[str]:
        return take_lost_power(since=self.moment, path=path or power_path(), actor=SYSTEM)


def state() -> dict[str, Any]:
    people = {one.username: (one.state, *one.roles) for one in Staff.objects.all()}
    live = ApiKey.objects.filter(revoked_at=None).order_by("name")
    return people | {"keys": list(live.values_list("name", flat=True))}


def test_what_was_lost_since_is_lost_again_and_nothing_is_given() -> None:
    for name in ("ada", "bo"):
        person(name, "administrator")
    for name in ("ended", "suspended", "back", "same"):
        person(name, "reviewer")
    person("fewer", "reviewer", "auditor")
    person("more", "reviewer")
    for name in ("revoked", "rotated", "narrower", "shorter", "kept"):
        key(name)
    key("wider", "uploads")
    backup = Backup()
    end_staff(username="ended", actor=SYSTEM)
    suspend_staff(username="suspended", actor=SYSTEM)
    suspend_staff(username="back", actor=SYSTEM)
    resume_staff(username="back", actor=SYSTEM)
    take_role(username="fewer", role="reviewer", actor=SYSTEM)
    give_role(username="more", role="auditor", actor=SYSTEM)
    person("newcomer", "reviewer")
    revoke_key(name="revoked", actor=SYSTEM)
    rotate_key(name="rotated", overlap=timedelta(), actor=SYSTEM)
    change_key(name="narrower", purposes=["decisions"], actor=SYSTEM)
    change_key(name="shorter", days=1, actor=SYSTEM)
    change_key(name="wider", purposes=["gate"], actor=SYSTEM)
    change_key(name="kept", owner="ada", actor=SYSTEM)
    Staff.objects.filter(username="newcomer").delete()
    backup.restore()
    assert state()["ended"] == ("active", "reviewer"), "the backup knows nothing of it"
    told = backup.take()
    assert state() == {
        "ada": ("active", "administrator"),
        "bo": ("active", "administrator"),
        "ended": ("ended", "reviewer"),
        "suspended": ("suspended", "reviewer"),
        "back": ("active",),  # their role waits for a colleague, as it did
        "same": ("active", "reviewer"),
        "fewer": ("active", "auditor"),
        "more": ("active", "reviewer"),
        "keys": ["kept", "wider"],
    }
    assert len(told) == 8
    assert backup.take() == [], "idempotent"


def test_the_list_of_what_was_lost_before_the_backup_does_nothing() -> None:
    person("ada", "administrator")
    person("robin", "reviewer")
    suspend_staff(username="robin", actor=SYSTEM)
    Staff.objects.filter(username="robin").update(is_active=True)
    assert Backup().take() == []
    assert state()["robin"] == ("active", "reviewer")


def test_the_only_administrator_stays_and_it_is_said() -> None:
    person("ada", "administrator")
    backup = Backup()
    person("bo", "administrator")
    end_staff(username="ada", actor=SYSTEM)
    Staff.objects.filter(username="bo").delete()
    backup.restore()
    (told,) = backup.take()
    assert "kinward staff end ada" in told
    assert state()["ada"] == ("active", "administrator")


def test_a_line_that_was_never_finished_says_nothing_and_a_wrong_one_is_said(
    tmp_path: Path,
) -> None:
    for name in ("ada", "robin"):
        person(name, "administrator")
    backup = Backup()
    suspend_staff(username="robin", actor=SYSTEM)
    whole = power_path().read_bytes()
    assert (power_path().stat().st_mode & 0o777) == 0o600
    torn = tmp_path / "torn"
    torn.write_bytes(whole[:-5])
    assert last_lines(torn, backup.moment) == []
    torn.write_bytes(b"{}\n" + whole)
    with pytest.raises(Invalid, match="Line 1 of the list of power"):
        backup.take(torn)


def test_no_line_has_a_secret_and_no_failure_of_the_list_keeps_access_open(
    configure: Configure, tmp_path: Path
) -> None:
    for name in ("ada", "robin"):
        person(name, "administrator")
    secret = create_key(name="app", purposes=["gate"], actor=SYSTEM)
    assert secret.removeprefix("kw_") not in power_path().read_text()
    assert all(msgspec.json.decode(line) for line in power_path().read_bytes().splitlines())
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    configure(data_dir=blocked)
    suspend_staff(username="robin", actor=SYSTEM)
    assert state()["robin"] == ("suspended", "administrator")


def test_sessions_devices_and_invitations_of_the_backup_are_over() -> None:
    ada = person("ada", "administrator")
    page, token = signed_in(ada), remember_device(ada)
    assert page.get("/staff").status_code == 200
    link = invite_staff(username="newcomer", roles=["auditor"], actor=ada.actor)
    read_invitation(link)
    assert end_access_of_backup(actor=SYSTEM) == 1
    assert page.get("/staff").status_code == 302
    assert known_device(Staff.objects.get(), token) == ""
    with pytest.raises(InvitationOver):
        read_invitation(link)
    assert gaps(["staff", "staff invitation"]) == []
