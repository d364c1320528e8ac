"""Keys are shown once and kept as hashes; staff have a role and a password worth the name."""

import pytest

from kinward.access.actor import Actor
from kinward.access.models import ApiKey, Staff
from kinward.access.purposes import SCOPES
from kinward.access.services import (
    KeyRefused,
    NameTaken,
    ScopeMissing,
    authenticate,
    create_key,
    revoke_key,
)
from kinward.access.staff import create_staff
from kinward.ground.errors import Invalid, NotFound
from kinward.ledger.models import Entry

pytestmark = pytest.mark.django_db
ACTOR = Actor.operator("test")
DEMO = Actor.system("demo")


@pytest.mark.django_db(transaction=True)
def test_a_key_lives_until_it_is_revoked() -> None:
    secret = create_key(name="app", scopes=frozenset({"media:check"}), actor=ACTOR)
    assert authenticate(f"Bearer {secret}", "media:check").actor == Actor.key("app")
    with pytest.raises(ScopeMissing):
        authenticate(f"Bearer {secret}", "accounts:write")
    revoke_key(name="app", actor=ACTOR)
    with pytest.raises(KeyRefused):
        authenticate(f"Bearer {secret}", "media:check")
    with pytest.raises(NotFound):
        revoke_key(name="app", actor=ACTOR)
    assert list(Entry.objects.values_list("kind", flat=True)) == ["key.created", "key.revoked"]


def test_the_secret_is_nowhere_in_the_database() -> None:
    secret = create_key(name="app", scopes=SCOPES, actor=ACTOR)
    row = ApiKey.objects.get()
    assert secret.encode() not in bytes(row.digest)
    assert len(bytes(row.digest)) == 32
    assert secret not in str(list(Entry.objects.values()))


def test_a_name_is_used_once_and_scopes_exist() -> None:
    create_key(name="app", scopes=SCOPES, actor=ACTOR)
    with pytest.raises(NameTaken):
        create_key(name="app", scopes=SCOPES, actor=ACTOR)
    with pytest.raises(Invalid, match="everything"):
        create_key(name="other", scopes=frozenset({"everything"}), actor=ACTOR)


@pytest.mark.parametrize(
    ("password", "role"), [("short", "reviewer"), ("password1234", "reviewer"), ("x9" * 9, "king")]
)
def test_staff_need_a_password_and_a_role(password: str, role: str) -> None:
    with pytest.raises(Invalid):
        create_staff(username="robin", password=password, roles=[role], actor=DEMO)
    assert not Staff.objects.exists()


def test_staff_names_are_used_once() -> None:
    create_staff(username="robin", password="x9" * 9, roles=["reviewer"], actor=DEMO)
    for spelling in ("robin", "Robin"):
        with pytest.raises(NameTaken, match="'robin'"):
            create_staff(username=spelling, password="x9" * 9, roles=["reviewer"], actor=DEMO)
