"""A file whose hash is no PDQ hash: its answer names what was looked up, on both roads."""

from typing import Any

import pytest

from kinward.access.actor import Actor
from kinward.findings import upload as uploads
from kinward.findings.upload import search_file
from kinward.gate import hma
from kinward.ground.errors import KinwardError
from kinward.matching.hashlists import ListedHash
from kinward.matching.models import Bank, Check
from kinward.matching.services import add_hashes, check_values
from kinward.media import Hashed
from kinward.people.models import Account
from tests.support.chimes import begin_chimes, chime
from tests.support.helpers import upload
from tests.support.joined import archive, hashed, picture

pytestmark = pytest.mark.django_db

DIGESTS = ["md5", "sha1", "sha256"]


class Here:
    """Decoders in this process, which knows the test's medium."""

    def hash(self, data: bytes, *_: Any, **__: Any) -> Hashed:
        return hashed(data)


@pytest.fixture(autouse=True)
def _chimes(monkeypatch: pytest.MonkeyPatch) -> None:
    begin_chimes(monkeypatch)
    for module in (uploads, hma):
        monkeypatch.setattr(module, "decoders", Here)


def add(bank: Bank, number: int) -> None:
    value = ListedHash("toll", number.to_bytes(8), "")
    add_hashes(bank=bank, hashes=[value], provenance="test", actor=Actor.system("test"))


def test_a_clear_file_names_its_kind_and_keeps_its_value(account: Account, bank: Bank) -> None:
    answer = upload(account, chime(7))
    assert (answer.outcome, answer.not_checked) == ("clear", [])
    assert sorted(answer.checked) == sorted([*DIGESTS, "toll"])
    assert ("toll", (7).to_bytes(8)) in check_values(Check.objects.get())


@pytest.mark.parametrize("data", [chime(7), archive({"a": chime(7)}), chime(7) + picture(1)])
def test_what_is_banked_is_met(account: Account, bank: Bank, data: bytes) -> None:
    add(bank, 7)
    answer = upload(account, data)
    assert answer.outcome == "quarantine"
    assert "toll" in answer.checked


def test_a_picture_inside_it_is_named_as_well(account: Account, bank: Bank) -> None:
    assert sorted(upload(account, chime(7) + picture(1)).checked) == sorted(
        [*DIGESTS, "pdq", "toll"]
    )


@pytest.mark.parametrize(
    "members", [{"a": chime(8), "b": chime(7)}, {"a": picture(1), "b": chime(7)}]
)
def test_a_value_that_is_not_looked_up_is_never_clear(
    account: Account, bank: Bank, members: dict[str, bytes]
) -> None:
    add(bank, 7)
    with pytest.raises(KinwardError) as refused:
        upload(account, archive(members))
    assert refused.value.code == "media.undecodable"
    assert refused.value.members["checked"] == DIGESTS


def test_whoever_searches_the_banks_reads_the_same(bank: Bank) -> None:
    search = search_file(chime(7))
    assert sorted(search.checked) == sorted([*DIGESTS, "toll"])
    assert search.missed == []


def test_a_tool_for_hma_asks_for_the_kind_and_gets_it(bank: Bank) -> None:
    assert hma._hashes(chime(7), ["toll"]).value["toll"] == "0000000000000007"
    assert hma._look_up_file(chime(7), [], None)["toll"] == {}
    add(bank, 7)
    assert list(hma._look_up_file(chime(7), ["toll"], None)["toll"]) == [bank.name]
    assert list(hma._look_up_file(chime(7), [], None)) == ["toll", *DIGESTS]
