"""A file is seen once one person saw each thing in it, and played what moves."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import msgspec
import pytest
from django.utils import timezone

from kinward.access.models import Staff
from kinward.casebook.models import Case
from kinward.demo import pictures
from kinward.evidence import viewing
from kinward.evidence.models import Evidence
from kinward.evidence.queries import viewed_entirely, viewed_mostly
from kinward.evidence.viewing import PAGE, Sight, record_evidence_watched
from kinward.ground.errors import Invalid, NotFound
from kinward.ground.turns import NOBODY, Payer
from kinward.ledger.models import Entry
from kinward.matching.models import Bank
from kinward.media import Contents, Strand, decoders
from kinward.people.models import Account
from kinward.review.lease import LeaseNeeded, release_lease, take_case
from kinward.review.look import look_at_file, play_file, record_watched, veil_file
from kinward.review.models import Look
from tests.integration.web.test_console import signed_in
from tests.support import joined, videos
from tests.support.helpers import KNOWN, quarantined

pytestmark = pytest.mark.django_db

TWO_TRACKS = videos.tracks([[pictures.draw(901, (320, 240))], [pictures.draw(2, (320, 240))]])
Held = Callable[[bytes], Case]
Watch = Callable[[float], None]


@pytest.fixture
def held(bank: Bank, account: Account, reviewer: Staff) -> Held:
    """Send a file that is known, and take its case."""
    return lambda data: take_case(case=quarantined(account, data=data), staff=reviewer)


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Let seconds pass for whoever asks for the time."""
    now, passed = timezone.now, [0.0]
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(seconds=passed[0]))

    def later(seconds: float) -> None:
        passed[0] += seconds

    return later


def looks(staff: Staff) -> tuple[Evidence, Callable[..., Sight], Callable[..., tuple[Sight, str]]]:
    """The only file, and what shows its pictures and its films to a person."""
    evidence = Evidence.objects.get()
    case_id, evidence_id, why = evidence.case_id, evidence.id, "to decide"
    look = partial(look_at_file, case_id=case_id, evidence_id=evidence_id, staff=staff, reason=why)
    play = partial(play_file, case_id=case_id, evidence_id=evidence_id, staff=staff, reason=why)
    return evidence, look, play


def test_a_plain_picture_is_seen_at_once(held: Held, reviewer: Staff) -> None:
    held(KNOWN)
    evidence, look, play = looks(reviewer)
    sight = look()
    assert (len(sight.stills), sight.entire, sight.left, sight.following) == (1, True, 0, None)
    assert (sight.stills[0].data or b"").startswith(b"\xff\xd8\xff")
    assert viewed_entirely(evidence)
    with pytest.raises(Invalid, match="does not move"):
        play(strand=0)
    for strand in (1, 64, -1):
        with pytest.raises(NotFound):
            look(strand=strand)


def test_an_animation_is_seen_once_it_was_played(held: Held, reviewer: Staff, wait: Watch) -> None:
    frames = [pictures.draw(seed) for seed in (901, 2)]
    held(pictures.encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=500))
    evidence, look, play = looks(reviewer)
    sight = look()
    assert (sight.entire, sight.left) == (False, 1)
    sight, ticket = play(strand=0)
    assert sight.film is not None
    assert sight.film.data.startswith(b"\x1a\x45\xdf\xa3"), "our own encoding"
    assert not viewed_entirely(evidence), "shown is not played"
    played = partial(record_watched, case_id=evidence.case_id, evidence_id=evidence.id)
    with pytest.raises(Invalid, match="yet"):
        played(staff=reviewer, ticket=ticket)
    wait(2)
    assert played(staff=reviewer, ticket=ticket).entire
    assert viewed_entirely(evidence)


def test_who_plays_one_track_has_not_seen_the_other(
    held: Held, reviewer: Staff, wait: Watch
) -> None:
    held(TWO_TRACKS)
    evidence, look, play = looks(reviewer)
    assert [still.strand.what for still in look().stills] == ["track", "track"]
    played = partial(
        record_watched, case_id=evidence.case_id, evidence_id=evidence.id, staff=reviewer
    )
    _, first = play(strand=0)
    wait(60)
    for _ in range(3):
        sight = played(ticket=first)
        assert (sight.entire, sight.left) == (False, 1), "the same film again is no other film"
    assert not viewed_entirely(evidence)
    _, second = play(strand=1)
    wait(60)
    assert played(ticket=second).entire
    assert viewed_entirely(evidence)
    shown = [entry.data["shown"] for entry in Entry.objects.filter(kind="evidence.viewed")]
    assert shown == [
        ["0:0", "1:0"],
        ["0:film"],
        ["0:end"],
        ["0:end"],
        ["0:end"],
        ["1:film"],
        ["1:end"],
    ]
    assert Look.objects.count() == 3, "each time something was shown, and not when it was played"


