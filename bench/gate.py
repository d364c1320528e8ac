"""The gate, all the way: callers, HTTP, threads, decoders and durable rows, beside a floor.

    python -m bench.gate [seconds of each measurement] [callers,…] [processes,…] [a row's name]

Starts a PostgreSQL of its own that writes through, and a gate with one process, then with two. The
callers run in this process, on the same machine. Each row prints the answers a second, what the
callers waited (median and 99th percentile), and the processor time that gate, decoders and database
took for one answer. The floor decodes, hashes, searches and inserts one row with psycopg, in this
process, one after another.
"""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Final

import httpx
import msgspec
import numpy as np
import psutil

from bench.http import measure, request
from kinward.access.actor import Actor
from kinward.demo import pictures
from tests.support import videos

DIRECTORY: Final = tempfile.mkdtemp(prefix="kinward-bench-")
atexit.register(shutil.rmtree, DIRECTORY, ignore_errors=True)  # after the server has stopped
os.environ["KINWARD_DATA_DIR"] = DIRECTORY
# One address and one key ask for all callers here, as a proxy and an app would.
os.environ |= {"KINWARD_KEY_PER_SECOND": "1000000", "KINWARD_ACCOUNT_PER_MINUTE": "1000000"}
ACCOUNTS: Final = 1_000
BATCH: Final = 10_000  # checks
BANKED: Final = 10_000
SCOPES: Final = ("hashes:look-up", "media:check", "text:check", "policy:decide", "reports:write")
BOUNDARY: Final = b"kinward-bench"

Requests = Callable[[], Iterator[bytes]]


def banked(number: int) -> bytes:
    return np.random.default_rng(number).bytes(32)


class Questions:
    """What is asked, with a new content id each time."""

    def __init__(self, key: str) -> None:
        self._key, self._asked = key, 0

    def _about(self) -> dict[str, str]:
        self._asked += 1
        return {
            "account_id": f"m{self._asked % ACCOUNTS}",
            "content_id": f"{os.getpid()}-{self._asked}",
        }

    def hashes(self, *, match: bool = False) -> Iterator[bytes]:
        while True:
            about = self._about()
            value = banked(self._asked % BANKED if match else BANKED + self._asked)
            body = about | {"pdq": value.hex(), "sha256": np.random.bytes(32).hex()}
            yield request("/v1/media/hashes", msgspec.json.encode(body), self._key)

    def batches(self) -> Iterator[bytes]:
        while True:
            values = np.random.bytes(64 * BATCH)
            checks = [
                self._about()
                | {"pdq": values[n : n + 32].hex(), "sha256": values[n + 32 : n + 64].hex()}
                for n in range(0, 64 * BATCH, 64)
            ]
            body = msgspec.json.encode({"checks": checks})
            yield request("/v1/media/hashes/batch", body, self._key)

    def files(self, data: bytes, media_type: str) -> Iterator[bytes]:
        kind = f"multipart/form-data; boundary={BOUNDARY.decode()}"
        while True:
            parts = [
                b'name="%s"\r\n\r\n%s' % (name.encode(), text.encode())
                for name, text in self._about().items()
            ]
            file = b'name="file"; filename="f"\r\nContent-Type: %s\r\n\r\n' % media_type.encode()
            parts.append(file + data)
            body = b"".join(
                b"--%s\r\nContent-Disposition: form-data; %s\r\n" % (BOUNDARY, part)
                for part in parts
            )
            yield request("/v1/media", body + b"--" + BOUNDARY + b"--\r\n", self._key, kind)

    def texts(self) -> Iterator[bytes]:
        while True:
            self._asked += 1
            body = {"text": f"see you at the lake after school, bring ball {self._asked}"}
            yield request("/v1/text", msgspec.json.encode(body), self._key)

    def decisions(self) -> Iterator[bytes]:
        while True:
            asked = {"capability": "dm.send", "actor": {"id": self._about()["account_id"]}}
            yield request("/v1/decide", msgspec.json.encode(asked), self._key)

    def hma(self) -> Iterator[bytes]:
        while True:
            self._asked += 1
            signal = banked(BANKED + self._asked).hex()
            yield request(f"/m/lookup?signal={signal}&signal_type=pdq", b"", self._key)

    def user_reports(self) -> Iterator[bytes]:
        while True:
            about = self._about()
            body = {
                "reporter_id": f"m{(self._asked * 7 + 1) % ACCOUNTS}",
                "account_id": about["account_id"],
                "content_id": about["content_id"],
                "category": "bullying",
                "text": "x",
            }
            yield request("/v1/reports", msgspec.json.encode(body), self._key)


