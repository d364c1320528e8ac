"""What those who behave see meanwhile, measured in a process of its own.

`python -m tests.doors.measure` reads one JSON document with addresses and secrets, measures for as
long as it says, and writes one JSON document with seconds and answers.
"""

import json
import sys
import threading
import time
from collections import Counter
from typing import Any

import httpx

from kinward.demo import draw, encode

QUESTION = {"capability": "live.watch", "actor": {"age": [30, 31]}}
DECISIONS = 40.0  # a second


class Caller(threading.Thread):
    """Does something at a steady pace, and notes how long it took and what the answer was."""

    def __init__(self, chosen: dict[str, Any], pace: float) -> None:
        super().__init__()
        self.chosen, self.pace = chosen, pace
        self.seconds: list[float] = []
        self.answers: Counter[str] = Counter()
        self.http = httpx.Client(trust_env=False, timeout=60, cookies=chosen["cookies"])

    def run(self) -> None:
        end = time.monotonic() + self.chosen["seconds"]
        number = 0
        while (began := time.monotonic()) < end:
            number += 1
            try:
                self.answers[str(self.call(number).status_code)] += 1
            except httpx.HTTPError as error:
                self.answers[type(error).__name__] += 1
            took = time.monotonic() - began
            self.seconds.append(took)
            time.sleep(max(0.0, 1 / self.pace - took))

    def call(self, number: int) -> httpx.Response:
        raise NotImplementedError

    def at(self, door: str) -> str:
        return f"http://127.0.0.1:{self.chosen['ports'][door]}"

    @property
    def authorized(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.chosen['key']}"}


class Decides(Caller):
    def call(self, number: int) -> httpx.Response:
        url = f"{self.at('gate')}/v1/decide"
        return self.http.post(url, json=QUESTION, headers=self.authorized)


class Uploads(Caller):
    def call(self, number: int) -> httpx.Response:
        file = encode(draw(70_000 + number).resize((640, 480)), "JPEG", quality=80)
        fields = {"account_id": "quiet-member", "content_id": f"picture-{number}"}
        url = f"{self.at('gate')}/v1/media"
        return self.http.post(url, data=fields, files={"file": file}, headers=self.authorized)


class Opens(Caller):
    def call(self, number: int) -> httpx.Response:
        return self.http.get(f"{self.at('console')}/queue")


class Reads(Caller):
    def call(self, number: int) -> httpx.Response:
        return self.http.get(f"{self.at('pages')}/safety/en")


def main() -> None:
    chosen = json.loads(sys.stdin.readline())
    callers = {
        "decide": Decides(chosen, DECISIONS),
        "picture": Uploads(chosen, 0.5),
        "console": Opens(chosen, 0.5),
        "page": Reads(chosen, 0.5),
    }
    for caller in callers.values():
        caller.start()
    for caller in callers.values():
        caller.join()
    result = {name: [caller.seconds, caller.answers] for name, caller in callers.items()}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
