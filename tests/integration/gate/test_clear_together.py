"""Hash checks that are answered together: each gets what it would get alone, and once."""

import hashlib
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kinward.access.actor import Actor
from kinward.access.models import ApiKey
from kinward.access.services import create_key
from kinward.gate.calls import Call
from kinward.gate.media import Checked, Hashes, check_hashes, check_hashes_together
from kinward.gate.models import KeptAnswer
from kinward.ground.errors import KinwardError
from kinward.matching.hashlists import ListedHash
from kinward.matching.models import Check, Unheld
from kinward.matching.services import add_hashes, create_bank
from kinward.people.models import Account
from tests.support.weakened import tuned_by_two

pytestmark = pytest.mark.django_db

ACTOR = Actor.system("test")
EMPTY = hashlib.sha256(b"").hexdigest()


def value(name: str) -> str:
    """The SHA-256 of a name, which is also 256 bits that are near no other."""
    return hashlib.sha256(name.encode()).hexdigest()


def nearby(name: str) -> str:
    return (int(value(name), 16) ^ 0b1011).to_bytes(32).hex()


def bank(name: str, kind: str, hashed: str, **rules: Any) -> None:
    made = create_bank(name=name, confidence="verified", actor=ACTOR)
    listed = [ListedHash(kind, bytes.fromhex(hashed))]
    add_hashes(bank=made, hashes=listed, provenance="a test", actor=ACTOR)
    if rules:
        tuned_by_two(made, **rules)


@pytest.fixture
def app(account: Account) -> ApiKey:
    create_key(name="app", scopes=frozenset({"media:check"}), actor=ACTOR)
    bank("pictures", "pdq", value("picture"))
    bank("files", "sha256", value("file"))
    bank("shadow", "pdq", value("shadow"), role="shadow")
    bank("partly", "sha1", value("partly")[:40], enabled_ratio=0.5)
    return ApiKey.objects.get(name="app")


def hashes(content: str, account: str = "member-1", **sent: Any) -> Hashes:
    return Hashes(account_id=account, content_id=content, **sent)


QUESTIONS: dict[str, Hashes] = {
    "clear": hashes("a", pdq=value("a"), sha256=value("b")),
    "clear, all that a caller may say": hashes(
        "é 'quoted' {,}",
        md5="0" * 31 + "1",
        sha1=value("a")[:40],
        sha256=value("c"),
        pdq=value("d"),
        filename='a "b"\\ {c}.jpg',
        ip="2001:db8::1",
        port=443,
        public=False,
        sent_to=["b", 'with "quotes", and {more}', "é"],
    ),
    "clear, a film's frames": hashes("film", frames=[value("f1"), value("f2"), value("f3")]),
    "clear, not asked of all banks": hashes("ratio", sha256=value("d5")),
    "near a banked picture": hashes("near", pdq=nearby("picture"), sha256=value("e")),
    "equal to a banked file": hashes("equal", sha256=value("file")),
    "near a picture in shadow": hashes("quiet", pdq=nearby("shadow")),
    "a film with a banked frame": hashes("films", frames=[value("f1"), value("picture")]),
    "nothing to look up": hashes("plain", pdq=value("plain"), quality=3),
    "an empty file": hashes("empty", sha256=EMPTY),
    "an empty file, and more": hashes("half", sha256=EMPTY, md5="0" * 31 + "2"),
    "an account that nobody told": hashes("who", account="nobody", sha256=value("g")),
}


def told(answer: Any) -> Any:
    """An answer without its ids."""
    if isinstance(answer, KinwardError):
        return type(answer), answer.detail
    return answer.outcome, answer.checked, answer.not_checked, isinstance(answer.case_id, str)


def stored() -> list[dict[str, Any]]:
    rows = Check.objects.order_by("content_id", "created_at").values()
    ids = {row["id"] for row in rows}
    assert set(Unheld.objects.values_list("check_made", flat=True)) == ids
    return [
        {
            name: bytes(cell) if isinstance(cell, memoryview) else cell
            for name, cell in row.items()
            if name not in ("id", "created_at", "uploaded_at")
        }
        for row in rows
    ]


