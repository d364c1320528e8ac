"""Retro-matching at scale: new hashes against uploaded content, killed half-way and resumed.

    python bench/retro.py [uploaded [new]]

Runs in its own PostgreSQL, in a directory that is removed afterwards. The uploaded content is
random records, with some checks planted near new hashes. The time is that of
`kinward match retro`, including its work before it was killed.
"""

import atexit
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from uuid import UUID

import numpy as np

PLANTED = 200
DIRECTORY = tempfile.mkdtemp(prefix="kinward-bench-")
atexit.register(shutil.rmtree, DIRECTORY, ignore_errors=True)  # after the server has stopped
os.environ["KINWARD_DATA_DIR"] = DIRECTORY


def fill(uploaded: int, new: int) -> set[UUID]:
    """Store random records, some of them planted, and bank new hashes. Returns planted checks."""
    from django.utils import timezone

    from kinward.access.actor import Actor
    from kinward.matching.hashlists import ListedHash
    from kinward.matching.kinds import Pdq
    from kinward.matching.models import Check, HeldBlock, RetroRun
    from kinward.matching.retro import BLOCK
    from kinward.matching.services import add_hashes, create_bank
    from kinward.matching.uploaded import CURRENT, record_type
    from kinward.people.services import Profile, put_account

    rng, record = np.random.default_rng(5), record_type(CURRENT)
    listed = rng.integers(0, 256, (new, 32), dtype=np.uint8)
    account, *_ = put_account(platform_id="bench", profile=Profile())
    planted: dict[int, Check] = {}
    for place in rng.choice(uploaded, PLANTED, replace=False).tolist():
        near = listed[rng.integers(0, new)].copy()
        for bit in rng.choice(256, rng.integers(0, 32), replace=False):
            near[bit // 8] ^= np.uint8(1 << (bit % 8))
        planted[place] = Check.objects.create(
            account=account,
            content_id=f"upload-{place}",
            signature=near.tobytes(),
            signature_kind=Pdq.name,
            quality=100,
            uploaded_at=timezone.now(),
            matched=False,
        )
    for first in range(0, uploaded, BLOCK):
        count = min(BLOCK, uploaded - first)
        records = np.frombuffer(rng.bytes(count * record.itemsize), dtype=record).copy()
        for kind in ("md5", "sha1", "sha256"):
            records[kind] = 0
        for place in range(first, first + count):
            if check := planted.get(place):
                records[place - first]["pdq"] = np.frombuffer(check.signature, np.uint8)
                records[place - first]["check"] = np.frombuffer(check.pk.bytes, np.uint8)
        HeldBlock.objects.create(format=CURRENT, count=count, records=records.tobytes())
        print(f"\r{first + count:,} uploaded", end="", flush=True)
    print()
    bank = create_bank(name="new", confidence="unverified", actor=Actor.system("bench"))
    hashes = [ListedHash(Pdq.name, value.tobytes()) for value in listed]
    add_hashes(bank=bank, hashes=hashes, provenance="bench", actor=Actor.system("bench"))
    RetroRun.objects.all().delete()
    return {check.pk for check in planted.values()}


def command(*more: str) -> list[str]:
    return [sys.executable, "-m", "kinward", "match", "retro", *more]


def run_killed_half_way(uploaded: int) -> float:
    """Run the command, kill it half-way and run it again. Returns the seconds of both runs."""
    from kinward.matching.models import RetroRun

    began = time.perf_counter()
    first = subprocess.Popen(command(), stderr=subprocess.DEVNULL)
    while (run := RetroRun.objects.first()) is None or run.held < uploaded / 2:
        assert first.poll() is None, "it ended before half of it was done"
        time.sleep(0.2)
    first.kill()
    first.wait()
    killed = time.perf_counter() - began
    print(f"killed after {killed:.0f} s at {run.held:,}", flush=True)
    began = time.perf_counter()
    subprocess.run(command(), stderr=subprocess.DEVNULL, check=True)
    return killed + time.perf_counter() - began


def count_findings() -> Counter[UUID]:
    """Count the findings of each check."""
    from kinward.casebook.models import Finding

    return Counter(Finding.objects.values_list("check_made", flat=True))


def main() -> None:
    uploaded = int(float(sys.argv[1])) if len(sys.argv) > 1 else 5_000_000
    new = int(float(sys.argv[2])) if len(sys.argv) > 2 else 100_000
    from kinward.cli.first_run import make_secrets, migrate
    from kinward.cli.main import set_up_django

    make_secrets()
    set_up_django()
    migrate()
    planted = fill(uploaded, new)
    seconds = run_killed_half_way(uploaded)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    findings = count_findings()
    once = findings == Counter(planted)
    print(f"{new:,} new against {uploaded:,} uploaded: {seconds:.0f} s on {os.cpu_count()} cores,")
    print(f"at most {peak:.1f} GB; found {len(findings)} of {len(planted)}, each once: {once}")
    assert once


if __name__ == "__main__":
    main()
