"""The live decision: what is in force and what is known, at hand in every process."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Final, cast

import msgspec
import structlog
from django.db.models import F, FilteredRelation, Q
from django.utils import timezone

from kinward.experience.models import Activation, Layer, PackVersion, Shadow
from kinward.ground.errors import KinwardError
from kinward.ground.watch import Cache
from kinward.people.api import Account, Standing
from kinward.policy import (
    AgeRange,
    Assurance,
    Decision,
    Pack,
    Person,
    Request,
    State,
    Weekly,
    answer_request,
    closed,
    decode_pack,
    ids_of,
    load_pack,
    shipped_packs,
    stricter,
)

log = structlog.get_logger(__name__)

FIRST_PACK: Final = "teen-accounts"  # in force until the operator activates another


class InForce(msgspec.Struct, frozen=True):
    """What is in force on a day: a pack, and while one is staged the pack for the rest.

    A pack that cannot be read is None: everything is then answered protectively.
    """

    day: date
    pack: Pack | None
    rest: Pack | None = None
    share: int = 100
    staged: str = ""  # salts the choice of who is in the share
    shadow: Pack | None = None
    shadow_id: int | None = None

    def for_account(self, platform_id: str | None) -> Pack | None:
        """The pack for an account; for somebody without an id the one that holds for the rest."""
        if self.share >= 100:
            return self.pack
        inside = platform_id is not None and in_share(platform_id, self.staged, self.share)
        return self.pack if inside else self.rest


def in_share(platform_id: str, salt: str, share: int) -> bool:
    """Whether an account is in a share (percent); who is in a small share is in a larger one."""
    drawn = hashlib.blake2b(f"{salt}:{platform_id}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn) % 100 < share


class Answered(msgspec.Struct, frozen=True):
    """Decisions, in the order of their questions, and what they were made from."""

    decisions: list[Decision]
    states: Mapping[str, State]
    in_force: InForce | None  # None where it could not be known


class Live:
    """The caches of one process."""

    def __init__(self) -> None:
        self.states: Cache[str, State] = Cache("account", load_states)
        self._in_force: Cache[str, InForce] = Cache("packs", _load_in_force, size=4)

    def ready(self, requests: Sequence[Request]) -> Answered | None:
        """The answers, if everything they need is at hand; never touches the database."""
        in_force = self.in_force_at_hand()
        if in_force is None or any(request.pack for request in requests):
            return None
        states = self.states.peek(ids_of(requests))
        if states is None or _past(states):
            return None
        return Answered(decide_all(in_force, requests, states), states, in_force)

    def look_up(self, requests: Sequence[Request]) -> Answered:
        """The answers. Where the database cannot be asked they are the protective ones."""
        try:
            in_force = self.in_force()
            states = self.states.get(ids_of(requests))
            if gone := _past(states):
                states = {**states, **load_states(gone)}
            return Answered(decide_all(in_force, requests, states), states, in_force)
        except Exception as error:  # whatever it is, a child's door stays closed
            log.error("decide.unavailable", error=str(error).split("\n")[0])
            return Answered([closed(each, "state.unavailable") for each in requests], {}, None)

    def decide(self, requests: Sequence[Request]) -> list[Decision]:
        """The decisions, from memory or from the database."""
        return (self.ready(requests) or self.look_up(requests)).decisions

    def in_force_at_hand(self) -> InForce | None:
        """What is in force today, if that is known without asking the database."""
        found = self._in_force.peek([today().isoformat()])
        return None if found is None else next(iter(found.values()))

    def in_force(self) -> InForce:
        """What is in force today."""
        (found,) = self._in_force.get([today().isoformat()]).values()
        return found


@cache
def live() -> Live:
    """The live caches of this process."""
    return Live()


def today() -> date:
    """The day by which packs are read, in UTC."""
    return datetime.now(UTC).date()


def decide_all(
    in_force: InForce, requests: Sequence[Request], states: Mapping[str, State]
) -> list[Decision]:
    """Decide each question by the pack that holds for its actor, or by the one it names.

    While a pack is being staged, a contact across its edge is decided by both packs, and the
    stricter answer counts: nobody is reached by rules that do not hold for them yet.
    """
    found = []
    for request in requests:
        decision = _by(pack_for(in_force, request), request, states)
        if in_force.share < 100 and request.target is not None and not request.pack:
            theirs = in_force.for_account(request.target.id)
            decision = stricter(decision, _by(theirs, request, states))
        found.append(decision)
    return found


def _by(pack: Pack | None, request: Request, states: Mapping[str, State]) -> Decision:
    if pack is None:
        return closed(request, "pack.invalid")
    return answer_request(pack, request, states)


def pack_for(in_force: InForce, request: Request) -> Pack | None:
    """The pack that a question names, or else the one that holds for its actor."""
    if request.pack:
        return named_pack(request.pack, in_force.day)
    return in_force.for_account(request.actor.id)


def load_states(ids: Iterable[str]) -> dict[str, State]:
    """The states of accounts, in one query; an account that is not known is left out."""
    rows = (
        Account.objects.filter(platform_id__in=list(ids))
        .annotate(made=FilteredRelation("settings", condition=Q(settings__ended_at=None)))
        .values_list(*_COLUMNS, "made__layer", "made__capability", "made__value", "made__until")
        .order_by(F("made__until").asc(nulls_first=True))  # a passing setting goes before
    )
    found: dict[str, State] = {}
    now = timezone.now()
    for platform_id, language, standing, *known, layer, capability, value, until in rows:
        state = found.get(platform_id)
        if state is None:
            barred = standing != Standing.ACTIVE
            state = State(_person(*known), language, {}, {}, withheld=set(), barred=barred)
            found[platform_id] = state
        if layer is None or (until is not None and until <= now):
            continue
        if layer == Layer.ENFORCEMENT:
            state.withheld.add(capability)
        else:
            made = state.guardian if layer == Layer.GUARDIAN else state.self_
            cast("dict[str, Weekly]", made)[capability] = (
                tuple(value) if isinstance(value, list) else value
            )
        if until is not None and (state.until is None or until < state.until):
            msgspec.structs.force_setattr(state, "until", until)
    return found


def _past(states: Mapping[str, State]) -> list[str]:
    """The accounts of which something that was read has ended by itself since."""
    passing = [(name, each.until) for name, each in states.items() if each.until is not None]
    if not passing:
        return []
    now = timezone.now()
    return [name for name, until in passing if until <= now]


_COLUMNS: Final = (
    *("platform_id", "language", "standing"),
    *("age_lower", "age_upper", "age_source", "age_assurance", "age_changes_on", "jurisdiction"),
)


def _person(
    lower: int,
    upper: int,
    source: str,
    assurance: Assurance,
    changes_on: date | None,
    jurisdiction: str,
) -> Person:
    # Whoever has grown since the job last ran is as old as they are.
    return Person(AgeRange(lower, upper, source, assurance, changes_on).on(today()), jurisdiction)


def person_of(account: Account) -> Person:
    """An account as policy sees it."""
    return _person(
        account.age_lower,
        account.age_upper,
        account.age_source,
        account.age_assurance,  # type: ignore[arg-type]
        account.age_changes_on,
        account.jurisdiction,
    )


def _load_in_force(days: Iterable[str]) -> dict[str, InForce]:
    (text,) = days
    day = date.fromisoformat(text)
    newest = Activation.objects.select_related("pack", "rest").order_by("-number").first()
    shadow = Shadow.objects.select_related("pack").filter(ended_at=None).first()
    return {
        text: InForce(
            day=day,
            pack=_first(day) if newest is None else _read(newest.pack, day),
            rest=None if newest is None or newest.rest is None else _read(newest.rest, day),
            share=100 if newest is None else newest.share,
            staged="" if newest is None else newest.pack.digest,
            shadow=None if shadow is None else _read(shadow.pack, day),
            shadow_id=None if shadow is None else shadow.pk,
        )
    }


def _first(day: date) -> Pack:
    return shipped(FIRST_PACK).on(day)


def _read(version: PackVersion, day: date) -> Pack | None:
    try:
        return compiled(version.digest, version.pk).on(day)
    except KinwardError as error:
        log.error("pack.invalid", pack=str(version), error=str(error))
        return None


@lru_cache(32)
def compiled(digest: str, pk: int) -> Pack:
    """Decode a stored version, once; its files are checked against its digest."""
    pack = decode_pack(PackVersion.objects.get(pk=pk).files)
    if pack.digest != digest:
        raise PackChanged(f"Version {pk} was stored with another digest.")
    return pack


class PackChanged(KinwardError):
    """The stored files of this pack are not those that were stored."""

    code = "pack.changed"


@lru_cache(8)
def shipped(name: str) -> Pack:
    """A pack that comes with Kinward, read once."""
    return load_pack(name)


def named_pack(name: str, day: date) -> Pack | None:
    """A pack by `name version`, or by the name of a shipped one; None where there is none."""
    if name in shipped_packs():
        return shipped(name).on(day)
    title, _, version = name.partition(" ")
    found = PackVersion.objects.filter(name=title, version=version).first()
    return None if found is None else _read(found, day)
