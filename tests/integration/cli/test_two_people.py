"""What takes two people in the console takes two people at the command line, verb by verb."""

import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import pytest
from click.testing import CliRunner, Result
from django.apps import apps
from django.db import transaction
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.agreement import TakesTwo, TwoPeopleAnywhere
from kinward.access.log_key import LogKeyChange
from kinward.access.models import BrokenGlass, Staff
from kinward.casebook.models import Case
from kinward.cli.agree import agree as agree_command
from kinward.cli.kinds import KINDS
from kinward.cli.main import cli
from kinward.custody.models import Destruction, Release
from kinward.erasure.models import Erasure
from kinward.evidence import holds
from kinward.evidence.holds import request_hold_end, set_legal_hold
from kinward.evidence.models import Evidence, HoldEnding
from kinward.evidence.sealing import new_key, public_half
from kinward.evidence.services import seal_excerpt
from kinward.exchanges import opinions
from kinward.experience import proposals
from kinward.experience.edits import RuleChange, with_change
from kinward.experience.models import Proposal
from kinward.experience.services import current_pack
from kinward.families.models import Pairing
from kinward.ground.config import PRODUCTION_CONSENT
from kinward.ground.errors import Forbidden
from kinward.guidelines import services as editions
from kinward.guidelines.models import Edition
from kinward.guidelines.queries import guidelines_in_force, guidelines_text_in_force
from kinward.ledger.models import Entry, Log, LogRotation
from kinward.ledger.sequencing import sequence_all
from kinward.ledger.signers import log_verifier
from kinward.matching import allowances, weakening
from kinward.matching.agreements import Marking, Weakening, WithdrawalRequest
from kinward.matching.models import Bank, BankedHash
from kinward.matching.withdrawals import leaving_of
from kinward.people.models import Account
from kinward.people.services import Profile, delete_account, put_account
from kinward.policy.sources import read_files
from kinward.reporting.authorities.cybertipline import client
from kinward.reporting.models import Production
from kinward.reporting.production import production_in_use
from kinward.verdicts.models import PairingOrder
from tests.integration.conftest import Configure
from tests.support.commands import commands, services, takes_two
from tests.support.families import make_account, pair

pytestmark = pytest.mark.django_db
SYSTEM: Final = Actor.system("test")


def case_of(account: Account, state: str) -> Case:
    case: Case = Case.objects.create(account=account, state=state, due_at=timezone.now())
    with transaction.atomic():
        seal_excerpt(case_id=case.id, text="A neutral line.", actor=account.actor)
    return case


@dataclass
class World:
    """What the verbs work on: a bank, two settled cases, a pack, a document."""

    bank: Bank
    held: Case
    free: Case
    pack: Path
    document: Path
    withdrawal: Path

    def rules(self) -> tuple[Any, ...]:
        """The bank's rules."""
        self.bank.refresh_from_db()
        return self.bank.role, self.bank.distance, self.bank.enabled_ratio, self.bank.disabled

    def hash(self) -> BankedHash:
        """The bank's hash of the whole file, as it is now."""
        row: BankedHash = BankedHash.objects.get(bank=self.bank, kind="md5")
        return row

    def leaving(self) -> tuple[int, int]:
        """How many hashes the bank has, and how many may leave it."""
        leaving = leaving_of(self.bank)
        return leaving.live, leaving.allowed

    def pairing(self) -> str:
        """A pairing of the account that the cases are about, with a guardian."""
        make_account("egret", 44)
        pairing = Pairing.objects.filter(teen=self.held.account).first()
        return str((pairing or pair(make_account("heron", 41), self.held.account)).pk)

    def guardians(self) -> list[str]:
        """Who guards that account now."""
        self.pairing()
        live = Pairing.objects.filter(teen=self.held.account, ended_at=None)
        return list(live.values_list("guardian__platform_id", flat=True))

    def leaver(self) -> str:
        """An account that the platform has deleted."""
        put_account(platform_id="leaver", profile=Profile())
        delete_account(platform_id="leaver", actor=SYSTEM)
        return "leaver"

    def signed_log(self) -> list[str]:
        """A log that was signed with a key in a file, and the command that changes that key."""
        sequence_all()
        Log.objects.update(vkey=log_verifier(Log.objects.get().origin).vkey)
        return ["ledger", "rotate"]

    def files(self) -> list[Any]:
        """The files of the vault, with their holds."""
        rows = Evidence.objects.order_by("pk")
        return list(rows.values_list("pk", "destroyed_at", "hold_reference"))


