"""Notice of changes in the database, and caches that are never older than that notice.

Triggers send `NOTIFY kinward_changes` with `<kind>:<key>` when a transaction with a change commits.
One thread in each process listens. A cache may answer only while that thread has recently heard
from the database. Otherwise the cache empties itself, and its callers read the database.
"""

import select
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final, Generic, TypeVar, cast

import structlog
from django.db import connection, transaction
from psycopg import Error, connect

log = structlog.get_logger(__name__)

CHANNEL: Final = "kinward_changes"
PULSE: Final = 0.2  # seconds between signs of life
TRUST: Final = 0.8  # seconds for which a sign of life counts
PAUSE: Final = 0.5  # seconds before reconnecting

K = TypeVar("K")
V = TypeVar("V")


class Watch:
    """A listener to the database that tells its subscribers what changed."""

    def __init__(self) -> None:
        self._heard_at = float("-inf")
        self._subscribers: dict[str, list[Callable[[str | None], None]]] = {}
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self.backend: int | None = None  # PostgreSQL's process id of the listening connection

    def subscribe(self, kind: str, changed: Callable[[str | None], None]) -> None:
        """Call `changed` with a key when that key changed, and with None when any key may have."""
        self._subscribers.setdefault(kind, []).append(changed)

    def trusted(self) -> bool:
        """Return whether every change committed until a moment ago (`TRUST`) has been heard."""
        if self._thread is None:
            self._start()
        return time.monotonic() - self._heard_at < TRUST

    def changed(self, kind: str, key: str) -> None:
        """Tell this process at the moment of commit. Other processes hear from the triggers."""
        transaction.on_commit(lambda: self._heard(f"{kind}:{key}"))

    def stop(self) -> None:
        """Stop listening for good. From then on nothing is trusted."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(5 * TRUST)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                parameters = connection.get_connection_params()
                parameters.pop("cursor_factory", None)
                parameters.pop("context", None)
                self._thread = threading.Thread(
                    target=self._run, args=(parameters,), daemon=True, name="watch"
                )
                self._thread.start()

    def _run(self, parameters: dict[str, Any]) -> None:
        while not self._stopped.is_set():
            try:
                self._listen(parameters)
            except (Error, OSError, ValueError) as error:
                log.warning("watch.lost", error=str(error).split("\n")[0])
            self._heard_at, self.backend = float("-inf"), None
            self._lost()
            self._stopped.wait(PAUSE)

    def _listen(self, parameters: dict[str, Any]) -> None:
        with connect(**parameters, autocommit=True) as listening:
            listening.add_notify_handler(lambda notify: self._heard(notify.payload))
            listening.execute(f"LISTEN {CHANNEL}")
            self._lost()  # changes from before we listened were not heard
            self.backend = listening.info.backend_pid
            while not self._stopped.is_set():
                # Changes committed before this statement are delivered with its result.
                began = time.monotonic()
                listening.execute("SELECT 1")
                self._heard_at = began
                select.select([listening.fileno()], [], [], PULSE)

    def _heard(self, payload: str) -> None:
        kind, _, key = payload.partition(":")
        for changed in self._subscribers.get(kind, ()):
            changed(key)

    def _lost(self) -> None:
        for subscribers in self._subscribers.values():
            for changed in subscribers:
                changed(None)


@cache
def watch() -> Watch:
    """Return the watch of this process."""
    return Watch()


class Cache(Generic[K, V]):
    """Values by key, read from the database at most once between two changes.

    `load` reads many keys at once. A key missing from its result is not remembered. `kind` is the
    triggers' word for these values. A notice with an empty key means that any key may have changed.
    """

    def __init__(
        self, kind: str, load: Callable[[Iterable[K]], Mapping[K, V]], *, size: int = 100_000
    ) -> None:
        self._load, self._size = load, size
        self._values: dict[K, V] = {}
        self._version = 0
        self._lock = threading.Lock()
        watch().subscribe(kind, self._changed)

    def peek(self, keys: Iterable[K]) -> dict[K, V] | None:
        """Return the values if all are cached and trusted, else None. Never reads the database."""
        if not watch().trusted():
            return None
        try:
            return {key: self._values[key] for key in keys}
        except KeyError:
            return None

    def get(self, keys: Iterable[K]) -> dict[K, V]:
        """Return the values, from the cache or from the database."""
        wanted = set(keys)
        version = self._version
        trusted = watch().trusted()
        cached = {key: self._values[key] for key in wanted & self._values.keys()} if trusted else {}
        missing = wanted - cached.keys()
        if not missing:
            return cached
        read = self._load(missing)
        with self._lock:
            # A change during the read may concern the values that were read.
            if trusted and version == self._version and watch().trusted():
                self._values.update(read)
                while len(self._values) > self._size:
                    del self._values[
                        next(iter(self._values))
                    ]  # the value that was read longest ago
        return cached | dict(read)

    def _changed(self, key: str | None) -> None:
        with self._lock:
            self._version += 1
            if key:
                self._values.pop(cast("K", key), None)
            else:
                self._values.clear()


class Whole(Generic[K, V]):
    """All values of a kind, read from the database at most once between two changes. Thread-safe.

    What is missing is known to be missing, so that a stranger's key costs no query.
    """

    def __init__(self, kind: str, load: Callable[[], Mapping[K, V]]) -> None:
        self._load = load
        self._values: Mapping[K, V] | None = None
        self._last: Mapping[K, V] = {}
        self._read_at = float("-inf")
        self._version = 0
        self._failed_at, self._failure = float("-inf"), Exception()
        self._lock, self._loading = threading.Lock(), threading.Lock()
        watch().subscribe(kind, self._changed)

    @property
    def last(self) -> Mapping[K, V]:
        """The values as they were last read, however long ago. Not to be trusted."""
        return self._last

    def peek(self) -> Mapping[K, V] | None:
        """Return the values if they are cached and trusted, else None. Never reads the database."""
        values = self._values
        return values if values is not None and watch().trusted() else None

    def get(self) -> Mapping[K, V]:
        """Return the values, from the cache or from the database.

        Callers at the same time share one read, and its error. A read counts for as long as a sign
        of life does.
        """
        asked = time.monotonic()
        with self._loading:
            if self._failed_at >= asked:
                raise self._failure
            version, trusted, began = self._version, watch().trusted(), time.monotonic()
            values = self.peek()
            if values is None and began - self._read_at < TRUST:
                values = self._last
            if values is not None:
                return values
            try:
                read = self._load()
            except Exception as error:
                self._failed_at, self._failure = time.monotonic(), error
                raise
            with self._lock:
                if version == self._version:
                    self._last, self._read_at = read, began
                    self._values = read if trusted and watch().trusted() else None
            return read

    def _changed(self, key: str | None) -> None:
        with self._lock:
            self._version += 1
            self._values, self._read_at = None, float("-inf")
