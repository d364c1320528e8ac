"""What a hit on a bank means: live, shadow or negative, near enough, and asked at all."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.access.actor import Actor
from kinward.access.agreement import AlreadyDecided
from kinward.access.models import Staff
from kinward.access.services import create_key
from kinward.casebook.models import Case, Finding
from kinward.demo import pictures
from kinward.findings.retro import retro_match
from kinward.findings.upload import prepare
from kinward.gate import hma
from kinward.ground.errors import Forbidden, Invalid
from kinward.ledger.models import Entry
from kinward.matching.agreements import Silencing
from kinward.matching.hashlists import ListedHash
from kinward.matching.kinds import Keyword, Md5, Pdq, Sha256, Url, VideoFrames
from kinward.matching.lookup import Frames, look_up, look_up_links, look_up_text, survey
from kinward.matching.marks import mark_hash_false_positive
from kinward.matching.models import Bank, BankedHash, QuietHit
from kinward.matching.quiet import count_quiet, quiet_hits, silenced_hits
from kinward.matching.rules import BankNotAsked, banks_not_asked, coin_of, require_asked, toss
from kinward.matching.services import (
    add_hashes,
    create_bank,
    disable_bank,
    remove_hashes,
)
from kinward.matching.tuning import (
    BankChanged,
    _near,
    decide_silencing,
    end_silencing,
    request_silencing,
    tune_bank,
)
from kinward.matching.withdrawals import withdraw_hashes
from kinward.media import View, digest_bytes, read_picture, views_of
from kinward.people.models import Account
from tests.integration.gate.test_gate import Caller
from tests.support.helpers import KNOWN, KNOWN_PNG, run_jobs, upload
from tests.support.weakened import tuned_by_two

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = Actor.system("test")
OTHER = b"\x0f\x5a" * 16  # a PDQ hash far from every picture here


def near(value: bytes, bits: int) -> bytes:
    """A hash that is so many bits away."""
    return (int.from_bytes(value) ^ ((1 << bits) - 1)).to_bytes(32)


def pdq_of(data: bytes) -> bytes:
    return read_picture(data, 10**8).signature


def make(name: str, *hashes: ListedHash, confidence: str = "verified", **rules: Any) -> Bank:
    """A bank with these hashes and rules."""
    made = create_bank(name=name, confidence=confidence, actor=ACTOR)
    add_hashes(bank=made, hashes=hashes, provenance="a test", actor=ACTOR)
    return tuned_by_two(made, **rules) if rules else made


@pytest.fixture
def lead(db: None) -> Staff:
    return Staff.objects.create_user(username="lea", password="a long word", roles=["policy lead"])


@pytest.fixture
def second_lead(db: None) -> Staff:
    return Staff.objects.create_user(username="lou", password="a long word", roles=["policy lead"])


Agree = Callable[[Bank], Silencing]


@pytest.fixture
def agree(lead: Staff, second_lead: Staff) -> Agree:
    """Two people agree that a negative bank silences what it has."""

    def agreed(bank: Bank) -> Silencing:
        asked = request_silencing(bank=bank, why="Harmless.", staff=lead)
        return decide_silencing(silencing_id=asked.id, approve=True, staff=second_lead)

    return agreed


# Distance


def test_a_hit_farther_than_the_banks_distance_is_none_on_every_road(account: Account) -> None:
    made = make("strict", ListedHash(Pdq.name, near(pdq_of(KNOWN), 9)), distance=8)
    assert look_up([(Pdq.name, pdq_of(KNOWN))]) == []
    assert upload(account).outcome == "clear"
    tune_bank(bank=made, distance=9, actor=ACTOR)
    assert [match.distance for match in look_up([(Pdq.name, pdq_of(KNOWN))])] == [9]
    for _ in retro_match():
        pass
    assert Finding.objects.count() == 1, "a wider bank is looked for in what was uploaded before"
    with pytest.raises(Invalid):
        tune_bank(bank=made, distance=32, actor=ACTOR)
    with pytest.raises(Invalid):
        tune_bank(bank=made, distance=-1, actor=ACTOR)


def test_frames_farther_than_the_banks_distance_do_not_count_for_a_video() -> None:
    frames = [bytes([number * 17 % 251]) * 32 for number in range(1, 11)]
    banked = b"".join(near(frame, 2 if place < 5 else 20) for place, frame in enumerate(frames))
    made = make("films", ListedHash(VideoFrames.name, banked))
    values = [(VideoFrames.name, b"".join(frames))]
    assert len(look_up(values)) == 1
    seen = Frames()
    seen.add(views_of(frames))
    assert seen.certain()
    tuned_by_two(made, distance=10)
    assert look_up(values) == [], "five of ten frames are too few"
    seen = Frames()
    seen.add(views_of(frames))
    assert not seen.certain(), "reading must not stop at what is no match"


# Ratio


def test_a_ratio_asks_a_bank_for_its_share_of_files_and_never_flips() -> None:
    values = [
        hashlib.sha256(bytes([number % 256, number // 256])).digest() for number in range(300)
    ]
    hashes = [ListedHash(Sha256.name, value) for value in values]
    made = make("partly", *hashes, enabled_ratio=0.3)

    def asked() -> list[bool]:
        return [bool(look_up([(Sha256.name, value)])) for value in values]

    first = asked()
    assert first == asked(), "the same file has the same answer"
    assert 0.2 < sum(first) / len(first) < 0.4
    for value, was in zip(values, first, strict=True):
        names = [bank.name for bank in banks_not_asked([(Sha256.name, value)])]
        assert names == ([] if was else ["partly"]), "staff can tell what was not asked"
    tune_bank(bank=made, enabled_ratio=0.6, actor=ACTOR)
    more = asked()
    assert all(now for was, now in zip(first, more, strict=True) if was), "more is never less"
    assert sum(more) > sum(first)
    tuned_by_two(made, enabled_ratio=0)
    assert not any(asked())
    tune_bank(bank=made, enabled_ratio=1, actor=ACTOR)
    assert all(asked())


def test_a_file_has_one_coin_for_all_its_hashes_and_all_roads(account: Account) -> None:
    """Otherwise four hashes of a file would be four chances, and the share would be none."""
    pictures_of = [pictures.encode(pictures.draw(number)) for number in range(40, 60)]
    hashes = [
        ListedHash(kind, value)
        for data in pictures_of
        for kind, value in [*digest_bytes(data).known(), (Pdq.name, pdq_of(data))]
    ]
    make("partly", *hashes, confidence="unverified", enabled_ratio=0.5)
    outcomes = []
    for number, data in enumerate(pictures_of):
        prepared = prepare(data)
        coin = coin_of(prepared.digests.known())
        assert coin is not None
        answer = upload(account, data, content_id=f"post-{number}").outcome
        assert answer == ("quarantine" if coin < 0.5 else "clear")
        outcomes.append(answer)
        if coin < 0.5:
            assert all(hma._look_up_file(data, [], None).values())
        else:
            with pytest.raises(BankNotAsked, match="partly"):
                hma._look_up_file(data, [], None)
    assert len(set(outcomes)) == 2, "some are asked and some are not"


@given(st.binary(max_size=64))
@settings(max_examples=200, deadline=None)
def test_a_coin_is_from_0_up_to_1(value: bytes) -> None:
    assert 0 <= toss(value) < 1


def test_links_and_words_have_the_coin_of_their_entry() -> None:
    words = [f"sea{one}shell{other}" for one in "fghkmp" for other in "abcdefghjk"]
    hashes = [ListedHash(Keyword.name, Keyword().parse(word)) for word in words]
    hashes += [ListedHash(Url.name, Url().parse(f"{word}.example")) for word in words]
    make("texts", *hashes, enabled_ratio=0.5)
    known = {word for word in words if look_up_text(f"see {word} there")}
    assert 10 < len(known) < 50
    assert known == {word for word in words if look_up_text(f"{word}, yes")}, (
        "whatever stands around"
    )
    links = {word for word in words if look_up_links([f"https://{word}.example/a"])}
    beside = {word for word in words if look_up_links(["b.example", f"{word}.example"])}
    assert links == beside
    assert 10 < len(links) < 50


@pytest.mark.parametrize("role", ["shadow", "negative"])
def test_only_live_banks_of_words_and_links_match(role: str) -> None:
    hashes = [ListedHash(Keyword.name, b"lighthouse"), ListedHash(Url.name, b"example.org")]
    made = make("texts", *hashes)
    assert look_up_text("a lighthouse")
    assert look_up_links(["https://example.org/a"])
    tuned_by_two(made, role=role)
    assert look_up_text("a lighthouse") == look_up_links(["https://example.org/a"]) == []
    assert look_up([(Url.name, b"example.org")]) == []


def test_a_lookup_that_hit_nothing_says_which_live_bank_it_left_out() -> None:
    made = make("texts", ListedHash(Keyword.name, b"lighthouse"), enabled_ratio=0.5)
    words = [Keyword.name]

    def left_out(kinds: list[str] = words, banks: set[str] | None = None) -> bool:
        try:
            require_asked(kinds, (), banks)  # a text has no coin: each entry has its own
        except BankNotAsked:
            return True
        return False

    with pytest.raises(BankNotAsked, match="'texts'"):
        require_asked(words, (), None)
    assert left_out([Url.name, Keyword.name], {"texts", "other"})
    assert not left_out([Url.name]), "it holds none"
    assert not left_out(banks={"other"}), "it was not to be asked"
    hashes, banks = BankedHash.objects.filter(bank=made), Bank.objects.filter(pk=made.pk)
    for rows, change in (
        (hashes, {"removed": True}),
        (hashes, {"false_positive": True}),
        (banks, {"disabled": True}),
        (banks, {"role": "shadow"}),
        (banks, {"role": "negative"}),
        (banks, {"enabled_ratio": 1}),
    ):
        with transaction.atomic():
            rows.update(**change)
            assert not left_out(), change
            transaction.set_rollback(True)
    assert left_out()


# What counts as new

TUNED: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "farther": ({"distance": 10}, {"distance": 11}, True),
    "nearer": ({"distance": 10}, {"distance": 9}, False),
    "asked more": ({"enabled_ratio": 0.5}, {"enabled_ratio": 0.6}, True),
    "asked less": ({"enabled_ratio": 0.5}, {"enabled_ratio": 0.4}, False),
    "less but farther": ({"distance": 10}, {"distance": 11, "enabled_ratio": 0.5}, True),
    "shadow to live": ({"role": "shadow"}, {"role": "live"}, True),
    "live to negative": ({}, {"role": "negative"}, False),
    "negative and farther": ({"role": "negative", "distance": 9}, {"distance": 10}, False),
    "negative to shadow": ({"role": "negative"}, {"role": "shadow"}, True),
    "the same": ({"distance": 10}, {"distance": 10}, False),
}


def test_the_hashes_of_a_bank_count_as_new_where_it_may_match_more() -> None:
    for number, (what, (before, change, new)) in enumerate(TUNED.items()):
        values = [hashlib.sha256(bytes([number, place])).digest() for place in range(2)]
        hashes = [ListedHash(Pdq.name, value) for value in values]
        made = make(what, *hashes, confidence="unverified", **before)
        BankedHash.objects.filter(bank=made, value=values[1]).update(removed=True)
        versions = dict(BankedHash.objects.values_list("pk", "version"))
        tune_bank(bank=made, actor=ACTOR, **change)
        renewed = {
            pk
            for pk, version in BankedHash.objects.values_list("pk", "version")
            if version > versions[pk]
        }
        live = BankedHash.objects.get(bank=made, removed=False)
        assert renewed == ({live.pk} if new else set()), what


# Shadow


def test_a_shadow_bank_records_and_does_nothing(account: Account, bank: Bank) -> None:
    tuned_by_two(bank, role="shadow")
    assert upload(account, content_id="one").outcome == "clear"
    assert upload(account, content_id="two").outcome == "clear"
    assert not Case.objects.exists()
    assert not Finding.objects.exists()
    account.refresh_from_db()
    assert account.standing != "suspended"
    counts = count_quiet(bank)
    assert (counts.accounts, counts.contents) == (1, 2)
    assert {hit.check_made.content_id for hit in quiet_hits(bank)} == {"one", "two"}
    assert look_up([(Pdq.name, pdq_of(KNOWN_PNG))]) == []
    assert hma._look_up_file(KNOWN, [], None) == {kind: {} for kind in hma._hashes(KNOWN, []).value}


def test_a_shadow_bank_judges_what_was_uploaded_before_and_a_live_one_finds_it(
    account: Account,
) -> None:
    assert upload(account, content_id="old").outcome == "clear"
    made = make("late", role="shadow")
    add_hashes(
        bank=made,
        hashes=[ListedHash(Pdq.name, pdq_of(KNOWN_PNG))],
        provenance="p",
        actor=ACTOR,
    )
    run_jobs()
    assert not Finding.objects.exists()
    assert count_quiet(made).hits == 1
    assert upload(account, content_id="new").outcome == "clear"
    tune_bank(bank=made, role="live", actor=ACTOR)
    run_jobs()
    found = set(Finding.objects.values_list("content_id", flat=True))
    assert found == {"old", "new"}, "what it would have matched is matched now"
    kinds = list(Entry.objects.filter(kind="bank.tuned").values_list("data__role", flat=True))
    assert kinds == ["shadow", "live"]


def test_a_video_is_read_on_after_a_shadow_bank_matches() -> None:
    frame = videos_frame()
    made = make("films", ListedHash(Pdq.name, frame), role="shadow")
    seen = Frames()
    seen.add([View(frame)])
    assert not seen.certain()
    tune_bank(bank=made, role="live", actor=ACTOR)
    seen = Frames()
    seen.add([View(frame)])
    assert seen.certain()


def videos_frame() -> bytes:
    return OTHER


# Negative


@pytest.fixture
def negative(bank: Bank) -> Bank:
    """A negative bank with the picture that the verified bank has, to which nobody agreed yet."""
    hashes = [ListedHash(Pdq.name, near(pdq_of(KNOWN), 4))]
    return make("harmless", *hashes, role="negative")


def test_a_negative_bank_alone_silences_nothing(account: Account, negative: Bank) -> None:
    assert upload(account).outcome == "quarantine"
    assert not QuietHit.objects.exists()


def test_what_looks_like_a_negative_entry_matches_on_no_road(
    account: Account, negative: Bank, bank: Bank, agree: Agree
) -> None:
    assert look_up([(Pdq.name, pdq_of(KNOWN))])
    agree(negative)
    assert upload(account).outcome == "clear"
    assert look_up([(Pdq.name, pdq_of(KNOWN))]) == []
    assert hma._look_up_file(KNOWN, [], None)["pdq"] == {}
    secret = create_key(name="app", scopes=frozenset({"media:check"}), actor=ACTOR)
    body = {"account_id": account.platform_id, "content_id": "p", "pdq": pdq_of(KNOWN).hex()}
    answer = Caller(secret)("POST", "/v1/media/hashes", json=body)
    assert answer.json()["outcome"] == "clear"
    assert not Case.objects.exists()
    assert silenced_hits(bank) == 2, "staff see what it silences"
    assert count_quiet(negative).contents == 2
    (hit, *_) = survey([(Pdq.name, pdq_of(KNOWN))]).quiet
    assert hit.silenced_by == BankedHash.objects.get(bank=negative).pk


def test_a_list_that_grows_later_is_silenced_as_well(account: Account, agree: Agree) -> None:
    assert upload(account).outcome == "clear"
    made = make("harmless", ListedHash(Pdq.name, pdq_of(KNOWN)), role="negative")
    agree(made)
    late = make("late", ListedHash(Pdq.name, near(pdq_of(KNOWN), 3)))
    run_jobs()
    assert not Finding.objects.exists()
    assert silenced_hits(late) == 1


@pytest.mark.parametrize("end", ["disable", "remove", "false positive", "partner", "live", "end"])
def test_what_was_silenced_is_found_once_nothing_silences_it(
    account: Account, negative: Bank, agree: Agree, lead: Staff, end: str
) -> None:
    agree(negative)
    assert upload(account).outcome == "clear"
    run_jobs()  # from now on no hash is new by itself
    assert not Finding.objects.exists()
    row = BankedHash.objects.get(bank=negative)
    if end == "disable":
        disable_bank(bank=negative, disabled=True, actor=ACTOR)
    elif end == "remove":
        remove_hashes(bank=negative, values=[bytes(row.value)], actor=ACTOR)
    elif end == "false positive":
        mark_hash_false_positive(row=row, wrong=True, actor=ACTOR)
    elif end == "partner":
        with transaction.atomic():
            withdraw_hashes(negative, {row.pk}, agreed=1)
    elif end == "live":
        tune_bank(bank=negative, role="shadow", actor=ACTOR)
    else:
        end_silencing(bank=negative, staff=lead)
    run_jobs()
    run_jobs()
    assert Finding.objects.filter(content_id="post-1").count() == 1


def test_a_verified_digest_is_stronger_than_any_negative_entry(
    account: Account, agree: Agree
) -> None:
    """The bytes are known: what looks harmless in them does not make them so."""
    digests = digest_bytes(KNOWN)
    make("known", ListedHash(Sha256.name, bytes.fromhex(digests.sha256)))
    hashes = [ListedHash(kind, value) for kind, value in digests.known()]
    agree(make("harmless", *hashes, ListedHash(Pdq.name, pdq_of(KNOWN)), role="negative"))
    assert upload(account).outcome == "quarantine"


def test_a_negative_sha256_silences_looks_and_a_negative_md5_does_not(
    account: Account, bank: Bank, agree: Agree
) -> None:
    """Anybody can make two files with one MD5: a harmless one for the bank, and another."""
    digests = digest_bytes(KNOWN)
    weak = [ListedHash(Md5.name, bytes.fromhex(digests.md5))]
    agree(make("weak", *weak, role="negative"))
    assert upload(account, content_id="a").outcome == "quarantine"
    agree(make("strong", ListedHash(Sha256.name, bytes.fromhex(digests.sha256)), role="negative"))
    assert upload(account, content_id="b").outcome == "clear"
    seen = Frames(digests.known())
    seen.add([View(pdq_of(KNOWN))])
    assert not seen.certain()
    assert hma._look_up_file(KNOWN, [], None)["pdq"] == {}, "HMA's lookup knows the whole file"


def test_a_harmless_frame_silences_itself_and_not_the_film_around_it(agree: Agree) -> None:
    """Otherwise somebody who adds a harmless frame to a known film would hide it."""
    frames = [bytes([number * 17 % 251]) * 32 for number in range(1, 11)]
    make("films", ListedHash(VideoFrames.name, b"".join(frames)))
    agree(make("titles", ListedHash(Pdq.name, frames[0]), role="negative"))
    whole = [(VideoFrames.name, b"".join(frames))]
    assert len(look_up(whole)) == 1
    seen = Frames()
    seen.add(views_of(frames))
    assert seen.certain()
    assert look_up([(Pdq.name, frames[0])]) == [], "the title alone is harmless"
    assert look_up([(Pdq.name, frames[1])]), "another frame alone is not"


def test_a_negative_bank_never_adds_a_match(agree: Agree) -> None:
    frames = [bytes([number * 17 % 251]) * 32 for number in range(1, 11)]
    make("films", ListedHash(VideoFrames.name, b"".join(frames[5:] + [OTHER] * 5)))
    values = [(VideoFrames.name, b"".join(frames))]
    assert look_up(values) == []
    hashes = [ListedHash(Pdq.name, frame) for frame in frames[:5]]
    agree(make("titles", *hashes, role="negative"))
    assert look_up(values) == [], "half of the frames were not enough before, either"


def test_a_negative_bank_silences_within_its_own_distance(agree: Agree, bank: Bank) -> None:
    made = make("harmless", ListedHash(Pdq.name, near(pdq_of(KNOWN), 9)), role="negative")
    agree(tune_bank(bank=made, distance=8, actor=ACTOR))
    assert look_up([(Pdq.name, pdq_of(KNOWN))])
    agree(tune_bank(bank=made, distance=9, actor=ACTOR))
    assert look_up([(Pdq.name, pdq_of(KNOWN))]) == []


# Two people


def test_silence_takes_two_people_and_covers_what_they_saw(
    negative: Bank, lead: Staff, second_lead: Staff, operator: Staff, reviewer: Staff
) -> None:
    values = [(Pdq.name, pdq_of(KNOWN))]
    for nobody in (operator, reviewer):
        with pytest.raises(Forbidden):
            request_silencing(bank=negative, why="x", staff=nobody)
    asked = request_silencing(bank=negative, why="Harmless.", staff=lead)
    assert (asked.hashes, asked.near) == (1, 1), "it says how many known hashes it comes near"
    with pytest.raises(AlreadyDecided):
        request_silencing(bank=negative, why="Harmless.", staff=second_lead)
    with pytest.raises(Forbidden):
        decide_silencing(silencing_id=asked.id, approve=True, staff=lead)
    with pytest.raises(Forbidden):
        decide_silencing(silencing_id=asked.id, approve=True, staff=operator)
    assert look_up(values)
    later = [ListedHash(Pdq.name, OTHER)]
    add_hashes(bank=negative, hashes=later, provenance="slipped in", actor=ACTOR)
    make("other", *later)
    decide_silencing(silencing_id=asked.id, approve=True, staff=second_lead)
    assert look_up(values) == []
    assert look_up([(Pdq.name, OTHER)]), "what was added after the request waits for another"
    written = set(Entry.objects.filter(kind__startswith="silencing").values_list("kind", flat=True))
    assert written == {"silencing.asked", "silencing.approved"}


def test_who_agrees_is_told_how_many_matching_hashes_come_near(bank: Bank) -> None:
    """Those of banks that match, within the negative bank's own distance, at this moment."""
    pdq = pdq_of(KNOWN_PNG)
    strict: dict[str, Any] = {"role": "negative", "distance": 3}
    digests = make("digests", ListedHash(Sha256.name, b"\x01" * 32), role="negative")
    assert _near(digests) == 0, "nothing comes near a digest"
    assert _near(make("far", ListedHash(Pdq.name, OTHER), role="negative")) == 0
    assert _near(make("strict", ListedHash(Pdq.name, near(pdq, 4)), **strict)) == 0
    close = make("close", ListedHash(Pdq.name, near(pdq, 3)), **strict)
    assert _near(close) == 1
    make("quiet", ListedHash(Pdq.name, near(pdq, 2)), role="shadow")
    assert _near(close) == 2, "a shadow bank may match one day"
    for rows, change in (
        (BankedHash.objects.filter(bank=close), {"removed": True}),
        (BankedHash.objects.filter(bank=close), {"false_positive": True}),
        (BankedHash.objects.exclude(bank=close), {"removed": True}),
        (BankedHash.objects.exclude(bank=close), {"false_positive": True}),
        (Bank.objects.exclude(pk=close.pk), {"disabled": True}),
        (Bank.objects.exclude(pk=close.pk), {"role": "negative"}),
    ):
        with transaction.atomic():
            rows.update(**change)
            assert _near(close) == 0, change
            transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("why", "accepted"), [(" ", False), ("x" * 2000, True), ("x" * 2001, False)]
)
def test_silence_needs_a_reason_of_at_most_2000_characters(
    negative: Bank, lead: Staff, why: str, accepted: bool
) -> None:
    if accepted:
        assert request_silencing(bank=negative, why=why, staff=lead).why == why
        return
    with pytest.raises(Invalid, match="at most 2000 characters"):
        request_silencing(bank=negative, why=why, staff=lead)