def alone(call: Call[Hashes]) -> Checked | KinwardError:
    try:
        return check_hashes(call)
    except KinwardError as error:
        return error


def test_each_gets_and_leaves_what_it_would_alone(app: ApiKey) -> None:
    calls = [Call(asked, app) for asked in QUESTIONS.values()]
    expected, rows = [alone(call) for call in calls], stored()
    together = check_hashes_together(calls)
    handed_back = {name for name, got in zip(QUESTIONS, together, strict=True) if got is None}
    for name, got, want in zip(QUESTIONS, together, expected, strict=True):
        if got is not None:
            assert told(got) == told(want), name
    assert handed_back == {
        "near a banked picture",
        "equal to a banked file",
        "near a picture in shadow",
        "a film with a banked frame",
    }, "what hits anything is looked at by itself, and nothing else is"
    clear = [row for row in rows if not row["matched"] and row["content_id"] != "quiet"]
    doubled = sorted(clear + rows, key=lambda row: row["content_id"])
    assert stored() == doubled, "the rows are those that each would have left"


def test_a_group_costs_no_more_queries_than_one(app: ApiKey) -> None:
    def queries(count: int) -> int:
        calls = [Call(hashes(f"{n}", sha256=value(f"{count}-{n}")), app) for n in range(count)]
        with CaptureQueriesContext(connection) as caught:
            assert all(isinstance(got, Checked) for got in check_hashes_together(calls))
        return len(caught)

    queries(1)
    assert queries(1) == queries(100)


@pytest.fixture
def keyed(app: ApiKey) -> Any:
    def call(content: str, key: str, **sent: Any) -> Call[Hashes]:
        return Call(hashes(content, **(sent or {"sha256": value(content)})), app, key)

    return call


def test_a_key_has_one_effect_and_one_answer_on_both_roads(keyed: Any) -> None:
    first = check_hashes_together([keyed("a", "k1"), keyed("b", "k2")])
    assert all(isinstance(got, Checked) for got in first)
    assert check_hashes_together([keyed("a", "k1"), keyed("b", "k2")]) == [None, None]
    assert [check_hashes(keyed("a", "k1")), check_hashes(keyed("b", "k2"))] == first
    before = check_hashes(keyed("c", "k3"))
    assert check_hashes_together([keyed("c", "k3"), keyed("d", "")])[0] is None
    assert check_hashes(keyed("c", "k3")) == before
    assert Check.objects.count() == 4


def test_a_key_twice_in_a_group_is_answered_once_and_handed_back_once(keyed: Any) -> None:
    got = check_hashes_together([keyed("a", "k"), keyed("a", "k"), keyed("b", "k")])
    assert isinstance(got[0], Checked)
    assert got[1:] == [None, None]
    assert check_hashes(keyed("a", "k")) == got[0]
    assert alone(keyed("b", "k")).code == "idempotency.key_reused"  # type: ignore[union-attr]
    assert Check.objects.count() == 1


def test_a_refused_or_handed_back_call_keeps_no_key(keyed: Any) -> None:
    got = check_hashes_together(
        [keyed("a", "k1", sha256=EMPTY), keyed("b", "k2", sha256=value("file"))]
    )
    assert isinstance(got[0], KinwardError)
    assert got[1] is None
    assert not KeptAnswer.objects.exists()
    assert check_hashes(keyed("b", "k2", sha256=value("file"))).outcome == "quarantine"


def test_two_apps_use_the_same_key_in_one_group(keyed: Any) -> None:
    create_key(name="other", scopes=frozenset({"media:check"}), actor=ACTOR)
    other = ApiKey.objects.get(name="other")
    got = check_hashes_together([keyed("a", "k"), Call(hashes("b", sha256=value("b")), other, "k")])
    assert all(isinstance(answer, Checked) for answer in got)
    assert KeptAnswer.objects.filter(answer__isnull=False).count() == 2