@dataclass(frozen=True)
class Verb:
    """A command that takes two people: its words, what it asks for, and what it would change."""

    model: type[TwoPeopleAnywhere]
    words: Callable[[World], list[str]]
    state: Callable[[World], object]
    role: str  # whose it is to agree in the console; "" for nobody's there


def policy(*more: str) -> Verb:
    return Verb(
        Proposal,
        lambda world: ["policy", "activate", str(world.pack), *more],
        lambda world: (current_pack().pack.digest, current_pack().share),
        "policy lead",
    )


def weaker(*words: str) -> Verb:
    return Verb(Weakening, lambda world: ["bank", *words], lambda world: world.rules(), "operator")


def much(*words: str) -> Verb:
    return Verb(
        WithdrawalRequest,
        lambda world: ["bank", *words, "--removes", str(world.leaving()[0])],
        lambda world: world.leaving(),
        "operator",
    )


GRAVE: Final[dict[str, Verb]] = {
    "policy activate": policy(),
    "policy activate --share": policy("--share", "5"),
    "guidelines activate": Verb(
        Edition,
        lambda world: ["guidelines", "activate", str(world.document), "--why", "A test."],
        lambda world: guidelines_in_force().label,
        "policy lead",
    ),
    "bank disable": weaker("disable", "known"),
    "bank set --role shadow": weaker("set", "known", "--role", "shadow"),
    "bank set --role negative": weaker("set", "known", "--role", "negative"),
    "bank set --distance": weaker("set", "known", "--distance", "3"),
    "bank set --enabled-ratio": weaker("set", "known", "--enabled-ratio", "0.5"),
    "bank remove --removes": much("remove", "known", "--reference", "generated 901"),
    "bank import --removes": Verb(
        WithdrawalRequest,
        lambda world: [
            *("bank", "import", "known", str(world.withdrawal), "--format", "csv"),
            *("--provenance", "a test", "--removes", "1"),
        ],
        lambda world: world.leaving(),
        "operator",
    ),
    "bank false-positive": Verb(
        Marking,
        lambda world: ["bank", "false-positive", str(world.hash().pk)],
        lambda world: world.hash().false_positive,
        "reviewer",
    ),
    "report production": Verb(
        Production,
        lambda world: ["report", "production", "cybertipline", "--why", "A test."],
        lambda world: (
            [getattr(used.agreement, "word", "") for used in production_in_use()] == ["agreed to"]
        ),
        "operator",
    ),
    "evidence release": Verb(
        HoldEnding,
        lambda world: ["evidence", "release", str(world.held.pk), "--why", "It is over."],
        lambda world: world.files(),
        "evidence custodian",
    ),
    "family end": Verb(
        PairingOrder,
        lambda world: ["family", "end", world.pairing(), "--case", str(world.held.pk)],
        lambda world: world.guardians(),
        "reviewer",
    ),
    "family hand-over": Verb(
        PairingOrder,
        lambda world: [
            *("family", "hand-over", world.pairing(), "--case", str(world.held.pk)),
            *("--to", "egret", "--papers", str(world.withdrawal)),
        ],
        lambda world: world.guardians(),
        "reviewer",
    ),
    "package ask": Verb(
        Release,
        lambda world: [
            *("package", "ask", "member-1", "--since", "2026-01-01", "--until", "2026-01-02"),
            *("--recipient", public_half(new_key()), "--to", "A court of a test"),
            *("--reference", "ref-1", "--why", "A test."),
        ],
        lambda world: list(Release.objects.filter(state="approved").values_list("pk")),
        "evidence custodian",
    ),
    "evidence destroy": Verb(
        Destruction,
        lambda world: [
            *("evidence", "destroy", str(world.free.pk)),
            *("--asked-for-by", "A court of a test", "--reference", "ref-1"),
        ],
        lambda world: world.files(),
        "evidence custodian",
    ),
    "erase": Verb(
        Erasure,
        lambda world: ["erase", world.leaver()],
        lambda world: list(Erasure.objects.filter(state="approved").values_list("pk")),
        "evidence custodian",
    ),
    "ledger rotate": Verb(
        LogKeyChange,
        lambda world: world.signed_log(),
        lambda world: LogRotation.objects.count(),
        "",
    ),
}
EACH = pytest.mark.parametrize("verb", GRAVE.values(), ids=GRAVE)
# Every other command, by the reason why one operator is enough.
PLAIN: Final[dict[str, set[str]]] = {
    "reads or computes": {
        *(
            "key trace",
            "webhook status",
            "doctor",
            "decide",
            "key list",
            "staff list",
            "bank list",
            "bank export",
            "bank search",
        ),
        *("bank floods", "exchange status", "policy list", "policy check", "policy diff"),
        *("policy places", "policy simulate", "policy history", "policy export"),
        *("guidelines show", "guidelines check", "guidelines simulate", "action list"),
        *("report list", "report validate", "package check", "statement export"),
        *("ledger verify", "ledger show", "ledger key", "match retro", "demo code", "family list"),
        *("ledger prove", "ledger reconcile", "ledger rotations"),
        *("witness show", "witness refused"),
    },
    "starts processes, or a practice server": {
        *("up", "demo", "serve", "worker", "sandbox cybertipline", "sandbox exchange"),
        *("sandbox dsa", "sandbox app-store", "sandbox wallet", "witness serve"),
    },
    "carries out what two people approved before": {"package make"},
    "is itself where another person agrees": {"agree"},
    "is one person's in the console, too": {
        *("bank enable", "policy revert", "policy shadow"),
        *("action replay", "report refile", "evidence hold", "family pause"),
    },
    "is what a job does by the clock": {
        *("evidence expire", "evidence rewrap", "evidence scrub", "evidence store"),
        "statement send",
    },
    "adds what is looked for, and no verdict": {
        *("bank create", "bank add", "exchange add", "exchange sync", "exchange enable"),
    },
    "leaves the bank as it is": {"exchange set", "exchange disable", "exchange remove"},
    "takes power or gives it, by the rules of access/staff.py": {
        *(
            "staff invite",
            "staff role",
            "staff give",
            "staff take",
            "staff suspend",
            "staff resume",
            "staff end",
        ),
        *("staff sign-out", "staff withdraw", "staff reset-factor"),
    },
    "gives an app its scopes, or takes them": {
        *("key create", "key change", "key rotate", "key revoke", "webhook rotate"),
    },
    "is held until a person has looked": {"family intake"},
    "is about the logs of others": {"witness init", "witness watch"},
    "needs the database and its secrets anyway": {"backup", "restore", "migrate", "ledger export"},
}


