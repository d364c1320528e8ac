"""What no password may be, on every road by which somebody sets one."""

import hashlib
from itertools import product
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.test import Client

from kinward.access.actor import Actor
from kinward.access.invitations import accept_invitation, invite_staff
from kinward.access.models import Staff
from kinward.access.passwords import NoCommonPassword, is_listed
from kinward.access.staff import create_staff
from kinward.cli.demo import give_second_factor
from kinward.ground.errors import Invalid, SettingWrong
from tests.integration.conftest import Configure

pytestmark = pytest.mark.django_db
GOOD = "four neutral words here"


def joins(password: str, name: str = "nils.holgersson") -> Staff:
    secret = invite_staff(username=name, roles=["auditor"], actor=Actor.operator("test"))
    accept_invitation(secret=secret, username="", password=password)
    return Staff.objects.get(username=name)


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "!!qwerty2024!!",
        "dragondragon",
        "123456789012",
        "nils.holgersson1",
        "Kinward-2026!",
        "harbour-harbour-7",
        "kinwardsafetyreview",
    ],
)
def test_no_common_password_and_no_word_of_this_place(configure: Configure, password: str) -> None:
    configure(platform_name="The Harbour")
    with pytest.raises(Invalid):
        joins(password)
    assert not Staff.objects.filter(username="nils.holgersson").exists()


@pytest.mark.parametrize("password", [GOOD, "kinward helps my four cats", "x9" * 9, "ä" * 6 + GOOD])
def test_a_long_password_of_other_words_is_taken(password: str) -> None:
    assert joins(password).check_password(password)


def test_thousands_of_common_passwords_of_the_least_length_are_refused() -> None:
    """The standard asks for 3,000. Those that Django lists itself are far fewer."""
    bases = [word for word in sorted(CommonPasswordValidator().passwords) if len(word) == 8][:300]
    validator, refused = NoCommonPassword(), 0
    for base, padding in product(bases, ("1234", "!!!!", "2024", "0000", "1!1!", "4321", "....")):
        with pytest.raises(Exception, match="too common"):
            validator.validate(base + padding)
        refused += 1
        with pytest.raises(Exception, match="too common"):
            validator.validate(padding + base.upper())
        refused += 1
    assert refused >= 3000


def listed(path: Path, words: list[str], end: str = "\n") -> Path:
    digests = sorted(hashlib.sha1(word.encode()).hexdigest().upper() for word in words)  # noqa: S324
    path.write_text("".join(f"{digest}:{n}{end}" for n, digest in enumerate(digests)))
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 64, 257])
def test_each_line_of_a_list_is_found_and_nothing_else(
    tmp_path: Path, count: int, end: str
) -> None:
    words = [f"breached word {number}" for number in range(count)]
    path = listed(tmp_path / "list", words, end)
    assert all(is_listed(path, word) for word in words)
    assert not any(is_listed(path, f"other word {number}") for number in range(60))


def test_a_breached_password_is_refused_on_every_road(
    tmp_path: Path, configure: Configure, reviewer: Staff
) -> None:
    configure(breached_passwords=str(listed(tmp_path / "list", [GOOD, "another word", "third"])))
    with pytest.raises(Invalid, match="breach"):
        joins(GOOD)
    with pytest.raises(Invalid, match="breach"):
        create_staff(username="kim", password=GOOD, roles=["auditor"], actor=Actor.system("demo"))
    give_second_factor(reviewer)
    client = Client()
    client.force_login(reviewer)
    own = "a long test word"
    for new, changed in ((GOOD, False), ("robin robin", False), (GOOD + " more", True)):
        form = {"oldpassword": own, "password1": new, "password2": new}
        client.post("/account/password/", form)
        reviewer.refresh_from_db()
        assert reviewer.check_password(new) == changed


def test_without_its_list_nobody_sets_a_password(tmp_path: Path, configure: Configure) -> None:
    configure(breached_passwords=str(tmp_path / "gone"))
    with pytest.raises(SettingWrong, match="KINWARD_BREACHED_PASSWORDS"):
        joins(GOOD)
    (tmp_path / "gone").write_text("these are no digests\n" * 9)
    with pytest.raises(SettingWrong, match="SHA-1"):
        joins(GOOD)


def test_a_password_of_two_hundred_characters_signs_in() -> None:
    long = "a neutral word and " * 11
    staff = joins(long.strip() + "x", name="nora")
    client = Client()
    client.post("/account/login/", {"login": "nora", "password": long.strip()})
    assert "_auth_user_id" not in client.session, "none of it is cut off"
    client.post("/account/login/", {"login": "nora", "password": long.strip() + "x"})
    assert client.session["_auth_user_id"] == str(staff.pk)
