"""The docs name everything that there is, and nothing that is not there."""

import ast
import importlib
import importlib.util
import pkgutil
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.machinery import SourceFileLoader
from pathlib import Path

import click
import httpx
import msgspec
import pytest
from babel import Locale
from django.conf import settings
from standardwebhooks.webhooks import Webhook

import kinward
from kinward.access.roles import ROLES
from kinward.cli.doctor import CHECKS
from kinward.cli.main import COMMANDS
from kinward.ground.config import Config
from kinward.ground.errors import KinwardError
from kinward.policy import load_pack
from kinward.reporting.authority import installed_sections
from tests.support import ordinary

REFERENCE = Path("docs/reference")
PAGES = [Path("README.md"), Path("CONTRIBUTING.md"), *sorted(Path("docs").rglob("*.md"))]
TESTS = sorted(Path("tests").rglob("*.py"))
INVENTED = ("locale/pl/",)  # what a change story would create
NUMBERS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def errors(base: type[KinwardError] = KinwardError) -> Iterator[type[KinwardError]]:
    for module in pkgutil.walk_packages(kinward.__path__, "kinward."):
        if not re.search(r"\.(demo|migrations|__main__)\b|project\.", module.name):
            importlib.import_module(module.name)
    found = [base]
    while found:
        error = found.pop()
        found += error.__subclasses__()
        yield error


def test_every_setting_is_explained() -> None:
    named = set(re.findall(r"KINWARD_([A-Z_]+)`", (REFERENCE / "settings.md").read_text()))
    own = {f"KINWARD_{name.upper()}" for name in msgspec.structs.asdict(Config())}
    plugins = {name for kind in installed_sections().values() for name in kind.variables()}
    assert {f"KINWARD_{name}" for name in named} == own | plugins


def test_every_error_is_explained() -> None:
    text = (REFERENCE / "errors.md").read_text()
    listed = dict(re.findall(r"^\| `([a-z_.]+)` \| \d+ \| (.*) \|$", text, re.MULTILINE))
    known = {error.code: (error.__doc__ or "").splitlines()[0] for error in errors()}
    assert listed == known


def test_error_codes_are_one_meaning_each() -> None:
    codes = [error.code for error in errors()]
    assert len(codes) == len(set(codes))


def test_every_command_is_listed() -> None:
    text = (REFERENCE / "commands.md").read_text()
    for name, (where, _, _) in COMMANDS.items():
        module, _, attribute = where.partition(":")
        command = getattr(importlib.import_module(f"kinward.cli.{module}"), attribute)
        assert re.search(rf"`{name}\b", text), name
        for sub in command.commands if isinstance(command, click.Group) else ():
            assert re.search(rf"`[^`]*\b{sub}\b", text), f"{name} {sub}"


def test_every_role_is_listed() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| ", (REFERENCE / "roles.md").read_text(), re.MULTILINE)
    assert set(rows) - {"role"} == set(ROLES)


def test_every_check_of_the_doctor_is_listed() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", (REFERENCE / "doctor.md").read_text(), re.MULTILINE)
    assert rows == list(CHECKS)


def test_every_reason_of_a_decision_is_listed() -> None:
    from kinward.policy.sentences import reason_codes

    text = (REFERENCE / "decisions.md").read_text()
    assert [code for code in reason_codes() if f"`{code}`" not in text] == []


def test_the_page_of_places_is_what_the_pack_says() -> None:
    loader = SourceFileLoader("places", "scripts/places")
    spec = importlib.util.spec_from_loader("places", loader)
    assert spec is not None
    places = importlib.util.module_from_spec(spec)
    loader.exec_module(places)
    text = (REFERENCE / "places.md").read_text()
    assert text == places.page(), "run scripts/places"
    for place in load_pack("teen-accounts").places:
        assert f"\n## {place}\n" in text


