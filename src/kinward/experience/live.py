"""Live decisions, from caches of the pack in force and of account states in every process."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from typing import Final, Literal, cast

import msgspec
import structlog
from django.db.models import F, FilteredRelation, Q
from django.utils import timezone

from kinward.experience.changes import brought_by_change
from kinward.experience.models import Activation, Layer, PackVersion, Shadow
from kinward.ground.errors import KinwardError
from kinward.ground.watch import Cache
from kinward.people.api import Account, Standing, day_begins, local_day
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
    read_files,
    shipped_editions,
    shipped_packs,
    stricter,
)

log = structlog.get_logger(__name__)

FIRST_PACK: Final = "teen-accounts"  # in force until the operator activates another
# What was in force without any activation, before `pin_first_pack` began to write one.
UNPINNED: Final = "teen-accounts 2026.11"


class InForce(msgspec.Struct, frozen=True):
    """The packs in force on a day: `pack`, and `rest` for accounts outside the share while staging.

    A pack that cannot be read is None. Everything is then decided protectively.
    """

    day: date
    pack: Pack | None
    rest: Pack | None = None
    share: int = 100
    staged: str = ""  # salt of `in_share`: each staged pack draws other accounts
    shadow: Pack | None = None
    shadow_id: int | None = None

    def for_account(self, platform_id: str | None) -> Pack | None:
        """Return the pack for an account; without an id, the pack of the rest."""
        if self.share >= 100:
            return self.pack
        inside = platform_id is not None and in_share(platform_id, self.staged, self.share)
        return self.pack if inside else self.rest


def in_share(platform_id: str, salt: str, share: int) -> bool:
    """Whether an account is in a share (percent). A larger share includes every smaller one."""
    drawn = hashlib.blake2b(f"{salt}:{platform_id}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn) % 100 < share


class Answered(msgspec.Struct, frozen=True):
    """Decisions in the order of their requests, with the states and the packs they are based on."""

    decisions: list[Decision]
    states: Mapping[str, State]
    in_force: InForce | None  # None if the database could not be asked


class Live:
    """The caches of one process, and the decisions made from them."""

    def __init__(self) -> None:
        self.states: Cache[str, State] = Cache("account", load_states)
        self._in_force: Cache[str, InForce] = Cache("packs", _load_in_force, size=4)

    def ready(self, requests: Sequence[Request]) -> Answered | None:
        """Return the decisions if the caches hold all they need, else None. Never queries."""
        in_force = self.in_force_at_hand()
        if in_force is None or any(request.pack for request in requests):
            return None
        states = self.states.peek(ids_of(requests))
        if states is None or _expired(states):
            return None
        return Answered(decide_all(in_force, requests, states), states, in_force)

    def look_up(self, requests: Sequence[Request]) -> Answered:
        """Return the decisions, protective ones if the database is unreachable. Never raises."""
        try:
            in_force = self.in_force()
            states = self.states.get(ids_of(requests))
            if expired := _expired(states):
                states = {**states, **load_states(expired)}
            return Answered(decide_all(in_force, requests, states), states, in_force)
        except Exception as error:  # fail closed, whatever it is
            log.error("decide.unavailable", error=str(error).split("\n")[0])
            return Answered(
                [closed(request, "state.unavailable") for request in requests], {}, None
            )

    def decide(self, requests: Sequence[Request]) -> list[Decision]:
        """Return the decisions, from the caches or from the database."""
        return (self.ready(requests) or self.look_up(requests)).decisions

    def in_force_at_hand(self) -> InForce | None:
        """Return what is in force today if the cache has it, else None. Never queries."""
        cached = self._in_force.peek([today().isoformat()])
        return None if cached is None else next(iter(cached.values()))

    def in_force(self) -> InForce:
        """Return what is in force today."""
        (in_force,) = self._in_force.get([today().isoformat()]).values()
        return in_force


@cache
def live() -> Live:
    """Return the live decisions of this process."""
    return Live()


def today() -> date:
    """Return the day in UTC, by which packs are read. Birthdays go by `local_day`."""
    return datetime.now(UTC).date()


def decide_all(
    in_force: InForce, requests: Sequence[Request], states: Mapping[str, State]
) -> list[Decision]:
    """Decide each request by its actor's pack, or by the pack it names.

    While a pack is staged, a contact is decided by the packs of both sides, and the stricter
    decision counts. So nobody is reached by rules that do not apply to them yet.
    """
    decisions = []
    for request in requests:
        decision = _decide_by(pack_for(in_force, request), request, states)
        if in_force.share < 100 and request.target is not None and not request.pack:
            theirs = in_force.for_account(request.target.id)
            decision = stricter(decision, _decide_by(theirs, request, states))
        decisions.append(decision)
    return decisions


def _decide_by(pack: Pack | None, request: Request, states: Mapping[str, State]) -> Decision:
    if pack is None:
        return closed(request, "pack.invalid")
    return answer_request(pack, request, states)


def pack_for(in_force: InForce, request: Request) -> Pack | None:
    """Return the pack that a request names, or else its actor's pack."""
    if request.pack:
        return named_pack(request.pack, in_force.day)
    return in_force.for_account(request.actor.id)


