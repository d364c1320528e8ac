"""Change what protects people, one small change at a time, and say which changes no test notices.

    python -m scripts.mutants [N] [SEED]

`tests/mutants.toml` names the modules, their tests, and the changes that are accepted. Works on a
copy of the tree for each core, on a server and databases of its own. The first run records which
tests call which functions (in .mutants/). A change in a function is shown to the tests that call
it, quickest first, and any other change to all tests of its room. An interrupted run resumes with
its SEED.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final

from scripts.mutations import Change, find_changes

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = Path("src/kinward")
MAP: Final = Path("tests/mutants.toml")
KEPT: Final = ROOT / ".mutants"
WORKERS: Final = os.cpu_count() or 2
TEMPLATE: Final = "test_mutants"
START: Final = 60  # seconds that a run may take beside its tests
LONGEST: Final = 900
QUIET: Final = ("--reuse-db", "--durations=0", "-p", "no:cacheprovider")
NOTICED, SURVIVED, TOO_LONG = "noticed", "SURVIVED", "too long"

Recorded = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Mutant:
    """A change of a module, and the test files of the module's room."""

    module: str
    change: Change
    tests: tuple[str, ...]


def read_map() -> dict[str, Any]:
    return tomllib.loads((ROOT / MAP).read_text())


def expand(folder: Path, patterns: list[str]) -> list[str]:
    """The files that patterns name, below a folder. Raises for a pattern that names none."""
    paths: list[str] = []
    for pattern in patterns:
        names = sorted(path.relative_to(folder).as_posix() for path in folder.glob(pattern))
        if not names:
            raise SystemExit(f"{MAP}: no file is named {pattern!r}.")
        paths += [name for name in names if name not in paths]
    return paths


def list_mutants() -> list[Mutant]:
    """Every change of every module in the map."""
    mutants = []
    rooms = read_map()
    for room in rooms["rooms"]:
        patterns = [*room["tests"], *rooms["everywhere"]]
        tests = tuple(path for path in expand(ROOT, patterns) if "/test_" in path)
        for module in expand(ROOT / PACKAGE, room["modules"]):
            source = (ROOT / PACKAGE / module).read_text()
            mutants += [Mutant(module, change, tests) for change in find_changes(source)]
    return mutants


def list_accepted() -> set[tuple[str, str, str]]:
    """The changes that may survive: module, function and text."""
    accepted = read_map().get("accepted", [])
    return {(row["module"], row["function"], row["change"]) for row in accepted}


def identify(mutant: Mutant) -> tuple[str, str, str]:
    return mutant.module, mutant.change.function, mutant.change.text


class Server:
    """A PostgreSQL for the tests, with a database that the migrations have made."""

    def __init__(self) -> None:
        from tests.ground import start_database
        from tests.support.places import migrated_cluster, reachable

        with tempfile.TemporaryDirectory() as folder:
            reachable(Path(folder))
            self.url = start_database(migrated_cluster(Path(folder)))

    def url_of(self, name: str) -> str:
        base, _, options = self.url.partition("?")
        return f"{base.rpartition('/')[0]}/{name}?{options}"

    def renew(self, name: str) -> None:
        """Make a test database afresh, so that no run finds what another left."""
        import psycopg

        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")


class Worker:
    """A copy of the tree, and a database: one pytest at a time."""

    def __init__(self, server: Server, name: str, folder: Path) -> None:
        self.server, self.name, self.folder, self.output = server, name, folder, ""
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        files = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True).stdout
        for path in files.decode().split("\0"):
            if (ROOT / path).is_file():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / path, folder / path)

    def run_tests(self, tests: list[str], limit: float, *options: str, **environment: str) -> int:
        """Run tests until the first failure: pytest's exit status, or -1 past the limit."""
        if self.name != TEMPLATE.removeprefix("test_"):
            self.server.renew(f"test_{self.name}")
        kept = {name: value for name, value in os.environ.items() if "KINWARD" not in name}
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-x", "-q", *QUIET, *options, *tests],
            cwd=self.folder,
            env={
                **kept,
                "KINWARD_TEST_DATABASE_URL": self.server.url_of(self.name),
                "PYTHONPATH": str(self.folder / "src"),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self.output = process.communicate(timeout=limit)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            self.output = f"No end within {limit:.0f} s."
            return -1
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        return process.returncode

    def write(self, module: str, source: str) -> None:
        path = self.folder / PACKAGE / module
        path.write_text(source)
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()  # its time may be the same

    def judge(self, mutant: Mutant, recorded: Recorded) -> str:
        """Whether a test notices a change."""
        source = (self.folder / PACKAGE / mutant.module).read_text()
        self.write(mutant.module, mutant.change.apply(source))
        try:
            tests = choose_tests(mutant, recorded)
            seconds = sum(recorded[test]["seconds"] for test in tests)
            status = self.run_tests(tests, min(START + 4 * seconds, LONGEST))
            return {0: SURVIVED, -1: TOO_LONG}.get(status, NOTICED)
        finally:
            self.write(mutant.module, source)


def choose_tests(mutant: Mutant, recorded: Recorded) -> list[str]:
    """The tests that call a change's function, or all of its room if none does, quickest first."""
    name = f"{mutant.module}:{mutant.change.function}"
    room = [test for test in recorded if test.partition("::")[0] in mutant.tests]
    room.sort(key=lambda test: recorded[test]["seconds"])
    return [test for test in room if name in recorded[test]["called"]] or room


def record(workers: list[Worker], files: list[str]) -> Recorded:
    """Run every test once, unchanged, for what each calls. Kept until code or file change."""
    KEPT.mkdir(exist_ok=True)
    tree = _fingerprint(workers[0].folder)
    kept = {file: KEPT / f"{_digest(tree, workers[0].folder / file)}.json" for file in files}
    waiting: Queue[str] = Queue()
    for file, path in kept.items():
        if not path.exists():
            waiting.put(file)

    def work(worker: Worker) -> None:
        while True:
            try:
                file = waiting.get_nowait()
            except Empty:
                return
            new = kept[file].with_suffix(".new")
            environment = {
                "RECORDED_PACKAGE": str(worker.folder / PACKAGE),
                "RECORDED_FILE": str(new),
            }
            if worker.run_tests([file], LONGEST, "-p", "scripts.recording", **environment):
                raise SystemExit(f"{file} fails without any change:\n{worker.output[-3000:]}")
            new.rename(kept[file])
            print(f"  recorded {file}", flush=True)

    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(work, workers))
    recorded: Recorded = {}
    for path in kept.values():
        recorded.update(json.loads(path.read_text()))
    return recorded