def test_two_people_who_saw_a_half_each_have_not_seen_the_file(
    held: Held, reviewer: Staff, second_reviewer: Staff, wait: Watch
) -> None:
    case = held(TWO_TRACKS)
    for staff, strand in ((reviewer, 0), (second_reviewer, 1)):
        take_case(case=case, staff=staff)
        evidence, look, play = looks(staff)
        look()
        _, ticket = play(strand=strand)
        wait(60)
        sight = record_watched(case_id=case.id, evidence_id=evidence.id, staff=staff, ticket=ticket)
        assert sight.left == 1
        release_lease(case=case, staff=staff)
    assert not viewed_entirely(evidence)


def test_two_films_are_not_played_in_the_time_of_one(held: Held, reviewer: Staff) -> None:
    held(TWO_TRACKS)
    evidence, _, play = looks(reviewer)
    tickets = [play(strand=strand) for strand in (0, 1)]
    seconds = getattr(tickets[0][0].film, "seconds", 0.0)
    played = partial(
        record_watched, case_id=evidence.case_id, evidence_id=evidence.id, staff=reviewer
    )
    time.sleep(seconds / 2)
    played(ticket=tickets[0][1])
    with pytest.raises(Invalid, match="yet"):
        played(ticket=tickets[1][1])
    assert not viewed_entirely(evidence)


def test_a_ticket_is_of_one_film_one_person_and_one_lease(
    held: Held, reviewer: Staff, second_reviewer: Staff, wait: Watch
) -> None:
    case = held(videos.encode([901], sound="aac"))
    evidence, look, play = looks(reviewer)
    look()
    _, ticket = play(strand=0)
    wait(60)
    played = partial(record_watched, case_id=case.id, evidence_id=evidence.id)
    with pytest.raises(Invalid, match="Show the video again"):
        played(staff=reviewer, ticket=f"{ticket}x")
    release_lease(case=case, staff=reviewer)
    take_case(case=case, staff=second_reviewer)
    with pytest.raises(Invalid, match="somebody else"):
        played(staff=second_reviewer, ticket=ticket)
    with pytest.raises(LeaseNeeded):
        played(staff=reviewer, ticket=ticket)
    assert not viewed_entirely(evidence)


