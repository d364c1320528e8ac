"""`make doors`: strangers at every door at once, and what those who behave see of it.

Quiet is measured first, then the same under load, on the same machine in the same run. Exit status
1 if a bound is not kept. `--small` is a tenth of the load.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
from django.urls import get_resolver

from tests.story.conftest import Demo
from tests.support import wire

QUIET_SECONDS: Final = 20
LOADED_SECONDS: Final = 60
DECIDE_FACTOR, PICTURE_SECONDS, CONSOLE_SECONDS = 3.0, 2.0, 1.0
EXAMPLES: Final = {"uuid": "0198a6c4-0000-7000-8000-000000000000", "int": "7"}


FULL: Final = {"idle": 2000, "slow": 500, "bodies": 100, "films": 50}


@contextlib.contextmanager
def demo() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory(prefix="kinward-doors-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "tmp").mkdir(mode=0o777)
        started = Demo(directory, TMPDIR=str(directory / "tmp"))
        started.start()
        try:
            yield started
        finally:
            started.stop()


def addresses(patterns: Any = None, before: str = "/") -> Iterator[str]:
    """Each address of the pages, with an example in the place of a parameter."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from addresses(pattern.url_patterns, route)
        else:
            yield re.sub(r"<(\w+):\w+>", lambda kind: EXAMPLES.get(kind[1], "word"), route)


def sign_in(demo: Demo, name: str = "sasha") -> dict[str, str]:
    """Return the cookies of a member of the staff."""
    with httpx.Client(
        base_url=demo.console, follow_redirects=True, trust_env=False, timeout=60
    ) as http:
        page = http.get("/account/login/")
        page = _sent(http, page, login=name, password=demo.secret("demo_password"))
        page = _sent(http, page, code=demo.kinward("demo", "code", name).stdout.strip())
        assert "Queue" in page.text
        return dict(http.cookies)


def _sent(http: httpx.Client, page: httpx.Response, **fields: str) -> httpx.Response:
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None, page.text
    return http.post(page.url, data={"csrfmiddlewaretoken": token[1], **fields})


def film() -> bytes:
    """A small film that takes long to decode: a large picture that hardly changes."""
    from tests.support import videos

    return videos.encode([1, 2], size=(1280, 720), seconds=20, rate=25, bits=20_000)


