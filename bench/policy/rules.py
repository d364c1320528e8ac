"""Eight rules, written five times: as our pack, in Cedar, Rego, CEL, and plain Python.

1. Nobody under 13 joins. 2. Nobody under 13 does anything else. 3. No messages before 16. 4. No
messages from a minor to an adult stranger. 5. No livestream before 16. 6. Not discoverable before
16. 7. In Germany no personalised feed before 16. 8. In Australia no account before 16. Besides,
no messages where one person has blocked the other.
"""

from collections.abc import Callable
from typing import Any

from bench.policy.questions import Question
from kinward.policy.ages import AgeRange
from kinward.policy.engine import decide
from kinward.policy.question import Person
from kinward.policy.signed import load_pack

PACK = """
name = "eight"
version = "1"
date = 2026-11-21
overlays = ["DE", "AU"]

[[rule]]
id = "join"
capability = "account.join"
age = [0, 13]
default = "deny"
source = "bench"

[[rule]]
id = "young"
capability = ["dm.send", "live.host", "profile.discoverable", "feed.personalised"]
age = [0, 13]
default = "most protective"
source = "bench"

[[rule]]
id = "messages"
capability = "dm.send"
age = [13, 16]
default = "nobody"
source = "bench"

[[rule]]
id = "strangers"
capability = "dm.send"
age = [0, 18]
relationship = ["stranger"]
other_age = [18, 150]
default = "nobody"
source = "bench"

[[rule]]
id = "live"
capability = "live.host"
age = [13, 16]
default = "deny"
source = "bench"

[[rule]]
id = "found"
capability = "profile.discoverable"
age = [13, 16]
default = "deny"
source = "bench"

[[rule]]
id = "everything-else"
capability = [
  "account.join", "dm.send", "dm.receive", "live.host", "profile.discoverable", "feed.personalised",
]
default = "unrestricted"
source = "bench"
"""
OVERLAY = """
title = "bench"
jurisdiction = "{place}"

[[rule]]
id = "{place_lower}"
capability = "{capability}"
age = [0, 16]
default = "deny"
source = "bench"
url = "bench"
from = 2020-01-01
"""

# Prepares a question in an engine's own form, and answers it. Only the answer is timed.
Engine = tuple[Callable[[Question], Any], Callable[[Any], bool]]


def pack_files() -> dict[str, str]:
    def overlay(place: str, capability: str) -> str:
        return OVERLAY.format(place=place, place_lower=place.lower(), capability=capability)

    return {
        "pack.toml": PACK,
        "overlays/DE.toml": overlay("DE", "feed.personalised"),
        "overlays/AU.toml": overlay("AU", "account.join"),
    }


def kinward() -> Engine:
    pack = load_pack(pack_files())
    people = {
        (age, place): Person(AgeRange(age, age + 1), place)
        for age in range(120)
        for place in ("", "DE", "AU", "US")
    }

    def prepare(question: Question) -> tuple[str, Person, Person, str]:
        other = people[question.other_age, ""]
        return (
            question.capability,
            people[question.age, question.place],
            other,
            question.relationship,
        )

    def ask(prepared: tuple[str, Person, Person, str]) -> bool:
        capability, actor, target, relationship = prepared
        decision = decide(pack, capability, actor, target=target, relationship=relationship)
        return decision.effect == "allow"

    return prepare, ask


def plain(question: Question) -> bool:
    capability, age, place, relationship, other_age = question
    if relationship == "blocked" and capability == "dm.send":
        return False
    if age < 13:
        return False
    if capability == "dm.send" and (
        age < 16 or (age < 18 and relationship == "stranger" and other_age >= 18)
    ):
        return False
    if capability in ("live.host", "profile.discoverable") and age < 16:
        return False
    if capability == "feed.personalised" and place == "DE" and age < 16:
        return False
    return not (capability == "account.join" and place == "AU" and age < 16)


CEDAR = """
permit(principal, action, resource);
forbid(principal, action, resource) when { context.age < 13 };
forbid(principal, action == Action::"dm.send", resource) when { context.age < 16 };
forbid(principal, action == Action::"dm.send", resource)
  when { context.age < 18 && context.relationship == "stranger" && context.other_age >= 18 };
forbid(principal, action == Action::"live.host", resource) when { context.age < 16 };
forbid(principal, action == Action::"profile.discoverable", resource) when { context.age < 16 };
forbid(principal, action == Action::"feed.personalised", resource)
  when { context.place == "DE" && context.age < 16 };
forbid(principal, action == Action::"account.join", resource)
  when { context.place == "AU" && context.age < 16 };
forbid(principal, action == Action::"dm.send", resource) when { context.relationship == "blocked" };
"""


def cedar_request(question: Question) -> dict[str, Any]:
    return {
        "principal": 'Account::"a"',
        "action": f'Action::"{question.capability}"',
        "resource": 'Account::"b"',
        "context": {
            "age": question.age,
            "place": question.place,
            "relationship": question.relationship,
            "other_age": question.other_age,
        },
    }


def cedar(*, parsed: bool) -> Engine:
    import cedarpy

    policies: Any = cedarpy.PolicySet.from_str(CEDAR) if parsed else CEDAR
    entities: Any = cedarpy.Entities.from_json_str("[]") if parsed else []

    def ask(request: dict[str, Any]) -> bool:
        return bool(cedarpy.is_authorized(request, policies, entities).allowed)

    return cedar_request, ask


def cedar_batch(asked: list[Question]) -> Callable[[], list[bool]]:
    import cedarpy

    policies = cedarpy.PolicySet.from_str(CEDAR)
    entities = cedarpy.Entities.from_json_str("[]")
    requests = [cedar_request(question) for question in asked]

    def ask() -> list[bool]:
        results = cedarpy.is_authorized_batch(requests, policies, entities)
        return [bool(result.allowed) for result in results]

    return ask


REGO = """
package eight
import rego.v1

deny contains "young" if input.age < 13
deny contains "messages" if { input.capability == "dm.send"; input.age < 16 }
deny contains "strangers" if {
    input.capability == "dm.send"; input.age < 18
    input.relationship == "stranger"; input.other_age >= 18
}
deny contains "live" if { input.capability == "live.host"; input.age < 16 }
deny contains "found" if { input.capability == "profile.discoverable"; input.age < 16 }
deny contains "de" if {
    input.capability == "feed.personalised"; input.place == "DE"; input.age < 16
}
deny contains "au" if { input.capability == "account.join"; input.place == "AU"; input.age < 16 }
deny contains "blocked" if { input.capability == "dm.send"; input.relationship == "blocked" }
allow if count(deny) == 0
"""


def rego() -> Engine:
    from regopy import Input, Interpreter

    interpreter = Interpreter()
    interpreter.add_module("eight", REGO)

    def ask(question: Input) -> bool:
        interpreter.set_input(question)
        return "true" in str(interpreter.query("data.eight.allow"))

    return lambda question: Input(question.attributes()), ask


CEL = """
!(age < 13
  || capability == "dm.send" && (age < 16 || relationship == "blocked"
       || age < 18 && relationship == "stranger" && other_age >= 18)
  || capability == "live.host" && age < 16
  || capability == "profile.discoverable" && age < 16
  || capability == "feed.personalised" && place == "DE" && age < 16
  || capability == "account.join" && place == "AU" && age < 16)
"""


def cel() -> Engine:
    import celpy

    environment = celpy.Environment()
    program = environment.program(environment.compile(CEL))

    def ask(activation: Any) -> bool:
        return bool(program.evaluate(activation))

    return lambda question: celpy.json_to_cel(question.attributes()), ask
