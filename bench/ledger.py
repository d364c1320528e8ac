"""The ledger under load: entries a second beside the former chain, merge delay, proofs over HTTP.

    python -m bench.ledger [entries to load] [seconds a round]

Runs in its own PostgreSQL with fsync, in a directory that is removed afterwards. Sixteen processes
write, with 5 and with 50 entries a transaction, and then with 5 at a pace. The former `record` is
kept here, and nowhere else: it takes one lock for the whole ledger, reads the last entry, and
chains the next one to it.
"""

import atexit
import multiprocessing
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

if __name__ == "__main__":
    DIRECTORY = tempfile.mkdtemp(prefix="kinward-bench-")
    atexit.register(shutil.rmtree, DIRECTORY, ignore_errors=True)  # after the server has stopped
    os.environ["KINWARD_DATA_DIR"] = DIRECTORY

FORMER, NOW = "the former chain", "the log"
WRITERS: Final = 16
PACE: Final = 3000  # entries a second, for the delay of a machine that is busy and not full
FIRST: Final = 1000  # the number of the first entry that is loaded
PROOFS: Final = 300
CHAIN_LOCK: Final = 0x4B494E57415244
CHAIN: Final = """
CREATE TABLE bench_chain (
  seq bigint PRIMARY KEY, at timestamptz NOT NULL, actor varchar(200) NOT NULL,
  kind varchar(80) NOT NULL, subject varchar(200) NOT NULL, data jsonb NOT NULL,
  previous bytea NOT NULL, digest bytea NOT NULL
);
CREATE INDEX ON bench_chain (subject, seq);
CREATE INDEX ON bench_chain (kind, seq);
"""
INTO: Final = """
COPY ledger_entry (seq, at, kind, actor, subject, data, actor_salt, subject_salt, data_salt,
  actor_commitment, subject_commitment, data_commitment, mac) FROM STDIN
"""


def _set_up() -> None:
    from kinward.cli.main import set_up_django

    set_up_django()