def test_a_film_that_was_cut_short_has_no_ticket(
    held: Held, reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(videos.encode([901]))
    evidence, look, play = looks(reviewer)
    whole = decoders().play(videos.encode([901]))
    cut = msgspec.structs.replace(whole, entire=False)
    monkeypatch.setattr(type(decoders()), "play", lambda self, data, **what: cut)
    look()
    assert play(strand=0)[1] == ""
    assert not viewed_entirely(evidence)


def test_each_picture_of_a_document_is_shown_and_a_document_is_never_seen_whole(
    held: Held, reviewer: Staff
) -> None:
    held(joined.pdf(KNOWN, joined.picture(7), joined.picture(8)))
    evidence, look, _ = looks(reviewer)
    sight = look()
    assert [still.strand.role for still in sight.stills] == ["embedded"] * 3
    assert (sight.left, sight.entire, sight.contents.entire) == (0, False, False)
    assert not viewed_entirely(evidence), "nobody saw its text"
    assert viewed_mostly(evidence, reviewer), "but all that can be shown"


def test_who_saw_half_of_a_document_has_not_seen_most_of_it(
    held: Held, reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(joined.pdf(KNOWN, joined.picture(7), joined.picture(8)))
    evidence, look, _ = looks(reviewer)
    monkeypatch.setattr(viewing, "PAGE", 2)
    assert look().left == 1
    assert not viewed_mostly(evidence, reviewer)
    assert look(start=2).left == 0
    assert viewed_mostly(evidence, reviewer)


def test_each_look_is_charged_to_who_looks(
    held: Held, reviewer: Staff, wait: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(videos.encode([901]))
    evidence, look, play = looks(reviewer)
    pool, charged = type(decoders()), list[tuple[str, Payer]]()

    def note(name: str) -> None:
        real = getattr(pool, name)

        def noted(self: object, *data: bytes, payer: Payer = NOBODY, **what: object) -> object:
            charged.append((name, payer))
            return real(self, *data, payer=payer, **what)

        monkeypatch.setattr(pool, name, noted)

    for name in ("contents", "still", "play"):
        note(name)
    veil_file(case_id=evidence.case_id, evidence_id=evidence.id, staff=reviewer)
    look()
    look(strand=0)
    _, ticket = play(strand=0)
    wait(60)
    record_watched(case_id=evidence.case_id, evidence_id=evidence.id, staff=reviewer, ticket=ticket)
    assert [name for name, _ in charged].count("contents") == 4
    assert {name for name, _ in charged} == {"contents", "still", "play"}
    assert {payer for _, payer in charged} == {Payer("", reviewer.username)}


def test_a_part_that_cannot_be_shown_keeps_a_file_from_being_seen(
    held: Held, reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(KNOWN)
    evidence, look, _ = looks(reviewer)
    real = type(decoders()).contents

    def with_another(self: object, data: bytes, **what: object) -> Contents:
        strands = [*real(self, data).strands, Strand(640, "picture")]  # type: ignore[arg-type]
        return Contents(strands, entire=True)

    monkeypatch.setattr(type(decoders()), "contents", with_another)
    sight = look()
    assert [still.data is None for still in sight.stills] == [False, True]
    assert (sight.left, sight.entire) == (1, False)
    page = signed_in(reviewer).post(f"/cases/{evidence.case_id}/files/{evidence.id}/show").text
    assert "Picture 2 of 2, as a viewer shows it: cannot be shown." in page
    assert not viewed_entirely(evidence)


def test_many_pictures_are_shown_page_by_page(
    held: Held, reviewer: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(KNOWN)
    evidence = Evidence.objects.get()
    many = [Strand(0, "picture", moments=PAGE + 3), *(Strand(n, "cover") for n in range(1, 30))]
    monkeypatch.setattr(
        type(decoders()), "contents", lambda self, data, **what: Contents(many, True)
    )
    still = decoders().still(KNOWN, veiled=False)
    monkeypatch.setattr(type(decoders()), "still", lambda self, data, **what: still)
    browser, address = signed_in(reviewer), f"/cases/{evidence.case_id}/files/{evidence.id}/show"
    text = browser.post(address, headers={"HX-Request": "true"}).text
    assert text.count("<img") == PAGE
    assert "Cover 1 of 29" in text
    assert f'name="start" value="{PAGE}"' in text
    rest = browser.post(address, {"start": str(PAGE)}, headers={"HX-Request": "true"}).text
    assert rest.count("<img") == 6
    assert "Cover 29 of 29" in rest
    assert not viewed_entirely(evidence)
    own = browser.post(address, {"strand": "0", "start": "1"}, headers={"HX-Request": "true"}).text
    assert own.count("<img") == PAGE
    assert f"moment {PAGE + 1} of {PAGE + 3}" in own
    assert not viewed_entirely(evidence)
    browser.post(address, {"strand": "0", "start": str(PAGE + 1)})
    assert viewed_entirely(evidence)


def test_the_page_has_a_section_and_a_player_for_each_track(
    held: Held, reviewer: Staff, wait: Watch
) -> None:
    case = held(TWO_TRACKS)
    evidence = Evidence.objects.get()
    browser, address = signed_in(reviewer), f"/cases/{case.id}/files/{evidence.id}"
    htmx = {"HX-Request": "true"}
    text = browser.post(f"{address}/show", headers=htmx).text
    assert re.findall(r"<h3[^>]*>([^<]+)</h3>", text) == ["Track 1 of 2", "Track 2 of 2"]
    assert text.count("data:image/jpeg") == 2
    assert "Left: 2." in text
    answer = browser.post(f"{address}/show", {"strand": "1", "moving": "yes"}, headers=htmx)
    assert "media-src data:" in answer["Content-Security-Policy"]
    page = answer.text
    assert "data:video/webm" in page
    assert " muted" in page
    assert "autoplay" not in page
    assert "Track 1 of 2" not in page
    (ticket,) = re.findall(r'name="ticket" value="([^"]+)"', page)
    wait(60)
    said = browser.post(f"{address}/played", {"ticket": ticket}).text
    assert said.startswith("not seen entirely")
    assert "Left: 1." in said


@pytest.mark.parametrize("sent", [{"strand": "x"}, {"start": "-1"}, {"strand": "9" * 5000}])
def test_what_no_page_asks_for_is_refused(
    held: Held, reviewer: Staff, sent: dict[str, str]
) -> None:
    case = held(KNOWN)
    address = f"/cases/{case.id}/files/{Evidence.objects.get().id}/show"
    assert signed_in(reviewer).post(address, sent).status_code == 422
    assert not Look.objects.exists()


def test_a_reason_is_needed_to_say_that_it_was_played(held: Held, reviewer: Staff) -> None:
    held(KNOWN)
    with pytest.raises(Invalid):
        record_evidence_watched(
            evidence=Evidence.objects.get(), staff=reviewer, reason=" ", strand=0, seconds=1
        )