def fill() -> str:
    """Fill the database: accounts of adults, a bank, and a key, which is returned."""
    from kinward.access.services import create_key
    from kinward.matching.hashlists import ListedHash
    from kinward.matching.services import add_hashes, create_bank
    from kinward.people.services import Profile, put_account
    from kinward.policy.ages import AgeRange

    actor = Actor.system("bench")
    for number in range(ACCOUNTS):
        put_account(platform_id=f"m{number}", profile=Profile(age=AgeRange(30, 31)))
    bank = create_bank(name="bench", confidence="unverified", actor=actor)
    listed = (ListedHash("pdq", banked(number)) for number in range(BANKED))
    add_hashes(bank=bank, hashes=listed, provenance="bench", actor=actor)
    return create_key(name="bench", scopes=frozenset(SCOPES), actor=actor)


def serve(processes: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start a gate and return it with its port, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"KINWARD_PORT": str(port), "KINWARD_PROCESSES": str(processes)}
    gate = subprocess.Popen([sys.executable, "-m", "kinward", "serve", "gate"], env=environment)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return gate, port
    raise SystemExit("The gate did not come up.")


def processor_seconds(gate: subprocess.Popen[bytes]) -> float:
    """Return the processor time so far of the gate, its decoders and the database."""
    root = psutil.Process(gate.pid)
    database = [p for p in psutil.process_iter(["cmdline"]) if DIRECTORY in str(p.info["cmdline"])]
    seen = {p.pid: p for p in (root, *root.children(recursive=True), *database)}
    seen |= {child.pid: child for p in database for child in p.children(recursive=True)}
    seconds = 0.0
    for process in seen.values():
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def floor(data: bytes | None, seconds: float) -> float:
    """Return checks a second of one thread that decodes, hashes, searches and inserts one row."""
    import psycopg

    from kinward.matching.hamming import Index
    from kinward.media import read_picture

    index = Index()
    values = np.frombuffer(b"".join(map(banked, range(BANKED))), np.uint8).reshape(-1, 32)
    index.add(values, np.arange(BANKED))
    done = 0
    with psycopg.connect(os.environ["KINWARD_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bench_floor (at timestamptz, hash bytea)")
        index.search_batch(values[:1])  # compiles it
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            hash_ = read_picture(data, 50_000_000).views[0].hash if data else banked(BANKED + done)
            index.search_batch(np.frombuffer(hash_, np.uint8).reshape(1, 32))
            connection.execute("INSERT INTO bench_floor VALUES (now(), %s)", [hash_], prepare=True)
            done += 1
    return done / seconds


def cases(questions: Questions) -> dict[str, Requests]:
    picture, large = pictures.draw(1), pictures.draw(1, (4000, 3000))
    film = videos.encode(range(1, 6), size=(640, 360), seconds=2, rate=25)
    files = {
        "JPEG 1024 x 768": (pictures.encode(picture, "JPEG", quality=90), "image/jpeg"),
        "JPEG 4000 x 3000": (pictures.encode(large, "JPEG", quality=90), "image/jpeg"),
        "PNG 1024 x 768": (pictures.encode(picture), "image/png"),
        "WebP 1024 x 768": (pictures.encode(picture, "WEBP"), "image/webp"),
        "film of 10 seconds": (film, "video/mp4"),
    }
    asked: dict[str, Requests] = {
        "hash check": questions.hashes,
        f"batch of {BATCH:,}": questions.batches,
        "text": questions.texts,
        "decision": questions.decisions,
        "HMA look-up": questions.hma,
        "user report": questions.user_reports,
        "match, opens a case": lambda: questions.hashes(match=True),
    }
    return asked | {
        name: (lambda data=data, kind=kind: questions.files(data, kind))
        for name, (data, kind) in files.items()
    }


def main(
    seconds: float = 5.0, callers: str = "1,8,64", processes: str = "1,2", only: str = ""
) -> None:
    from kinward.cli.up import start_ground

    stop = start_ground()
    from kinward.cli.first_run import migrate

    migrate()
    questions = Questions(fill())
    asked = {name: ask for name, ask in cases(questions).items() if only in name}
    jpeg = pictures.encode(pictures.draw(1), "JPEG", quality=90)
    print(f"floor, one thread: {floor(None, seconds):,.0f} hash checks a second,", end=" ")
    print(f"{floor(jpeg, seconds):,.0f} JPEGs of 1024 x 768")
    for count in map(int, processes.split(",")):
        gate, port = serve(count)
        print(f"\n{count} process(es)        callers  answers/s    p50 ms    p99 ms   CPU ms")
        try:
            for name, requests in asked.items():
                if os.environ.get("ONLY") and name != os.environ["ONLY"]:
                    continue
                for number in map(int, callers.split(",")):
                    before = processor_seconds(gate)
                    met = measure(port, requests(), seconds, number, settle=0)
                    spent = (processor_seconds(gate) - before) * 1000 / (met.rate * seconds)
                    print(
                        f"{name:<22} {number:>7} {met.rate:>10,.0f} {met.p50:>9.1f} {met.p99:>9.1f}"
                        f" {spent:>8.2f}",
                        flush=True,
                    )
        finally:
            gate.terminate()
            gate.wait()
    stop()


if __name__ == "__main__":
    given = sys.argv[1:]
    main(float(given[0]) if given else 5.0, *given[1:])