def spoken(name: str) -> str:
    """The command without its options."""
    return " ".join(word for word in name.split(" --", maxsplit=1)[0].split())


@pytest.fixture
def world(
    bank: Bank,
    account: Account,
    tmp_path: Path,
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    monkeypatch.setattr(client, "PRODUCTION_HOSTS", {"127.0.0.1"})
    configure(
        cybertipline_url="https://127.0.0.1:9/ispws",
        production_reporting=PRODUCTION_CONSENT,
        evidence_key=new_key(),
        identifier_key="a key of a test",
        ledger_key="",
        ledger_key_file=str(tmp_path / "ledger_key"),
    )
    (tmp_path / "ledger_key").write_text("07" * 32)
    held, free = case_of(account, "dismissed"), case_of(account, "enforced")
    set_legal_hold(case_id=held.pk, reference="court 1", actor=SYSTEM)
    change = RuleChange(rule="session-time-13-15", default=40)
    pack = tmp_path / "own"
    files = with_change(read_files("teen-accounts"), change, version="2026.11-2+1")
    for file, text in files.items():
        (pack / file).parent.mkdir(parents=True, exist_ok=True)
        (pack / file).write_text(text)
    document = tmp_path / "guidelines.toml"
    document.write_text(guidelines_text_in_force().replace('version = "1"', 'version = "2"'))
    withdrawal = tmp_path / "withdrawal.csv"
    md5 = BankedHash.objects.get(bank=bank, kind="md5")
    withdrawal.write_text(f"md5,removed\n{bytes(md5.value).hex()},yes\n")
    return World(bank, held, free, pack, document, withdrawal)


@pytest.fixture
def at_the_keyboard(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sit another person down at the command line."""
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.setattr("kinward.cli.main.login_uid", lambda: None)

    def sit(name: str) -> None:
        there = pwd.struct_passwd((name, "", 1000, 1000, "", "", ""))
        monkeypatch.setattr("pwd.getpwuid", lambda user: there)

    sit("heron")
    return sit


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def person(name: str, role: str) -> Staff:
    roles = [role] if role else []
    return Staff.objects.create_user(username=name, password="a long test word", roles=roles)


def asked_by_heron(world: World, verb: Verb) -> tuple[TwoPeopleAnywhere, object]:
    """Run a verb as one operator, and return the request and what was before."""
    before = verb.state(world)
    result = run(*verb.words(world))
    assert result.exit_code == 0, f"{result.output} {result.exception!r}"
    assert "Requested, and not done yet" in result.output
    request = verb.model._default_manager.get()
    assert f"`kinward agree {request.pk}`" in result.output
    return request, before


@EACH
def test_one_operator_leaves_a_request_and_no_act(
    world: World, verb: Verb, at_the_keyboard: Callable[[str], None]
) -> None:
    colleague = person("Heron", verb.role)  # a namesake is no second person …
    other = person("bo", verb.role)
    request, before = asked_by_heron(world, verb)
    assert (request.state, request.operator, request.asked_by) == ("asked", "operator:heron", None)
    assert verb.state(world) == before
    with pytest.raises(Forbidden, match="another person decides" if verb.role else "command line"):
        kind(verb).decide(request.pk, True, colleague)
    again = run("agree", str(request.pk))
    assert isinstance(again.exception, Forbidden)  # … and neither is who asked
    assert verb.state(world) == before
    assert str(request.pk) in run("agree").output
    decider = other if verb.role else Actor.operator("curlew")
    kind(verb).decide(request.pk, True, decider)
    request.refresh_from_db()
    name = "bo" if verb.role else "operator:curlew"
    assert (request.state, request.decider, request.by_two) == ("approved", name, True)
    assert verb.state(world) != before
    assert "Nothing waits" in run("agree").output


@EACH
def test_another_operator_agrees_or_refuses(
    world: World, verb: Verb, at_the_keyboard: Callable[[str], None]
) -> None:
    person("bo", verb.role)
    request, before = asked_by_heron(world, verb)
    at_the_keyboard("curlew")
    assert run("agree", str(request.pk), "--refuse").exit_code == 0
    assert verb.state(world) == before
    request.refresh_from_db()
    assert (request.state, request.second_operator) == ("refused", "operator:curlew")
    if verb.model is Edition:
        return  # a version is proposed once
    at_the_keyboard("heron")
    assert run(*verb.words(world)).exit_code == 0
    at_the_keyboard("curlew")
    second = verb.model._default_manager.get(state="asked")
    result = run("agree", str(second.pk))
    assert result.exit_code == 0, f"{result.output} {result.exception!r}"
    second.refresh_from_db()
    assert (second.second_operator, second.by_two) == ("operator:curlew", True)
    assert verb.state(world) != before
    assert Entry.objects.filter(actor="operator:curlew").count() >= 2


@EACH
def test_who_breaks_the_glass_acts_at_once_where_that_can_be_undone(
    world: World, verb: Verb, at_the_keyboard: Callable[[str], None]
) -> None:
    person("bo", verb.role)
    before = verb.state(world)
    words = [*verb.words(world), "--break-glass", "Nobody answers, and it harms people."]
    result = run(*words)
    if not verb.model.breakable:
        assert "No such option" in result.output
        request, _ = asked_by_heron(world, verb)
        alone = run("agree", str(request.pk), "--break-glass", "I would like to.")
        assert isinstance(alone.exception, TakesTwo)
        assert verb.state(world) == before
        assert not BrokenGlass.objects.exists()
        return
    assert result.exit_code == 0, f"{result.output} {result.exception!r}"
    assert verb.state(world) != before
    request, glass = verb.model._default_manager.get(), BrokenGlass.objects.get()
    assert (request.state, request.glass, request.by_two) == ("approved", glass, False)
    assert (glass.operator, glass.request) == ("operator:heron", str(request))
    assert glass.about == kind(verb).about(request)
    assert "who broke the glass" in request.decider
    entry = Entry.objects.get(kind="glass.broken")
    assert (entry.actor, entry.subject, entry.data) == (
        "operator:heron",
        str(glass),
        {"request": str(request)},
    )


def kind(verb: Verb) -> Any:
    return next(kind for kind in KINDS if kind.model is verb.model)


JOBS: Final[dict[type[TwoPeopleAnywhere], Callable[[], int]]] = {
    Proposal: proposals.go_ahead_alone,
    Edition: editions.go_ahead_alone,
    Weakening: weakening.go_ahead_alone,
    WithdrawalRequest: allowances.go_ahead_alone,
    HoldEnding: holds.lift_holds_alone,
    Marking: opinions.mark_due_alone,
}


@EACH
def test_where_nobody_else_can_agree_it_waits_with_notice_and_goes_ahead(
    world: World, verb: Verb, at_the_keyboard: Callable[[str], None]
) -> None:
    person("Heron", verb.role)  # the only one with the role is the operator
    request, before = asked_by_heron(world, verb)
    if verb.model not in JOBS:
        assert request.goes_ahead_at is None, "this waits for another person, however long"
        return
    assert request.goes_ahead_at is not None
    assert f"goes ahead at {request.goes_ahead_at:%Y-%m-%d %H:%M} UTC" in run("agree").output
    go_ahead_alone = JOBS[verb.model]
    assert go_ahead_alone() == 0
    verb.model._default_manager.update(goes_ahead_at=request.asked_at)
    assert go_ahead_alone() == 1
    request.refresh_from_db()
    assert (request.state, request.by_two) == ("approved", False)
    assert request.decider == "nobody: it went ahead by itself"
    assert verb.state(world) != before
    assert go_ahead_alone() == 0


def test_before_anybody_has_joined_the_staff_an_operator_sets_up_alone(
    world: World, at_the_keyboard: Callable[[str], None]
) -> None:
    """The first run: there is nobody to ask. Never what is irreversible, or real reports."""
    for name in ("policy activate", "guidelines activate", "bank set --distance"):
        verb = GRAVE[name]
        before = verb.state(world)
        result = run(*verb.words(world))
        assert result.exit_code == 0, f"{result.output} {result.exception!r}"
        assert "Requested" not in result.output
        assert verb.state(world) != before
        request = verb.model._default_manager.get()
        assert (request.state, request.by_two) == ("approved", False)
        assert request.decider == "nobody: it went ahead by itself"
    for name in ("evidence destroy", "package ask", "report production"):
        asked_by_heron(world, GRAVE[name])
    assert not BrokenGlass.objects.exists()


LOGINS: Final = {1000: "heron", 1001: "curlew"}
# Which login, real user and `$SUDO_UID` one person has, when they ask and when they agree.
TRICKS: Final = {
    "ask, then agree as another": ((None, 1000, ""), (None, 1001, "1000")),
    "ask as another, then agree": ((None, 1001, "1000"), (None, 1000, "")),
    "both as another": ((None, 1001, "1000"), (None, 1001, "1000")),
    "without the variable": ((1000, 1000, ""), (1000, 1001, "")),
    "ask as another without it": ((1000, 1001, ""), (1000, 1000, "")),
    "as root": ((1000, 0, "1001"), (1000, 1000, "")),
}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_a_sudo_to_another_user_is_no_second_person(
    world: World,
    at_the_keyboard: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    trick: tuple[tuple[int | None, int, str], tuple[int | None, int, str]],
) -> None:
    person("bo", "operator")
    verb = GRAVE["bank disable"]
    before = verb.state(world)
    monkeypatch.setattr(
        "pwd.getpwuid",
        lambda user: pwd.struct_passwd((LOGINS.get(user, "root"), "", user, user, "", "", "")),
    )

    def become(login: int | None, user: int, behind: str) -> None:
        monkeypatch.setattr("kinward.cli.main.login_uid", lambda: login)
        monkeypatch.setattr("os.getuid", lambda: user)
        monkeypatch.setenv("SUDO_UID", behind)

    become(*trick[0])
    assert run(*verb.words(world)).exit_code == 0
    request = verb.model._default_manager.get()
    become(*trick[1])
    assert isinstance(run("agree", str(request.pk)).exception, Forbidden)
    assert verb.state(world) == before
    become(1001, 1000, "1000")  # the other one, at the first one's account
    barred = "curlew" in request.operator  # the ledger names both, so neither agrees
    assert run("agree", str(request.pk)).exit_code == int(barred)


def test_what_was_asked_for_in_the_console_is_decided_there(world: World) -> None:
    ending = request_hold_end(
        case_id=world.held.pk, why="It is over.", staff=person("ada", "evidence custodian")
    )
    for more in ((), ("--refuse",)):
        result = run("agree", str(ending.pk), *more)
        assert isinstance(result.exception, Forbidden)
    assert "There is no request" in str(run("agree", str(world.held.pk)).exception)
    assert run("agree", str(ending.pk), "--refuse", "--break-glass", "x").exit_code == 2


# The table


def test_every_command_is_in_a_table() -> None:
    plain = [name for names in PLAIN.values() for name in names]
    listed = sorted({*map(spoken, GRAVE), *plain})
    assert sorted(name for name, _ in commands()) == listed
    assert len(plain) == len(set(plain))
    assert not set(plain) & set(map(spoken, GRAVE))


def test_a_command_that_reaches_what_takes_two_people_is_tried_here() -> None:
    """The services say it themselves: who asks is a member of the staff or an operator."""
    reaching = {name for name, command in commands() if any(map(takes_two, services(command)))}
    assert reaching == {spoken(name) for name in GRAVE}


def test_every_request_of_an_operator_has_a_verb_and_is_agreed_to_in_one_word() -> None:
    models = {model for model in apps.get_models() if issubclass(model, TwoPeopleAnywhere)}
    assert {kind.model for kind in KINDS} == models
    assert {verb.model for verb in GRAVE.values()} == models


def test_what_can_be_undone_has_the_same_option_and_nothing_else_has() -> None:
    for name, command in commands():
        breakable = {verb.model.breakable for key, verb in GRAVE.items() if spoken(key) == name}
        options = {option for parameter in command.params for option in parameter.opts}
        assert ("--break-glass" in options) == (breakable == {True} or name == "agree"), name


def test_the_search_sees_a_service_through_the_functions_of_the_command_line() -> None:
    assert isinstance(agree_command, click.Command)
    found = dict(commands())
    assert any(map(takes_two, services(found["bank disable"])))
    assert not any(map(takes_two, services(found["bank list"])))