def _digest(tree: str, file: Path) -> str:
    return hashlib.sha256(tree.encode() + str(file.name).encode() + file.read_bytes()).hexdigest()


def _fingerprint(folder: Path) -> str:
    """What every test runs on: the code, and what tests share."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("src/**/*.*"), *folder.glob("tests/**/*.py")]):
        shared = path.is_file() and not path.name.startswith("test_")
        if shared and path.suffix not in (".pyc", ".nbi", ".nbc"):
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def judge_all(
    workers: list[Worker], mutants: list[Mutant], recorded: Recorded, journal: Path
) -> dict[int, str]:
    """The outcome of each mutant, by its place. `journal` has those of an interrupted run."""
    idle: Queue[Worker] = Queue()
    for worker in workers:
        idle.put(worker)
    outcomes: dict[int, str] = {}
    if journal.exists():
        outcomes = dict(json.loads(line) for line in journal.read_text().splitlines())

    def work(place: int) -> None:
        worker, mutant, began = idle.get(), mutants[place], time.monotonic()
        try:
            outcomes[place] = worker.judge(mutant, recorded)
        finally:
            idle.put(worker)
        with journal.open("a") as file:
            file.write(json.dumps([place, outcomes[place]]) + "\n")
        where = f"{mutant.module}:{mutant.change.line} {mutant.change.text}"
        took = f"{time.monotonic() - began:4.0f} s"
        head = f"{len(outcomes):4}/{len(mutants)} {outcomes[place]:<9}{took}"
        print(f"{head}  {where[:110]}", flush=True)

    with ThreadPoolExecutor(len(workers)) as pool:
        try:
            list(pool.map(work, [n for n in range(len(mutants)) if n not in outcomes]))
        except KeyboardInterrupt:  # say what is known
            pool.shutdown(cancel_futures=True)
    return outcomes


def report(mutants: list[Mutant], outcomes: dict[int, str]) -> int:
    """Print each survivor as a diff; returns how many are not accepted."""
    accepted = list_accepted()
    alive = [mutants[place] for place in sorted(outcomes) if outcomes[place] == SURVIVED]
    new = [mutant for mutant in alive if identify(mutant) not in accepted]
    for mutant in new:
        path = (PACKAGE / mutant.module).as_posix()
        print(f"\n[[accepted]]\nmodule = {json.dumps(mutant.module)}")
        print(f"function = {json.dumps(mutant.change.function)}")
        print(f"change = {json.dumps(mutant.change.text, ensure_ascii=False)}")
        print(mutant.change.as_diff((ROOT / path).read_text(), path))
    counts = {kind: list(outcomes.values()).count(kind) for kind in (NOTICED, TOO_LONG)}
    print(
        f"{len(outcomes)} changes: {counts[NOTICED]} noticed by a test, {counts[TOO_LONG]} that"
        f" never ended, {len(alive) - len(new)} accepted, {len(new)} that no test notices."
    )
    return len(new)


def main() -> int:
    parser = argparse.ArgumentParser(description="Which changes does no test notice?")
    parser.add_argument("count", nargs="?", type=int, default=300)
    parser.add_argument("seed", nargs="?", type=int, default=None)
    parser.add_argument("--module", default="", help="only modules whose path fits this pattern")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    everything = [mutant for mutant in list_mutants() if re.search(chosen.module, mutant.module)]
    count = min(chosen.count, len(everything))
    mutants = random.Random(seed).sample(everything, count)  # noqa: S311
    print(f"{count} of {len(everything)} changes, SEED={seed}", flush=True)
    server = Server()
    with tempfile.TemporaryDirectory(prefix="kinward-mutants-") as folder:
        os.chmod(folder, 0o755)  # noqa: S103  the server's user comes by
        first = Worker(server, TEMPLATE.removeprefix("test_"), Path(folder) / "first")
        status = first.run_tests(
            ["tests/integration/access/test_access.py"], LONGEST, "--create-db"
        )
        if status:
            raise SystemExit(first.output[-3000:])
        workers = [
            Worker(server, f"mutants_{number}", Path(folder) / str(number))
            for number in range(WORKERS)
        ]
        recorded = record(workers, sorted({test for mutant in mutants for test in mutant.tests}))
        tree = _fingerprint(workers[0].folder)
        journal = KEPT / f"{tree[:16]}-{seed}-{count}.jsonl"
        return min(1, report(mutants, judge_all(workers, mutants, recorded, journal)))


if __name__ == "__main__":
    sys.exit(main())
