"""Every sequence of a family's moves, held to a small model of what must be true after each.

The model knows who guards whom, what each chose and what was granted, in plain dictionaries. After
every step the setting that holds has to be just what the model says, which is: no guardian moves
what is locked, none keeps power after the end, and no setting is left that nobody can explain.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from kinward.access.actor import Actor
from kinward.experience import birthdays
from kinward.experience.live import live, load_states, person_of
from kinward.experience.models import Layer, Setting
from kinward.families.asks import answers, consensus, expiry, requests
from kinward.families.models import OPEN_ASKS, Answer, Ask, AskState, Choice, Pairing, Side
from kinward.families.pairing import disputes, ending, invitations, weighing
from kinward.families.pairing.proving import withdraw_proof
from kinward.families.settings import choices
from kinward.families.settings.cooling import GUARDED
from kinward.families.settings.grant_order import was_held
from kinward.families.settings.held import sees_held
from kinward.families.settings.looks import state_for
from kinward.families.settings.settlement import end_choices, is_about_time
from kinward.ground.errors import KinwardError
from kinward.people.ages import set_age
from kinward.people.locks import lock_account
from kinward.people.models import Account
from kinward.policy.ages import AgeRange
from kinward.policy.bounds import Bounds, applying, combine
from kinward.policy.engine import decide
from kinward.policy.pack import Pack
from kinward.policy.question import Question, read_question
from kinward.policy.request import decide_in_state
from tests.support.compared import gaps
from tests.support.families import make_account, pair, prove
from tests.support.helpers import run_machine

pytestmark = pytest.mark.django_db

# Of each kind one, with values inside and outside what a guardian may choose at 15.
VALUES: dict[str, tuple[Any, ...]] = {
    "session.time": (5, 15, 60, 120, "unlimited", (30, 30, 30, 30, 30, 90, 90)),
    "session.hours": ("08:00-20:00", "always", "never"),
    "comment.receive": ("nobody", "mutuals", "followers", "everyone"),
    "content.mature": ("off", "mild", "full"),
    "dm.receive": ("nobody", "mutuals", "everyone"),
    "purchase.make": ("deny", "allow"),
}
CAPABILITIES = sorted(VALUES)
GUARDIANS = ("first", "second")
UNDISPUTED = {"disputed": False, "quiet": False}


@dataclass
class Yes:
    """A guardian's yes, until a moment or for good, and the move in which it was said."""

    name: str
    until: datetime | None
    move: int
    held: bool = False

    def lasts(self) -> bool:
        return not self.held and (self.until is None or self.until > timezone.now())


@dataclass
class Said:
    """A yes or a no, of a pairing to an ask, and whether it is held."""

    number: Any
    capability: str
    made_at: datetime  # of the ask
    name: str
    pairing: Any
    said: str
    held: bool