def test_other_rules_need_another_agreement(
    negative: Bank, agree: Agree, lead: Staff, second_lead: Staff
) -> None:
    values = [(Pdq.name, pdq_of(KNOWN))]
    tune_bank(bank=negative, distance=4, actor=ACTOR)
    agree(negative)
    assert look_up(values) == []
    asked = request_silencing(bank=negative, why="x", staff=lead)
    tune_bank(bank=negative, distance=31, actor=ACTOR)
    assert look_up(values), "a wider bank silences nothing until two people agree to that"
    with pytest.raises(BankChanged):
        decide_silencing(silencing_id=asked.id, approve=True, staff=second_lead)
    assert Entry.objects.filter(kind="silencing.ended").count() == 1


def test_the_database_refuses_the_silence_of_one_person(negative: Bank, lead: Staff) -> None:
    asked = request_silencing(bank=negative, why="x", staff=lead)
    with pytest.raises(IntegrityError), transaction.atomic():
        Silencing.objects.filter(pk=asked.pk).update(
            state="approved", decided_by=lead, decided_at=timezone.now()
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Bank.objects.filter(pk=negative.pk).update(role="live", silences_upto=1)


def test_a_live_bank_cannot_silence_and_a_reviewer_cannot_tune(
    bank: Bank, lead: Staff, reviewer: Staff
) -> None:
    with pytest.raises(Invalid):
        request_silencing(bank=bank, why="x", staff=lead)
    with pytest.raises(Forbidden):
        tune_bank(bank=bank, role="shadow", actor=reviewer.actor)
    with pytest.raises(Invalid):
        tune_bank(bank=bank, role="quiet", actor=lead.actor)