def start(module: str, demo: Demo, chosen: dict[str, Any]) -> subprocess.Popen[str]:
    """Start a process of this package that reads what is chosen."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.doors.{module}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"KINWARD_DATA_DIR": str(demo.directory)},
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(chosen) + "\n")
    process.stdin.flush()
    return process


def result_of(process: subprocess.Popen[str]) -> Any:
    """End the input of a process and return what it writes."""
    output, _ = process.communicate()
    return json.loads(output)


def ports(demo: Demo) -> dict[str, int]:
    return {"gate": demo.port, "console": demo.port + 3, "pages": demo.port + 4}


def run(demo: Demo, size: dict[str, int]) -> bool:
    """Measure quiet and loaded; returns whether every bound was kept."""
    for account in ("quiet-member", "films", *(f"slow-{number}" for number in range(size["slow"]))):
        _register(demo, account)
    key = demo.secret("demo_api_key")
    ours = {"ports": ports(demo), "key": key, "cookies": sign_in(demo)}
    result_of(start("measure", demo, ours | {"seconds": 5}))  # warm
    quiet = result_of(start("measure", demo, ours | {"seconds": QUIET_SECONDS}))
    marked = wire.marker()
    crowd = start("crowd", demo, _strangers(demo, size, marked))
    time.sleep(10)
    load, unlinked = _watched(demo, start("measure", demo, ours | {"seconds": LOADED_SECONDS}))
    assert demo.process is not None
    _print_memory(psutil.Process(demo.process.pid))
    for answer, count in Counter(result_of(crowd)).most_common(40):
        print(f"  {count:6} x {answer}")
    where = [demo.directory / name for name in ("tmp", "logs", "postgres")]
    where += [Path("/var/tmp"), Path("/dev/shm")]  # noqa: S108
    written = [str(path) for path in wire.files_with(marked, *where)]
    return _judge(quiet, load, sorted(unlinked) + written)


def _strangers(demo: Demo, size: dict[str, int], marked: bytes) -> dict[str, Any]:
    costly = demo.directory / "film.mp4"
    costly.write_bytes(film())
    print(f"a film has {costly.stat().st_size:,} bytes", flush=True)
    every = list(addresses())
    public = [address for address in every if address.startswith(("/family", "/safety"))]
    return {
        "ports": ports(demo),
        "key": _key(demo, "slow"),
        "size": size,
        "marker": marked.decode(),
        "film": str(costly),
        "addresses": {"pages": public, "console": [one for one in every if one not in public]},
    }


def _watched(demo: Demo, measuring: subprocess.Popen[str]) -> tuple[Any, set[str]]:
    """Look for open files without a name while it is measured."""
    assert demo.process is not None
    process, unlinked = psutil.Process(demo.process.pid), set()
    with ThreadPoolExecutor() as thread:
        result = thread.submit(result_of, measuring)
        while not result.done():
            unlinked |= set(wire.unlinked_files(process))
            time.sleep(1)
    return result.result(), unlinked


def _register(demo: Demo, account: str) -> None:
    httpx.put(
        f"{demo.console}/v1/accounts/{account}",
        json={"age": {"lower": 30, "upper": 31}},
        headers={"authorization": f"Bearer {demo.secret('demo_api_key')}"},
        trust_env=False,
        timeout=60,
    ).raise_for_status()


def _key(demo: Demo, name: str) -> str:
    purposes = ("--for", "gate", "--for", "portal", "--for", "reports", "--for", "actions")
    return demo.kinward("key", "create", name, *purposes).stdout.strip()


def _print_memory(process: psutil.Process) -> None:
    print("memory, in MiB (proportional set size):")
    for one in wire.family(process):
        with contextlib.suppress(psutil.Error):
            what = " ".join(one.cmdline()[1:])
            print(f"  {one.memory_full_info().pss / 2**20:6.0f}  {what[:100]}")


def p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] if len(seconds) > 1 else seconds[0]


def _judge(quiet: Any, load: Any, written: list[str]) -> bool:
    print(f"{'':10}{'quiet p50':>12}{'p99':>10}{'loaded p50':>12}{'p99':>10}{'max':>10}  answers")
    for name in quiet:
        before, (seconds, answers) = quiet[name][0], load[name]
        figures = (statistics.median(before), p99(before), statistics.median(seconds), p99(seconds))
        row = "".join(f"{1000 * value:11.1f}" for value in (*figures, max(seconds)))
        print(f"{name:10}{row}  {answers}")
    decide, calm = p99(load["decide"][0]), p99(quiet["decide"][0])
    checks = {
        f"decide p99 is {decide / calm:.1f} times its quiet value": decide <= DECIDE_FACTOR * calm,
        f"a picture took {max(load['picture'][0]):.2f} s at most": max(load["picture"][0])
        <= PICTURE_SECONDS,
        f"the console took {max(load['console'][0]):.2f} s at most": max(load["console"][0])
        <= CONSOLE_SECONDS,
        "nobody below their share was refused": all(
            set(answers) == {"200"} for _, answers in (*quiet.values(), *load.values())
        ),
        f"{len(written)} files with a byte of what was sent {written[:5]}": not written,
    }
    for sentence, kept in checks.items():
        print(f"{'kept    ' if kept else 'NOT KEPT'} {sentence}")
    return all(checks.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the load")
    parser.add_argument("--only", choices=sorted(FULL), help="one kind of stranger")
    chosen = parser.parse_args()
    share = 0.1 if chosen.small else 1.0
    size = {
        kind: int(count * share) if chosen.only in {None, kind} else 0
        for kind, count in FULL.items()
    }
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with demo() as started:
        kept = run(started, size)
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "kinward.project.settings"
    django.setup()
    main()