class Family(RuleBasedStateMachine):
    runs = 0
    ahead = timedelta()  # of the real clock

    def __init__(self) -> None:
        super().__init__()
        Family.ahead = timedelta()
        Family.runs += 1
        self.teen = make_account(f"teen-{Family.runs}", 15)
        self.guardians = {name: make_account(f"{name}-{Family.runs}", 40) for name in GUARDIANS}
        for guardian in self.guardians.values():
            prove(guardian, self.teen)
        # The model.
        self.proven = set(GUARDIANS)
        self.codes: list[tuple[str, str, datetime]] = []  # who made it, the code, when
        self.pairs: dict[str, dict[str, Any]] = {}  # guardian -> id, ends_at, disputed, quiet
        self.cooling: set[str] = set()  # guardians who do not tighten alone
        self.waiting: dict[str, str] = {}  # who cannot simply pair again: "quiet" or "barred"
        self.chosen: dict[tuple[str, str], Any] = {}  # (guardian, capability) -> value
        self.chosen_at: dict[tuple[str, str], float] = {}  # the move in which it was chosen
        self.granted: dict[str, tuple[str, Any, datetime, Any]] = {}  # by capability
        self.asked: dict[Any, tuple[str, Any]] = {}  # open asks
        self.yeses: dict[Any, dict[Any, Yes]] = defaultdict(dict)  # by ask and pairing
        self.said: list[Said] = []  # every yes and no
        self.moved: list[datetime] = []  # when each move was over
        self.grown = False
        self.too_young: set[str] = set()

    # What the model says.

    def _pack(self) -> Pack:
        pack = live().in_force().for_account(self.teen.platform_id)
        assert pack is not None
        return pack

    def _bounds(self, capability: str) -> Bounds:
        pack = self._pack()
        read = read_question(
            pack.ruling, capability, Question(actor=person_of(self._fresh(self.teen)))
        )
        assert not isinstance(read, str)
        return combine(read[0].capability.kind, applying(pack.ruling, read[0]))

    def _fresh(self, account: Account) -> Account:
        return Account.objects.get(pk=account.pk)

    def _live(self, name: str) -> bool:
        pair = self.pairs.get(name)
        return pair is not None and (pair["ends_at"] is None or pair["ends_at"] > timezone.now())

    def _power(self, name: str) -> bool:
        return (
            self._live(name)
            and (not self.pairs[name]["disputed"] or self.pairs[name]["quiet"])
            and not self.grown
            and name not in self.too_young
        )

    def _real_power(self, name: str) -> bool:
        return self._power(name) and not self._holds_back(name)

    def _holds_back(self, name: str) -> bool:
        return bool(self.pairs[name]["disputed"])

    def _fits(self, capability: str, value: Any) -> bool:
        kind, bounds = self._pack().capabilities[capability].kind, self._bounds(capability)
        codes = [kind.code(each) for each in (value if isinstance(value, tuple) else (value,))]
        return bounds.guardian_moves and all(
            kind.clamp(code, bounds.guardian_floor, bounds.guardian_cap) == code for code in codes
        )

    def _gives(self, name: str, capability: str, value: Any) -> bool:
        """Whether a guardian's value may hold: they are proven, or it loosens nothing."""
        kind, bounds = self._pack().capabilities[capability].kind, self._bounds(capability)
        codes = [kind.code(each) for each in (value if isinstance(value, tuple) else (value,))]
        tight = all(kind.strictest(code, bounds.default) == code for code in codes)
        return tight or name in self.proven

    def _holds(self, capability: str) -> Any:
        """The guardians' value for a capability: the strictest choice, or what was granted.

        A grant is bounded by the choices of those who did not agree, or who chose afterwards. What
        loosens without a proof for it can only tighten, in a layer of its own.
        """
        chosen = {
            name: value
            for (name, about), value in self.chosen.items()
            if about == capability and self._real_power(name)
        }
        if capability in self.granted and self.granted[capability][2] > timezone.now():
            _, value, _, number = self.granted[capability]
            binding = [chosen[name] for name in self._binding(number, capability)]
            return self._strictest(capability, [value, *binding])
        full = [value for name, value in chosen.items() if self._gives(name, capability, value)]
        return self._strictest(capability, full)

    def _strictest(self, capability: str, values: list[Any]) -> Any:
        kind = self._pack().capabilities[capability].kind
        weeks = [value if isinstance(value, tuple) else (value,) * 7 for value in values]
        if not weeks:
            return None
        days = []
        for day in zip(*weeks, strict=True):
            best = kind.code(day[0])
            for each in day:
                best = kind.strictest(best, kind.code(each))
            days.append(kind.value(best))
        return days[0] if len(set(days)) == 1 else tuple(days)

    def _binding(self, number: Any, capability: str) -> list[str]:
        """Whose choice binds an ask: of those who chose, whoever did not say yes to it since."""
        said = {yes.name: yes for yes in self._said(number)}
        return [
            name
            for name, about in self.chosen
            if about == capability
            and self._real_power(name)
            and (name not in said or said[name].move < self.chosen_at[name, about])
        ]

    def _said(self, number: Any) -> list[Yes]:
        """The lasting yeses to an ask, of pairings that live."""
        ids = {self.pairs[name]["id"] for name in self.pairs if self._live(name)}
        return [yes for pk, yes in self.yeses[number].items() if pk in ids and yes.lasts()]

    def _missing(self, number: Any) -> bool:
        """Whether somebody else's yes is missing."""
        capability, value = self.asked[number]
        asked = self._strictest(capability, [value])
        exceeded = any(
            self._strictest(capability, [value, self.chosen[name, capability]]) != asked
            for name in self._binding(number, capability)
        )
        lately = timezone.now() - consensus.REMEMBERED
        about = [
            each
            for each in self.said
            if each.capability == capability
            and each.made_at > lately
            and each.number != number
            and not each.held
        ]
        parties: set[Any] = set()
        for other in {each.number for each in about}:
            yeses, noes = (
                {each.pairing for each in about if each.number == other and each.said == said}
                for said in ("yes", "no")
            )
            if any(yeses - {pk} for pk in noes):
                parties |= yeses | noes
        said = {yes.name for yes in self._said(number)}
        waits = any(
            self.pairs[name]["id"] in parties and self._real_power(name) and name not in said
            for name in self.pairs
        )
        return exceeded or waits

    def _say(self, name: str, number: Any, said: str, until: datetime | None) -> None:
        """What a guardian's answer to an open ask does: nothing yet, if it is held."""
        self.moved.append(timezone.now())
        capability, value = self.asked[number]
        pk, held = self.pairs[name]["id"], self._holds_back(name)
        if said == "talk":
            if not held:
                self.yeses[number].pop(pk, None)
            return
        self._note(number, name, said)
        if held:
            return
        if said == "no":
            del self.asked[number]
            return
        self.yeses[number][pk] = Yes(name, until, len(self.moved))
        if self._missing(number):
            return
        del self.asked[number]
        agreed = [
            yes
            for yes in self._said(number)
            if self._real_power(yes.name) and self._gives(yes.name, capability, value)
        ]
        for yes in agreed:
            if yes.until is None:
                self.chosen[yes.name, capability] = value
                self.chosen_at[yes.name, capability] = yes.move
        ends = [yes.until for yes in agreed if yes.until is not None]
        if ends:
            self.granted[capability] = (name, value, min(ends), number)

    def _note(self, number: Any, name: str, said: str) -> None:
        ask, held = Ask.objects.get(pk=number), self._holds_back(name)
        pk = self.pairs[name]["id"]
        self.said.append(Said(number, ask.capability, ask.made_at, name, pk, said, held))

    def _looks(self, name: str, number: Any) -> str:
        """The state of an ask as a guardian sees it."""
        ask = Ask.objects.get(pk=number)
        return state_for(ask, sees=sees_held(self.teen, self.guardians[name]))

    @contextmanager
    def _expect(self, allowed: bool) -> Iterator[None]:
        """What is allowed goes through; what is not is refused, and leaves everything as it was."""
        if allowed:
            yield
            return
        before = self._picture()
        with pytest.raises(KinwardError):
            yield
        assert self._picture() == before

    def _picture(self) -> Any:
        return (
            sorted(Setting.objects.filter(account=self.teen).values_list()),
            sorted(Choice.objects.filter(pairing__teen=self.teen).values_list()),
            sorted(map(str, Pairing.objects.filter(teen=self.teen).values_list())),
        )

    # The moves.

    @initialize(paired=st.sampled_from((GUARDIANS, GUARDIANS[:1], ())))
    def begin(self, paired: tuple[str, ...]) -> None:
        """Most families of interest are paired already."""
        for name in paired:
            made = pair(self.guardians[name], self.teen)
            self.codes.append((name, "", timezone.now()))
            self.pairs[name] = {"id": made.id, "ends_at": None, **UNDISPUTED}

    @rule(name=st.sampled_from((*GUARDIANS, "teen")))
    def invite(self, name: str) -> None:
        maker = self.teen if name == "teen" else self.guardians[name]
        side = Side.TEEN if name == "teen" else Side.GUARDIAN
        may = not self.grown if name == "teen" else name not in self.too_young
        day_ago = timezone.now() - timedelta(days=1)
        made = sum(each[0] == name and each[2] > day_ago for each in self.codes)
        may = may and made < invitations.MAX_INVITATIONS
        with self._expect(may):
            code, _ = invitations.create_invitation(maker=maker, side=side)
            self.codes.append((name, code, timezone.now()))

    @precondition(lambda self: self.codes)
    @rule(who=st.sampled_from((*GUARDIANS, "teen")), back=st.integers(0, 3))
    def accept(self, who: str, back: int) -> None:
        number = max(0, len(self.codes) - 1 - back)
        name, code, made_at = self.codes[number]
        if name != "teen" != who and who in self.too_young:
            return  # two who might pair as another family
        newest = max(n for n, each in enumerate(self.codes) if each[0] == name)
        guardian = who if name == "teen" else name
        works = (
            code != ""
            and number == newest
            and made_at > timezone.now() - timedelta(hours=invitations.CODE_HOURS)
            and (who == "teen") != (name == "teen")
            and not self.grown
            and guardian not in self.too_young
            and guardian not in self.pairs
            and self.waiting.get(guardian) != "barred"
        )
        account = self.teen if who == "teen" else self.guardians[who]
        with self._expect(works):
            made = invitations.accept_invitation(account=account, typed=code.lower())
            assert isinstance(made, Pairing)
            self.codes[number] = (name, "", made_at)
            again = dict.fromkeys(UNDISPUTED, self.waiting.get(guardian) == "quiet")
            self.pairs[guardian] = {"id": made.id, "ends_at": None, **again}

    @rule(
        name=st.sampled_from(GUARDIANS),
        move=st.sampled_from(CAPABILITIES).flatmap(
            lambda each: st.tuples(st.just(each), st.sampled_from((*VALUES[each], None)))
        ),
    )
    def choose(self, name: str, move: tuple[str, Any]) -> None:
        capability, value = move
        if name in self.cooling and capability in GUARDED:
            return  # `test_cooling.py` has these
        may = self._power(name) and (
            value is None
            or (self._fits(capability, value) and self._gives(name, capability, value))
        )
        with self._expect(may):
            choices.choose_setting(
                guardian=self.guardians[name],
                teen_id=self.teen.platform_id,
                capability=capability,
                value=value,
            )
            self.moved.append(timezone.now())
            if self._holds_back(name):
                return
            self.chosen.pop((name, capability), None)
            if value is not None:
                self.chosen[name, capability] = value
                self.chosen_at[name, capability] = len(self.moved)

    @rule(
        move=st.sampled_from(CAPABILITIES).flatmap(
            lambda each: st.tuples(st.just(each), st.sampled_from(VALUES[each]))
        )
    )
    def ask(self, move: tuple[str, Any]) -> None:
        capability, value = move
        may = any(map(self._power, GUARDIANS)) and self._fits(capability, value)
        if self._asked_enough():
            return
        with self._expect(may):
            made = requests.ask_guardians(
                teen=self.teen, capability=capability, reason="why", value=value
            )
            self.asked[made.id] = (capability, value)

    def _asked_enough(self) -> bool:
        """Whether one more ask would be refused, because others wait or were made today."""
        since = timezone.now() - timedelta(days=1)
        today = Ask.objects.filter(teen=self.teen, made_at__gt=since).count()
        return len(self.asked) >= requests.MAX_OPEN or today >= requests.MAX_DAILY

    @precondition(lambda self: self.asked)
    @rule(
        name=st.sampled_from(GUARDIANS),
        said=st.sampled_from(("yes", "no", "talk")),
        hours=st.sampled_from((None, 2, 30)),
        data=st.data(),
    )
    def answer(self, name: str, said: Any, hours: int | None, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.asked, key=str)))
        capability, value = self.asked[number]
        until = None if hours is None else timezone.now() + timedelta(hours=hours)
        may = self._power(name) and (said != "yes" or hours or self._fits(capability, value))
        may = may and (said != "yes" or self._gives(name, capability, value))
        may = may and self._looks(name, number) in OPEN_ASKS
        with self._expect(bool(may)):
            answers.answer_ask(guardian=self.guardians[name], ask_id=number, said=said, until=until)
            self._say(name, number, said, until)

    @rule(
        name=st.sampled_from(GUARDIANS),
        move=st.sampled_from(CAPABILITIES).flatmap(
            lambda each: st.tuples(st.just(each), st.sampled_from(VALUES[each]))
        ),
    )
    def grant_for_a_while(self, name: str, move: tuple[str, Any]) -> None:
        """Asked, and granted at once for three days."""
        capability, value = move
        if not self._power(name) or not self._fits(capability, value):
            return
        if not self._gives(name, capability, value):
            return
        if self._asked_enough():
            return
        made = requests.ask_guardians(
            teen=self.teen, capability=capability, reason="why", value=value
        )
        until = timezone.now() + timedelta(days=3)
        answers.answer_ask(guardian=self.guardians[name], ask_id=made.id, said="yes", until=until)
        self.asked[made.id] = (capability, value)
        self._say(name, made.id, "yes", until)

    @precondition(lambda self: self.granted)
    @rule(name=st.sampled_from(GUARDIANS), data=st.data())
    def take_back(self, name: str, data: st.DataObject) -> None:
        capability = data.draw(st.sampled_from(sorted(self.granted)))
        if name in self.cooling and capability in GUARDED:
            return
        _, _, until, number = self.granted[capability]
        looks = self._looks(name, number)
        may = self._power(name) and until > timezone.now()
        with self._expect(may and (looks == AskState.GRANTED or looks in OPEN_ASKS)):
            answers.answer_ask(guardian=self.guardians[name], ask_id=number, said="no")
            self._note(number, name, "no")
            if not self._holds_back(name):
                del self.granted[capability]

    @precondition(lambda self: self.pairs)
    @rule(name=st.sampled_from(GUARDIANS), by_teen=st.booleans())
    def end(self, name: str, by_teen: bool) -> None:
        if name not in self.pairs:
            return
        paused = self.pairs[name]["disputed"] and not self.pairs[name]["quiet"]
        with self._expect(self._live(name) and (by_teen or not paused)):
            who = self.teen if by_teen else self.guardians[name]
            ending.end_pairing(account=who, pairing_id=self.pairs[name]["id"])
            at_once = person_of(self._fresh(self.teen)).age.lower >= 16
            if not by_teen or at_once:
                self._gone(name)
            elif self.pairs[name]["ends_at"] is None:
                ends = Pairing.objects.get(pk=self.pairs[name]["id"]).ends_at
                self.pairs[name]["ends_at"] = ends
                self.cooling.add(name)

    @precondition(lambda self: self.pairs)
    @rule(name=st.sampled_from(GUARDIANS))
    def stay(self, name: str) -> None:
        if name not in self.pairs:
            return
        with self._expect(self._live(name) and self.pairs[name]["ends_at"] is not None):
            ending.stay_paired(account=self.teen, pairing_id=self.pairs[name]["id"])
            self.pairs[name]["ends_at"] = None

    @precondition(lambda self: self.pairs)
    @rule(name=st.sampled_from(GUARDIANS), quiet=st.booleans())
    def dispute(self, name: str, quiet: bool) -> None:
        if name not in self.pairs:
            return
        with self._expect(self._live(name)):
            disputes.pause_disputed_pairing(
                teen=self.teen, pairing_id=self.pairs[name]["id"], quiet=quiet
            )
            stays = self.pairs[name]["quiet"] or not self.pairs[name]["disputed"]
            self.pairs[name] |= {"disputed": True, "quiet": quiet and stays}
            self.granted = {key: each for key, each in self.granted.items() if each[0] != name}

    @precondition(lambda self: self.pairs)
    @rule(name=st.sampled_from(GUARDIANS), ends=st.booleans())
    def look_at_dispute(self, name: str, ends: bool) -> None:
        if name not in self.pairs:
            return
        with self._expect(self.pairs[name]["disputed"]):
            disputes.settle_pairing_dispute(
                pairing_id=self.pairs[name]["id"], ends=ends, actor=Actor.stored("staff:robin")
            )
            self.cooling.add(name)
            self.pairs[name] |= UNDISPUTED
            self.waiting.pop(name, None)
            for each in self.said:
                each.held = each.held and each.name != name
            if ends:
                self._gone(name)
                self.waiting[name] = "barred"
                self.proven.discard(name)
            else:
                self._let_go()

    def _let_go(self) -> None:
        """What was held takes effect. Which it was, the rows say. `test_quiet_grants.py` has that.

        What has to follow from it is said by the model again.
        """
        names = {self.pairs[name]["id"]: name for name in self.pairs if self._live(name)}
        rows = Choice.objects.filter(pairing__in=names, ended_at=None, held=False)
        self.chosen = {}
        for row in rows:
            key = (names[row.pairing_id], row.capability)
            week = isinstance(row.value, list)
            self.chosen[key] = tuple(row.value) if week else row.value
            self.chosen_at[key] = sum(at <= row.made_at for at in self.moved) + 0.5
        self.granted, self.asked = {}, {}
        self.yeses.clear()
        for ask in Ask.objects.filter(teen=self.teen, proposed_by=None):
            value = tuple(ask.value) if isinstance(ask.value, list) else ask.value
            for answer in ask.answers.all():
                move = sum(at <= answer.at for at in self.moved) + 1
                self.yeses[ask.pk].pop(answer.pairing_id, None)
                if answer.answer == "yes" and not was_held(answer) and answer.pairing_id in names:
                    yes = Yes(names[answer.pairing_id], answer.until, move)
                    self.yeses[ask.pk][answer.pairing_id] = yes
            if state_for(ask, sees=False) in OPEN_ASKS:
                self.asked[ask.pk] = (ask.capability, value)
            granted = ask.state == AskState.GRANTED and not ask.held
            if granted and ask.until is not None and ask.until > timezone.now():
                assert ask.granted_by_id in names
                by = names[ask.granted_by_id]
                self.granted[ask.capability] = (by, value, ask.until, ask.pk)

    @rule(name=st.sampled_from(GUARDIANS), comes=st.booleans())
    def prove(self, name: str, comes: bool) -> None:
        """The platform says how it knows a guardian, or that it was wrong."""
        guardian = self.guardians[name]
        if comes:
            prove(guardian, self.teen)
            self.proven.add(name)
            return
        withdraw_proof(guardian=guardian, teen=self.teen, actor=Actor.key("app"))
        self.proven.discard(name)
        self.granted = {
            key: each
            for key, each in self.granted.items()
            if each[0] != name or self._gives(name, key, each[1])
        }

    @rule(hours=st.sampled_from((1, 25, 49)))
    def time_passes(self, hours: int) -> None:
        """The jobs that were due in between are done, as a worker does."""
        Family.ahead += timedelta(hours=hours)
        ending.end_due_pairings()
        expiry.tidy_asks(self.teen.pk)
        for name in [each for each in self.pairs if not self._live(each)]:
            self._gone(name)
        self.asked = {} if hours > 24 else self.asked
        if hours == 1:  # some may have lapsed; the database knows which
            open_ones = {
                each.id
                for each in requests.ask_history(self.teen)
                if state_for(each, sees=False) in OPEN_ASKS
            }
            self.asked = {key: each for key, each in self.asked.items() if key in open_ones}
        self.granted = {key: each for key, each in self.granted.items() if each[2] > timezone.now()}

    @precondition(lambda self: not self.grown)
    @rule(years=st.sampled_from((16, 18)), now=st.integers(0, 3))
    def grow_up(self, years: int, now: int) -> None:
        """As the job does on the day: the range changes, what is past ends."""
        if now:
            return  # seldom, since little happens afterwards
        today = timezone.now().date()
        before = self._fresh(self.teen)
        Account.objects.filter(pk=before.pk).update(age_changes_on=today - timedelta(days=1))
        age = AgeRange(years - 1, years, "test", "verified", today)
        set_age(account=lock_account(before.pk), age=age, actor=Actor.system("test"))
        grown = birthdays.apply_birthday(before.pk)
        if grown is not None:
            end_choices(grown[0], grown[1].ended, "grown up")
            for key in [key for key in self.chosen if key[1] in grown[1].ended]:
                del self.chosen[key]
            for capability in grown[1].ended:
                self.granted.pop(capability, None)
        ending.end_due_pairings(before.pk)
        weighing.weigh_family(before.pk, anyway=True)
        if person_of(self._fresh(self.teen)).age.lower >= 18:
            self.grown = True
            for name in list(self.pairs):
                self._gone(name)
            self.asked = {}

    @rule(name=st.sampled_from(GUARDIANS), now=st.integers(0, 5))
    def is_no_adult_after_all(self, name: str, now: int) -> None:
        """The platform learns that a guardian is not who they said."""
        if now:
            return
        age = AgeRange(15, 16, "test", "verified")
        set_age(account=lock_account(self.guardians[name].pk), age=age, actor=Actor.system("test"))
        self.too_young.add(name)
        ending.end_due_pairings()
        paused = name in self.pairs and self._holds_back(name) and not self.pairs[name]["quiet"]
        if name in self.pairs and not paused:
            self._gone(name)

    def _gone(self, name: str) -> None:
        if self.pairs[name]["disputed"]:
            self.waiting[name] = "quiet" if self.pairs[name]["quiet"] else "barred"
        del self.pairs[name]
        self.chosen = {key: each for key, each in self.chosen.items() if key[0] != name}
        self.granted = {key: each for key, each in self.granted.items() if each[0] != name}

    # What must be true.

    @invariant()
    def what_holds_is_what_the_model_says(self) -> None:
        pack, teen = self._pack(), self._fresh(self.teen)
        state = load_states([teen.platform_id])[teen.platform_id]
        for capability in CAPABILITIES:
            kind, bounds = pack.capabilities[capability].kind, self._bounds(capability)
            expected = self._holds(capability)
            assert state.guardian.get(capability) == expected, capability
            said = decide(pack, capability, person_of(teen), guardian=expected)
            loosest = bounds.guardian_cap if bounds.guardian_moves else bounds.default
            assert kind.strictest(said.code, loosest) == said.code, "looser than is allowed"

    @invariant()
    def no_grant_passes_a_standing_choice(self) -> None:
        """As `Family._holds` says too, but read from the rows alone."""
        state = load_states([self.teen.platform_id])[self.teen.platform_id]
        for capability, (_, _, until, number) in self.granted.items():
            if until <= timezone.now():
                continue
            holds = state.guardian[capability]
            rows = Answer.objects.filter(ask=number).order_by("at")
            said = {row.pairing_id: row for row in rows if not was_held(row)}
            standing = Choice.objects.filter(
                pairing__teen=self.teen,
                pairing__ended_at=None,
                capability=capability,
                ended_at=None,
                held=False,
            )
            for choice in standing.exclude(pairing__ends_at__lte=timezone.now()):
                answer = said.get(choice.pairing_id)
                if answer is None or answer.answer != "yes" or answer.at < choice.made_at:
                    assert self._strictest(capability, [holds, choice.value]) == holds

    @invariant()
    def every_setting_is_explained(self) -> None:
        lasting = Setting.objects.filter(
            account=self.teen, layer=Layer.GUARDIAN, ended_at=None, until=None
        )
        chosen = {
            key[1]
            for key, value in self.chosen.items()
            if self._real_power(key[0]) and self._gives(*key, value)
        }
        assert set(lasting.values_list("capability", flat=True)) == chosen
        passing = Setting.objects.filter(
            account=self.teen, layer=Layer.GUARDIAN, ended_at=None, until__gt=timezone.now()
        )
        assert set(passing.values_list("capability", flat=True)) == set(self.granted)
        asleep = Setting.objects.filter(account=self.teen, layer=Layer.ASLEEP, ended_at=None)
        about_time = {"session.time", "session.hours"}
        tightening = {
            capability
            for (name, capability), value in self.chosen.items()
            if self._real_power(name) and not self._gives(name, capability, value)
        } | {
            capability
            for name, capability in self.chosen
            if self._live(name) and not self._real_power(name) and capability not in about_time
        }
        assert set(asleep.values_list("capability", flat=True)) == tightening

    @invariant()
    def nothing_is_looser_than_somebody_in_power_chose(self) -> None:
        """What holds is never looser than what those in power chose, or else than the default."""
        pack, teen = self._pack(), self._fresh(self.teen)
        state = load_states([teen.platform_id])[teen.platform_id]
        for capability in CAPABILITIES:
            kind = pack.capabilities[capability].kind
            without = decide(
                pack, capability, person_of(teen), guardian=state.guardian.get(capability)
            )
            found = decide_in_state(pack, capability, state)
            assert kind.strictest(found.code, without.code) == found.code
            if is_about_time(capability, kind):
                assert found.code == without.code, "and about time it is just that"


def test_a_choice_about_time_sleeps_from_the_moment_of_a_quiet_dispute(configure: Any) -> None:
    """The steps in which the model once expected the hours of a guardian without power."""
    configure(policy_key="00" * 32)
    family = Family()
    family.begin(GUARDIANS[:1])
    steps: tuple[Callable[[], None], ...] = (
        lambda: family.accept("first", 0),
        lambda: family.choose("first", ("session.hours", "08:00-20:00")),
        lambda: family.accept("second", 0),
        lambda: family.accept("second", 0),
        lambda: family.dispute("second", False),
        lambda: family.dispute("first", True),
    )
    for step in steps:
        step()
        family.what_holds_is_what_the_model_says()
        family.no_grant_passes_a_standing_choice()
        family.every_setting_is_explained()
        family.nothing_is_looser_than_somebody_in_power_chose()


def test_no_sequence_breaks_a_family(monkeypatch: pytest.MonkeyPatch, configure: Any) -> None:
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + Family.ahead)
    configure(policy_key="00" * 32)
    run_machine(Family, sequences=14, steps=35)
    assert gaps(("pairing", "choice", "ask", "invitation")) == [], "the ledger says the same"
