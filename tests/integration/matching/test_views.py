"""Every view of a file is looked up, however many others surround it, turned or not."""

import numpy as np
import pytest
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.casebook.models import Finding
from kinward.findings.retro import retro_match
from kinward.findings.upload import receive
from kinward.matching.hashlists import ListedHash
from kinward.matching.kinds import Pdq, VideoFrames
from kinward.matching.lookup import look_up
from kinward.matching.models import Bank, Check
from kinward.matching.services import Upload, add_hashes, create_bank
from kinward.matching.views import pack_views, unpack_views
from kinward.media import (
    Digests,
    Hashed,
    View,
    hash_array,
    hash_dihedral,
    split_frames,
    turn_hashes,
    views_of,
)
from kinward.people.models import Account
from tests.support import reference_pictures

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("test")
DICE = np.random.default_rng(15)


def frame() -> bytes:
    """A hash that is near no other."""
    return DICE.bytes(32)


def banked(*hashes: ListedHash) -> Bank:
    bank = create_bank(name="views", confidence="verified", actor=ACTOR)
    add_hashes(bank=bank, hashes=hashes, provenance="p", actor=ACTOR)
    return bank


def viewed(*views: View) -> Hashed:
    return Hashed(VideoFrames.name, b"".join(v.hash for v in views), frames=len(views), views=views)


def kinds(views: list[View]) -> list[str]:
    return [match.kind for match in look_up([], views)]


def test_a_few_moments_of_a_known_film_are_found_beside_a_long_strand() -> None:
    film = [frame() for _ in range(100)]
    banked(ListedHash(VideoFrames.name, b"".join(film)))
    beside = [View(frame(), 0, moment) for moment in range(50)]
    hidden = [View(value, 1, moment) for moment, value in enumerate(film[7:9])]
    assert kinds(beside + hidden) == ["video"]
    assert kinds(beside) == []
    assert kinds([View(view.hash, 0, 50 + view.moment) for view in hidden] + beside) == []


def test_a_moment_that_viewers_show_differently_counts_once() -> None:
    film = [frame() for _ in range(100)]
    banked(ListedHash(VideoFrames.name, b"".join(film)))
    assert kinds([View(frame()), View(film[3]), View(frame()), View(frame())]) == ["video"]
    assert kinds([View(frame()), View(film[3]), View(frame(), moment=1)]) == []


@pytest.mark.parametrize("seed", range(6))
def test_a_turned_picture_is_found_by_its_exact_hashes(seed: int) -> None:
    ways, _ = hash_dihedral(reference_pictures.draw_pixels(seed))
    banked(*(ListedHash(Pdq.name, way.tobytes()) for way in ways))
    matches = look_up([], [View(ways[0].tobytes(), turned=ways[1:].tobytes())])
    assert [match.distance for match in matches] == [0] * len(ways)


def test_a_turned_picture_is_found_by_a_hash_that_was_sent_alone() -> None:
    plain, _ = hash_array(reference_pictures.draw_pixels(3))
    mirrored = turn_hashes(plain[None])[0, 2]
    banked(ListedHash(Pdq.name, mirrored.tobytes()))
    assert [m.distance for m in look_up([(Pdq.name, plain.tobytes())])] == [0]


def test_views_are_stored_only_if_they_say_more_than_the_signature() -> None:
    first, second = frame(), frame()
    assert pack_views(Hashed(Pdq.name, first, views=(View(first, turned=bytes(224)),))) == b""
    assert pack_views(viewed(*views_of([first, second]))) == b""
    more = (View(first, 0, 0), View(second, 0, 0), View(second, 3, 70_000))
    stored = pack_views(Hashed(Pdq.name, first, views=more))
    assert unpack_views(stored) == list(more)


@pytest.mark.parametrize("way", range(8))
def test_a_list_that_grows_finds_every_view_of_what_was_uploaded(
    account: Account, way: int
) -> None:
    shown, hidden = frame(), frame()
    hashed = Hashed(
        Pdq.name, shown, quality=100, views=(View(shown), View(shown, 1), View(hidden, 1, 1))
    )
    upload = Upload(
        content_id="old",
        uploaded_at=timezone.now(),
        digests=Digests("", "", "ab" * 32),
        hashed=hashed,
    )
    assert receive(actor=ACTOR, account_id=account.platform_id, upload=upload).outcome == "clear"
    assert len(split_frames(bytes(Check.objects.get().signature))) == 1
    turned = turn_hashes(np.frombuffer(hidden, np.uint8))[0, way].tobytes()
    banked(ListedHash(Pdq.name, turned))
    for _ in retro_match():
        pass
    assert Finding.objects.count() == 1