def load_states(ids: Iterable[str]) -> dict[str, State]:
    """Load the states of accounts in one query. Unknown accounts are left out."""
    rows = (
        Account.objects.filter(platform_id__in=list(ids))
        .annotate(current=FilteredRelation("settings", condition=Q(settings__ended_at=None)))
        .values_list(
            *_COLUMNS, "current__layer", "current__capability", "current__value", "current__until"
        )
        # Permanent settings come first, so that the temporary ones overwrite them below.
        .order_by(F("current__until").asc(nulls_first=True))
    )
    states: dict[str, State] = {}
    now = timezone.now()
    for platform_id, language, standing, gone, *known, layer, capability, value, until in rows:
        state = states.get(platform_id)
        if state is None:
            barred = standing != Standing.ACTIVE or gone is not None
            person, birthday = _person(*known)
            state = State(person, language, {}, {}, {}, birthday, withheld=set(), barred=barred)
            states[platform_id] = state
        if layer is None or (until is not None and until <= now):
            continue
        if layer == Layer.ENFORCEMENT:
            state.withheld.add(capability)
        else:
            settings = state.self_
            if layer != Layer.SELF:
                settings = state.guardian if layer == Layer.GUARDIAN else state.asleep
            cast("dict[str, Weekly]", settings)[capability] = (
                tuple(value) if isinstance(value, list) else value
            )
        if until is not None and (state.until is None or until < state.until):
            msgspec.structs.force_setattr(state, "until", until)
    return states


def _expired(states: Mapping[str, State]) -> list[str]:
    """Return the accounts with a setting that has expired since their state was loaded."""
    temporary = [(name, state.until) for name, state in states.items() if state.until is not None]
    if not temporary:
        return []
    now = timezone.now()
    return [name for name, until in temporary if until <= now]


_COLUMNS: Final = (
    *("platform_id", "language", "standing", "deleted_at"),
    *("age_lower", "age_upper", "age_source", "age_assurance", "age_changes_on", "age_leap_day"),
    *("jurisdiction", "time_zone", "created_at", "consent_withdrawn", "change_consent"),
)


def _person(
    lower: int,
    upper: int,
    source: str,
    assurance: Assurance,
    changes_on: date | None,
    leap_day: bool,
    jurisdiction: str,
    zone: str,
    created_at: datetime,
    consent_withdrawn: bool,
    change: Literal["", "asked", "refused"],
) -> tuple[Person, datetime | None]:
    """Return a person as of now by the account's own day, and when the next birthday begins."""
    # Counts a birthday even before the job has applied it.
    stored = AgeRange(lower, upper, source, assurance, changes_on, leap_day)
    age = stored.on(local_day(zone))
    birthday = None if age.changes_on is None else day_begins(age.changes_on, zone)
    joined = local_day(zone, created_at)
    person = Person(
        age,
        jurisdiction,
        joined=joined,
        consent_withdrawn=consent_withdrawn,
        change=change,
        brings=brought_by_change() if change else frozenset(),
    )
    return person, birthday


def person_of(account: Account) -> Person:
    """Return an account as policy sees it: its age range today and its jurisdiction."""
    return _person(
        account.age_lower,
        account.age_upper,
        account.age_source,
        account.age_assurance,  # type: ignore[arg-type]
        account.age_changes_on,
        account.age_leap_day,
        account.jurisdiction,
        account.time_zone,
        account.created_at,
        account.consent_withdrawn,
        account.change_consent,  # type: ignore[arg-type]
    )[0]


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
    """Decode a stored version once in a process. Raises `PackChanged` if its digest differs."""
    pack = decode_pack(PackVersion.objects.get(pk=pk).files)
    if pack.digest != digest:
        raise PackChanged(f"Version {pk} was stored with another digest.")
    return pack


class PackChanged(KinwardError):
    """The stored files of this pack do not match their digest."""

    code = "pack.changed"


@lru_cache(8)
def shipped(name: str) -> Pack:
    """Return a pack that ships with Kinward, read once in a process."""
    return load_pack(name)


def named_pack(name: str, day: date) -> Pack | None:
    """Return a pack by `name version`, or a shipped one by name; None if unknown or unusable."""
    if name in shipped_packs():
        return shipped(name).on(day)
    title, _, version = name.partition(" ")
    stored = PackVersion.objects.filter(name=title, version=version).first()
    if stored is not None:
        return _read(stored, day)
    return edition(name).on(day) if name in shipped_editions() else None


@lru_cache(8)
def edition(name: str) -> Pack:
    """Return an earlier edition of a shipped pack by `name version`, read once in a process."""
    return decode_pack(read_files(name))
