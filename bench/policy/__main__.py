"""Policy: our engine compared with Cedar, Rego and CEL, and over HTTP with django-ninja."""

import os
import random
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from bench.http import rate, request, serve
from bench.policy.questions import Question, questions
from bench.policy.rules import cedar, cedar_batch, cel, kinward, plain, rego
from kinward.access.actor import Actor
from kinward.policy.ages import AgeRange
from kinward.policy.engine import decide
from kinward.policy.population import generate_people
from kinward.policy.question import Person
from kinward.policy.signed import load_pack
from kinward.policy.simulate import simulate_change

SECONDS = 3.0
ACCOUNTS = 10_000_000
BATCH = 10_000
KNOWN = 1_000


def per_second(ask: Callable[[Any], bool], prepared: list[Any]) -> float:
    """Return decisions a second: the median of rounds over questions in the engine's own form."""
    for question in prepared[:200]:
        ask(question)
    rates: list[float] = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or not rates:
        began = time.perf_counter()
        for question in prepared:
            ask(question)
        rates.append(len(prepared) / (time.perf_counter() - began))
    return statistics.median(rates)


def in_process() -> None:
    print("Eight rules, one thread, decisions a second (all agree on every question asked):")
    asked = questions(50_000)
    expected = [plain(question) for question in asked]
    engines = {
        "Kinward, with reasons": (kinward(), len(asked)),
        "cedarpy": (cedar(parsed=False), 1000),
        "cedarpy, parsed before": (cedar(parsed=True), 10_000),
        "cel-python": (cel(), 500),
        "regopy": (rego(), 500),
    }
    ours = 0.0
    for name, ((prepare, ask), size) in engines.items():
        prepared = [prepare(question) for question in asked[:size]]
        assert [ask(question) for question in prepared] == expected[:size], name
        rate_of_engine = per_second(ask, prepared)
        ours = ours or rate_of_engine
        print(f"  {name:<26} {rate_of_engine:>12,.0f}   {ours / rate_of_engine:>8,.1f}x")
    batch = cedar_batch(asked[:5000])
    assert batch() == expected[:5000]
    began = time.perf_counter()
    batch()
    batched = 5000 / (time.perf_counter() - began)
    print(f"  {'cedarpy, batched':<26} {batched:>12,.0f}   {ours / batched:>8,.1f}x")


def whole_pack() -> None:
    pack = load_pack("teen-accounts")
    chosen = random.Random(1)
    names = list(pack.capabilities)
    places = ("", "DE", "FR", "US-CA", "US-VA", "GB", "BR", "IN")
    ages = [AgeRange(age, age + chosen.choice((1, 1, 1, 3)), "bench") for age in range(10, 70)]
    people = [Person(chosen.choice(ages), chosen.choice(places)) for _ in range(20_000)]
    asked = [(chosen.choice(names), chosen.choice(people)) for _ in range(500_000)]
    for name, person in asked:
        decide(pack, name, person)
    began = time.perf_counter()
    for name, person in asked:
        decide(pack, name, person)
    decisions = len(asked) / (time.perf_counter() - began)
    print(f"  {'teen-accounts, all of it':<26} {decisions:>12,.0f}")


def population() -> None:
    before, after = load_pack("tiktok-2021"), load_pack("teen-accounts")
    began = time.perf_counter()
    change = simulate_change(before.ruling, after.ruling, generate_people(ACCOUNTS))
    took = time.perf_counter() - began
    print(
        f"\nSimulation: {change.accounts:,} generated accounts, {len(before.capabilities)} "
        f"capabilities, two packs: {took:.2f} s"
    )


def over_http(directory: Path) -> None:
    """Compare over HTTP. Kinward answers with all rules of its first pack and all overlays."""
    os.environ["KINWARD_DATA_DIR"] = str(directory)
    from kinward.cli.up import start_ground

    stop = start_ground()
    from kinward.access.services import create_key
    from kinward.cli.first_run import migrate
    from kinward.people.services import Profile, put_account

    migrate()
    key = create_key(name="bench", scopes=frozenset({"policy:decide"}), actor=Actor.system("bench"))
    for number in range(KNOWN):
        age = AgeRange(13 + number % 40, 14 + number % 40)
        put_account(platform_id=f"m{number}", profile=Profile(age=age, jurisdiction="DE"))
    ports = [free_port() for _ in range(2)]
    servers = [
        serve(
            "asgi",
            "kinward.project.asgi:application",
            ports[0],
            os.environ | {"KINWARD_PORT": str(ports[0])},
        ),
        serve("wsgi", "bench.policy.ninja_app:application", ports[1], dict(os.environ)),
    ]
    try:
        asked = questions(2000)
        ours = [request("/v1/decide", ours_body(question), key) for question in asked]
        theirs = [
            request("/decide", msgspec.json.encode(question.attributes())) for question in asked
        ]
        print("\nOver HTTP, one worker, answers a second:")
        our_rate, their_rate = rate(ports[0], ours), rate(ports[1], theirs)
        print(f"  {'Kinward /v1/decide':<26} {our_rate:>12,.0f}")
        print(f"  {'django-ninja':<26} {their_rate:>12,.0f}   {our_rate / their_rate:>8,.1f}x")
        known = [
            msgspec.json.encode({"capability": question.capability, "actor": {"id": f"m{number}"}})
            for number, question in enumerate(questions(KNOWN))
        ]
        by_id = rate(ports[0], [request("/v1/decide", body, key) for body in known])
        print(f"  {'/v1/decide, by account':<26} {by_id:>12,.0f}")
        many = questions(BATCH)
        body = b'{"questions":[' + b",".join(map(ours_body, many)) + b"]}"
        batches = rate(ports[0], [request("/v1/decide/batch", body, key)], connections=2)
        print(f"  {'/v1/decide/batch':<26} {batches * BATCH:>12,.0f} decisions")
    finally:
        for server in servers:
            server.terminate()
            server.wait()
        stop()


def ours_body(question: Question) -> bytes:
    return msgspec.json.encode(
        {
            "capability": question.capability,
            "actor": {"age": [question.age, question.age + 1], "jurisdiction": question.place},
            "target": {"age": [question.other_age, question.other_age + 1]},
            "relationship": question.relationship,
        }
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    in_process()
    whole_pack()
    population()
    directory = Path(tempfile.mkdtemp(prefix="kinward-bench-"))
    directory.chmod(0o755)
    try:
        over_http(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