def test_every_type_of_webhook_is_listed() -> None:
    from kinward.enforcement.models import Effect

    text = (REFERENCE / "webhooks.md").read_text()
    listed = set(re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", text, re.MULTILINE))
    assert listed == effects_of_the_demo()
    assert {name.partition(".")[2] for name in listed} == set(Effect.values)


def effects_of_the_demo() -> set[str]:
    """Read what the demo carries out; its code cannot be imported under our settings."""
    for node in ast.parse(Path("src/kinward/demo/webhooks.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EFFECTS":
            assert isinstance(node.value, ast.Dict)
            keys = [ast.literal_eval(key) for key in node.value.keys if key is not None]
            return {f"{target}.{effect}" for target, effect in keys}
    raise AssertionError("the demo has no EFFECTS")


def test_the_demo_offers_every_language() -> None:
    from kinward.policy.sentences import LANGUAGES

    for node in ast.parse(Path("src/kinward/demo/views.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LANGUAGES":
            offered = {code for code, _ in ast.literal_eval(node.value)}
            assert offered - {""} == set(LANGUAGES) == set(dict(settings.LANGUAGES))
            return
    raise AssertionError("the demo has no LANGUAGES")


def test_the_page_about_policy_names_every_language() -> None:
    from kinward.policy.sentences import LANGUAGES

    (line,) = re.findall(
        r"a sentence for the person, in (.+)\.", Path("docs/concepts/policy.md").read_text()
    )
    named = sorted(re.split(", | or ", line))
    assert named == sorted(str(Locale(code).get_display_name("en")) for code in LANGUAGES)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_docs_count_the_languages(page: Path) -> None:
    from kinward.policy.sentences import LANGUAGES

    counts = {"": len(LANGUAGES), "corpora in": len(ordinary.LANGUAGES)}
    counted = re.findall(r"(\bcorpora in)?\s(\w+) languages\b", page.read_text())
    wrong = {(of, word) for of, word in counted if word in NUMBERS} - {
        (of, NUMBERS[count]) for of, count in counts.items()
    }
    assert wrong == set()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    check_commands(page.read_text())


def check_commands(text: str) -> None:
    """Fail where a text uses a command or an option that `kinward` does not have."""
    for words in commands_on(text):
        if words[0].startswith("-"):
            continue
        assert words[0] in COMMANDS, words
        module, _, attribute = COMMANDS[words[0]][0].partition(":")
        command = getattr(importlib.import_module(f"kinward.cli.{module}"), attribute)
        rest = words[1:]
        if isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            assert rest[0] in command.commands, words
            command = command.commands[rest[0]]
        known = {"--help", *(name for option in command.params for name in option.opts)}
        used = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert used <= known, words


def commands_on(text: str) -> Iterator[list[str]]:
    """Yield the words after `kinward` of each command in a block for the terminal."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in re.findall(r"(?:^|\$\(|bin/)kinward ([^\n>)]+)", block, re.MULTILINE):
            yield shlex.split(line)


def test_a_command_that_is_none_would_be_noticed() -> None:
    page = "```console\nexport A=1\nkinward bank fill x --quickly\n```\n"
    assert list(commands_on(page)) == [["bank", "fill", "x", "--quickly"]]
    with pytest.raises(AssertionError):
        check_commands(page)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_test_and_path_on_a_page_exists(page: Path) -> None:
    text = page.read_text()
    files = {path.name for path in TESTS}
    assert set(re.findall(r"`(test_\w+\.py)`", text)) - files == set()
    functions = {name for path in TESTS for name in re.findall(r"def (test_\w+)", path.read_text())}
    assert set(re.findall(r"`(test_\w+)`", text)) - functions == set()
    root = Path("src/kinward") if page.parent.name == "contributing" else Path()
    for name in re.findall(r"`((?:[a-z_]+/)+[\w.-]*)`", text):
        if name.split("/")[0] in ("docs", "tests", "scripts", "src"):
            assert Path(name).exists(), name
        elif root != Path() and name not in INVENTED:
            assert (root / name).exists(), name


def test_every_page_is_in_the_navigation() -> None:
    navigation = Path("mkdocs.yml").read_text()
    pages = [path.relative_to("docs").as_posix() for path in Path("docs").rglob("*.md")]
    assert [page for page in pages if f" {page}\n" not in navigation] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_python_on_a_page_can_be_read(page: Path) -> None:
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        ast.parse(block if not block.startswith(('"trainee"',)) else f"{{{block}}}")


def test_pages_that_the_code_names_exist() -> None:
    for path in sorted(Path("src").rglob("*.py")):
        for name in re.findall(r"\bdocs/[\w/-]+\.md", path.read_text()):
            assert Path(name).exists(), f"{path}: {name}"


def test_the_receiver_of_the_tutorial_keeps_its_three_rules(tmp_path: Path) -> None:
    text = Path("docs/tutorial/connect-your-app.md").read_text()
    (block,) = re.findall(r"^```python\n(\"\"\"A receiver.*?)^```", text, re.MULTILINE | re.DOTALL)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "receiver.py").write_text(block.replace("9000", str(port)))
    secret = tmp_path / "kinward-data" / "secrets" / "webhook_secret"
    secret.parent.mkdir(parents=True)
    secret.write_text("whsec_" + "A" * 32)
    command = [sys.executable, "-u", "receiver.py"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as receiver:
        try:
            printed = [
                deliver(port, "one", 7, signed=False),
                deliver(port, "one", 7),
                deliver(port, "one", 7),
                deliver(port, "two", 6),
                deliver(port, "three", 5, target="notice"),
                deliver(port, "four", 4, target="notice"),
            ]
        finally:
            receiver.terminate()
        assert receiver.stdout is not None
        lines = receiver.stdout.read().split("\n")
    assert printed == [401, 200, 200, 200, 200, 200]
    assert [line.split()[:2] for line in lines if line] == [
        ["suspend", "account"],
        ["suspend", "notice"],
        ["suspend", "notice"],
    ]


def deliver(
    port: int, action_id: str, number: int, *, target: str = "account", signed: bool = True
) -> int:
    """Post one action to a receiver on this machine, as Kinward would; returns the status."""
    data = {"action_id": action_id, "number": number, "target": target, "effect": "suspend"}
    body = msgspec.json.encode({"data": data | {"account_id": "member-17", "content_id": None}})
    now = datetime.now(UTC)
    signature = Webhook("whsec_" + "A" * 32).sign(action_id, now, body.decode())
    headers = {
        "webhook-id": action_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature if signed else "v1,AAAA",
    }
    deadline = time.monotonic() + 20
    while True:
        try:
            url = f"http://127.0.0.1:{port}/"
            return httpx.post(url, content=body, headers=headers, trust_env=False).status_code
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