def _former() -> Callable[[str, Any], None]:
    """Return `record` as it was when the ledger was a chain."""
    from django.db import connection, models

    from kinward.ledger.chain import GENESIS, digest

    class Chained(models.Model):
        objects: Any
        seq = models.BigIntegerField(primary_key=True)
        at = models.DateTimeField()
        actor = models.CharField(max_length=200)
        kind = models.CharField(max_length=80)
        subject = models.CharField(max_length=200)
        data: Any = models.JSONField()
        previous = models.BinaryField()
        digest = models.BinaryField()

        class Meta:
            app_label = "bench"
            managed = False
            db_table = "bench_chain"

        def __str__(self) -> str:
            return str(self.seq)

    def record(subject: str, fact: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
        last = Chained.objects.order_by("-seq").values_list("seq", "digest").first()
        seq, previous = (last[0] + 1, bytes(last[1])) if last else (1, GENESIS)
        fields: dict[str, Any] = {
            "seq": seq,
            "at": datetime.now(UTC),
            "actor": "system:bench",
            "kind": fact.kind,
            "subject": subject,
            "data": fact.data,
        }
        head = digest(previous=previous, **fields)
        Chained.objects.create(**fields, previous=previous, digest=head)

    return record


def _today() -> Callable[[str, Any], None]:
    from kinward.access.actor import Actor
    from kinward.ledger.services import record

    def record_now(subject: str, fact: Any) -> None:
        record(actor=Actor.system("bench"), subject=subject, fact=fact)

    return record_now


def write(way: str, together: int, seconds: float, pace: float, begin: Any, counts: Any) -> None:
    """Write entries for some seconds, so many in each transaction. A process of its own.

    `pace`: entries a second of this process, 0 for as many as it can.
    """
    _set_up()
    from django.db import connection, transaction

    from kinward.ledger import kinds

    record = _former() if way == FORMER else _today()
    connection.ensure_connection()
    begin.wait()
    began, written = time.monotonic(), 0
    while (now := time.monotonic()) < began + seconds:
        if pace and written > (now - began) * pace:
            time.sleep(written / pace - (now - began))
        facts = [kinds.CaseOpened(account="member-1") for _ in range(together)]
        with transaction.atomic():
            for fact in facts:
                record(f"case:{os.getpid()}", fact)
        written += together
    counts.put(written)


def sequence(ready: Any, stop: Any) -> None:
    """Sequence and sign as a worker does. A process of its own."""
    _set_up()
    from kinward.ledger.running import keep_sequencing

    ready.set()
    keep_sequencing(stop)


def load(count: int, seed: int) -> None:
    """Load so many entries with all that they have, after those of lower seeds. A process."""
    _set_up()
    import msgspec
    from django.db import connection

    from kinward.ledger.authenticity import mac_of
    from kinward.ledger.leaves import commit, committed_data

    chance, at = random.Random(seed), datetime.now(UTC)
    with connection.cursor() as cursor, cursor.copy(INTO) as copy:
        for number in range(FIRST + seed * count, FIRST + (seed + 1) * count):
            salts = [chance.randbytes(32) for _ in range(3)]
            actor, subject = "system:bench", f"case:{seed}-{number // 10}"
            data = {"account": f"member-{number}"}
            told = committed_data(at, data)
            values = (("actor", actor), ("subject", subject), ("data", told))
            commitments = [commit(*value, salt) for value, salt in zip(values, salts, strict=True)]
            seal = mac_of(number, told["at"], "case.opened", *commitments)
            text = msgspec.json.encode(data).decode()
            copy.write_row(
                (number, at, "case.opened", actor, subject, text, *salts, *commitments, seal)
            )


def together(work: Callable[..., Any], *arguments: tuple[Any, ...]) -> None:
    processes = [_spawn(work, *given) for given in arguments]
    for process in processes:
        process.join()


def _spawn(work: Callable[..., Any], *given: Any) -> Any:
    process = multiprocessing.get_context("spawn").Process(target=work, args=given)
    process.start()
    return process


def round_of(
    way: str, size: int, seconds: float, watch: Callable[[], None], pace: float = 0
) -> float:
    """Let all write for some seconds, and watch from when they begin; return entries a second.

    `pace`: entries a second of all writers together, 0 for as many as they can.
    """
    context = multiprocessing.get_context("spawn")
    begin, counts = context.Barrier(WRITERS + 1), context.Queue()
    each = (way, size, seconds, pace / WRITERS, begin, counts)
    writers = [_spawn(write, *each) for _ in range(WRITERS)]
    begin.wait()
    watch()
    for writer in writers:
        writer.join()
    rate: float = sum(counts.get() for _ in range(WRITERS)) / seconds
    _print_rate(f"{way}, {size} a transaction", rate)
    return rate


def watch_delay(stop: threading.Event, delays: list[float]) -> None:
    """Write an entry every so often, and wait until it has its place."""
    from django.db import connection, transaction

    from kinward.ledger import kinds
    from kinward.ledger.models import Entry, Leaf

    record = _today()
    while not stop.is_set():
        subject = f"probe:{len(delays)}"
        with transaction.atomic():
            record(subject, kinds.CaseOpened(account="probe"))
        began = time.perf_counter()
        number = Entry.objects.filter(subject=subject).latest("seq").seq
        while not Leaf.objects.filter(entry_id=number).exists():
            time.sleep(0.02)
        delays.append(time.perf_counter() - began)
    connection.close()


def prove_over_http() -> None:
    """Prove random leaves as a stranger does, from the checkpoint and the tiles alone.

    It keeps the tiles that it has, as Go's client does: the top of the tree is asked for once.
    """
    from http.client import HTTPConnection  # as fast as the client of a witness

    from kinward.cli.roles import serve_command
    from kinward.ledger.checkpoints import parse_checkpoint
    from kinward.ledger.merkle import prove_inclusion, verify_inclusion
    from kinward.ledger.models import Leaf
    from kinward.ledger.notes import parse_note
    from kinward.ledger.tiles import Tile, TileReader

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(serve_command(["gate"], port))
    try:
        _wait_for(port)
        http = HTTPConnection("127.0.0.1", port)

        def get(path: str) -> bytes:
            http.request("GET", f"/transparency/{path}")
            return http.getresponse().read()

        shown = parse_checkpoint(parse_note(get("checkpoint")).text)
        seconds, kept = list[float](), dict[str, bytes]()

        def tile_of(tile: Tile) -> bytes:
            if tile.path not in kept:
                kept[tile.path] = get(tile.path)
            return kept[tile.path]

        for _ in range(PROOFS):
            index = random.randrange(shown.size)
            leaf = bytes(Leaf.objects.get(index=index).hash)
            began = time.perf_counter()
            proof = prove_inclusion(index, shown.size, TileReader(shown.size, tile_of))
            seconds.append(time.perf_counter() - began)
            verify_inclusion(leaf, index, shown.size, proof, shown.root)
    finally:
        server.terminate()
        server.wait()
    _print("inclusion proof over HTTP", seconds)


def verify_offline() -> None:
    """Export the log with all that entries say, and verify it with the file that lies beside it."""
    import psutil

    from kinward.ledger.exporting import export_log
    from kinward.ledger.models import Log

    folder, log = Path(DIRECTORY) / "export", Log.objects.get()
    began = time.perf_counter()
    export_log(folder, opened=True, progress=lambda done: None)
    _print_rate("export", log.signed_size / (time.perf_counter() - began))
    policy = Path(DIRECTORY) / "policy"
    policy.write_text(f"log {log.vkey}\nquorum none\n")
    began, most = time.perf_counter(), 0
    arguments = [sys.executable, "verify.py", ".", "--policy", str(policy), "--quiet"]
    with psutil.Popen(arguments, cwd=folder) as verifying:
        while verifying.poll() is None:
            with suppress(psutil.NoSuchProcess):
                family = [verifying, *verifying.children(recursive=True)]
                most = max(most, sum(process.memory_full_info().pss for process in family))
            time.sleep(0.1)
    if verifying.returncode:
        raise SystemExit("the export does not verify")
    _print_rate("offline verification", log.signed_size / (time.perf_counter() - began))
    print(f"{'':34} {most / 2**20:,.0f} MB at most, of all its processes")


def _print_rate(name: str, rate: float) -> None:
    print(f"{name:34} {rate:9,.0f} entries a second", flush=True)


def _wait_for(port: int) -> None:
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise SystemExit("the gate did not start")


def _print(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    worst = ordered[int(len(ordered) * 0.99)]
    middle = statistics.median(ordered)
    print(f"{name:34} p50 {middle * 1e3:7.1f} ms, p99 {worst * 1e3:7.1f} ms of {len(ordered)}")


def main(count: int, seconds: float) -> None:
    from kinward.cli import postgres
    from kinward.cli.first_run import make_secrets, migrate

    make_secrets()
    server, _ = postgres.start()
    atexit.register(server.stop)
    _set_up()
    migrate()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(CHAIN)
    loaders = os.cpu_count() or 1
    together(load, *[(count // loaders, seed) for seed in range(loaders)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('ledger_entry_seq_seq', %s)", [FIRST + count])
    from kinward.ledger.sequencing import sequence_all

    began = time.perf_counter()
    appended = sequence_all()
    took = time.perf_counter() - began
    print(f"{appended:,} entries loaded, and sequenced at {appended / took:,.0f} a second")
    with connection.cursor() as cursor:  # as in a database that grew by and by
        cursor.execute("VACUUM (ANALYZE) ledger_entry, ledger_leaf, ledger_tile")
        cursor.execute("CHECKPOINT")
    for size, pace in ((5, 0), (50, 0), (5, PACE)):
        former = 0.0 if pace else round_of(FORMER, size, seconds, lambda: None)
        context, delays = multiprocessing.get_context("spawn"), list[float]()
        ready, stop, enough = context.Event(), context.Event(), threading.Event()
        sequencer = _spawn(sequence, ready, stop)
        ready.wait()
        watcher = threading.Thread(target=watch_delay, args=[enough, delays])
        rate = round_of(NOW, size, seconds * (3 if pace else 1), watcher.start, pace)
        enough.set()
        watcher.join()
        stop.set()
        sequencer.join()
        if former:
            print(f"{'':34} {rate / former:.1f} times the former chain")
        _print("merge delay", delays)
    sequence_all()
    from kinward.ledger.signing import publish_checkpoint

    time.sleep(1.1)
    publish_checkpoint()
    prove_over_http()
    verify_offline()


if __name__ == "__main__":
    given = [float(argument) for argument in sys.argv[1:]]
    main(int(given[0]) if given else 100_000, given[1] if len(given) > 1 else 10.0)
