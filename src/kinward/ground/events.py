"""Events: news of a room, for the jobs of rooms above it.

A room cannot name the rooms above it. So it declares an event, and a room above declares the job
that follows. Announcing an event enqueues its jobs, so they exist if and only if the announcer's
transaction commits.
"""

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from procrastinate.tasks import Task

from kinward.ground.jobs import enqueue, enqueue_once, task

P = ParamSpec("P")
R = TypeVar("R")

EVENTS: Final[dict[str, "Event"]] = {}  # by name


class Unheard(RuntimeError):
    """An event without any job was announced, so its consequences would be lost."""


class Event:
    """One kind of news from the room that declares it. Its arguments are those of its jobs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.jobs: list[str] = []
        EVENTS[name] = self

    def job(
        self, name: str, *, lock: str | None = None
    ) -> Callable[[Callable[P, R]], Task[P, R, P]]:
        """Declare `name` as a durable job that follows this event. See `jobs.task`."""

        def declare(function: Callable[P, R]) -> Task[P, R, P]:
            self.jobs.append(name)
            return task(name, lock=lock)(function)

        return declare

    def announce(self, **arguments: str | int) -> None:
        """Enqueue the event's jobs in the caller's transaction. Raises `Unheard` if it has none."""
        for name in self._heard_by():
            enqueue(name, at=None, **arguments)

    def announce_once(self) -> None:
        """Enqueue the event's jobs, except those that are waiting already. Raises `Unheard`."""
        for name in self._heard_by():
            enqueue_once(name)

    def _heard_by(self) -> list[str]:
        if not self.jobs:
            raise Unheard(self.name)
        return self.jobs
