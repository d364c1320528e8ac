"""Differences of the shadow, counted in each process and now and then added to the database."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

from django.db import transaction
from django.db.models import F

from kinward.experience.live import Answered
from kinward.experience.models import Shadow, ShadowDifference
from kinward.policy import Request, State, answer_request
from kinward.policy.api import group_of

Key = tuple[int, str, str, str, str, str]  # shadow, capability, group, place, active, shadowed


class Tally:
    """The requests and differences that a process has counted since its last write. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: Counter[int] = Counter()
        self._differ: Counter[Key] = Counter()
        self._examples: dict[Key, str] = {}

    def compare(self, answered: Answered, requests: Sequence[Request]) -> None:
        """Decide the same requests by the shadow, if one runs, and count the differences."""
        in_force = answered.in_force
        if in_force is None or in_force.shadow is None or in_force.shadow_id is None:
            return
        number = in_force.shadow_id
        with self._lock:
            for request, decision in zip(requests, answered.decisions, strict=True):
                if request.pack:
                    continue
                self._asked[number] += 1
                other = answer_request(in_force.shadow, request, answered.states)
                if (other.effect, other.value) == (decision.effect, decision.value):
                    continue
                group, place = _group_and_place(request, answered.states)
                active, shadowed = (f"{side.effect}: {side.value}" for side in (decision, other))
                key = (number, request.capability, group, place, active, shadowed)
                self._differ[key] += 1
                if request.actor.id:
                    self._examples.setdefault(key, request.actor.id)

    def write(self) -> None:
        """Add the counts to the database and reset them. If that fails, keep them and raise."""
        with self._lock:
            asked, differ, examples = self._asked, self._differ, self._examples
            if not asked:
                return
            self._asked, self._differ, self._examples = Counter(), Counter(), {}
        try:
            self._write(asked, differ, examples)
        except Exception:
            with self._lock:
                self._asked.update(asked)
                self._differ.update(differ)
                self._examples = examples | self._examples
            raise

    @staticmethod
    @transaction.atomic
    def _write(asked: Counter[int], differ: Counter[Key], examples: dict[Key, str]) -> None:
        for number, count in asked.items():
            Shadow.objects.filter(pk=number).update(asked=F("asked") + count)
        for key, count in sorted(differ.items()):
            number, capability, group, place, active, shadowed = key
            row, _ = ShadowDifference.objects.get_or_create(
                shadow_id=number,
                capability=capability[:80],
                group=group,
                place=place[:10],
                active=active[:500],
                shadowed=shadowed[:500],
                defaults={"example": examples.get(key, "")[:200]},
            )
            ShadowDifference.objects.filter(pk=row.pk).update(count=F("count") + count)


@cache
def tally_shadow() -> Tally:
    """Return the tally of this process."""
    return Tally()


def _group_and_place(request: Request, states: Mapping[str, State]) -> tuple[str, str]:
    about = request.actor
    if about.id is not None and about.id in states:
        person = states[about.id].person
        return group_of(person.age.lower, person.age.upper), person.jurisdiction
    if about.age is not None and len(about.age) == 2:
        return group_of(*about.age), about.jurisdiction
    return "unknown", about.jurisdiction
