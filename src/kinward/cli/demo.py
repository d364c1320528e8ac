"""`kinward demo`: Kinward with a small community, an authority's sandbox and sample data."""

import base64
import os
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from kinward.access import Actor
from kinward.cli import postgres
from kinward.cli.supervisor import NotReady, Role, step
from kinward.cli.up import own_roles, running
from kinward.ground.config import config, forget_config, random_secret, write_secret

if TYPE_CHECKING:
    from kinward.access.api import Staff

BANK: Final = "demo-generated"
STAFF: Final = {
    "robin": "reviewer",
    "kai": "policy lead",
    "mika": "evidence custodian",
    "sasha": "administrator",
}
PURPOSES: Final = ("gate", "portal", "reports", "actions", "consent")  # of Tidepool's key
SANDBOX_USER: Final = "tidepool"
SETTLE_SECONDS: Final = 60.0


def configure() -> None:
    """Point Kinward at the demo's own community and sandbox. Overrides the environment."""
    environment = os.environ
    environment.setdefault("KINWARD_DATA_DIR", ".kinward")
    data = Path(environment["KINWARD_DATA_DIR"])
    write_secret(data / "secrets" / "sandbox_password", random_secret())
    write_secret(data / "secrets" / "demo_password", secrets.token_hex(8))
    environment["KINWARD_WEBHOOK_URL"] = f"{community_url()}/webhooks/kinward"
    environment["KINWARD_CYBERTIPLINE_URL"] = f"http://127.0.0.1:{_port(2)}/ispws"
    environment["KINWARD_CYBERTIPLINE_USERNAME"] = SANDBOX_USER
    environment["KINWARD_CYBERTIPLINE_PASSWORD"] = _secret("sandbox_password")
    environment["KINWARD_PLATFORM_NAME"] = "Tidepool (demo)"
    environment["KINWARD_REPORTER_EMAIL"] = "safety@tidepool.example"
    environment["KINWARD_APP_STORE_BUNDLE"] = "example.tidepool"
    environment["KINWARD_APP_STORE_ENVIRONMENT"] = "Sandbox"
    environment["KINWARD_APP_STORE_ROOTS"] = str(data / "sandbox" / "app-store" / "root.cer")
    environment["KINWARD_FAMILY_URL"] = f"{community_url()}/family"
    forget_config()


def _port(offset: int) -> int:
    return int(os.environ.get("KINWARD_PORT", "8700")) + offset


def _secret(name: str) -> str:
    return (Path(os.environ["KINWARD_DATA_DIR"]) / "secrets" / name).read_text().strip()


def community_url() -> str:
    """Return the URL of the demo community, on the port after Kinward's."""
    return f"http://127.0.0.1:{_port(1)}"


def sandbox_role() -> Role:
    """Return the process of the authority's sandbox."""
    command = [sys.executable, "-m", "kinward", "sandbox", "cybertipline"]
    command += ["--port", str(_port(2)), "--username", SANDBOX_USER]
    environment = {"KINWARD_SANDBOX_PASSWORD": _secret("sandbox_password")}
    return Role("sandbox", command, environment, f"http://127.0.0.1:{_port(2)}/ispws/status")


def store_role() -> Role:
    """Return the process of the App Store's sandbox, on the port after all of Kinward's."""
    command = [sys.executable, "-m", "kinward", "sandbox", "app-store", "--port", str(_port(7))]
    command += ["--to", f"http://127.0.0.1:{_port(0)}/v1/stores/apple"]
    return Role("store", command, {}, f"http://127.0.0.1:{_port(7)}/")


def community_role() -> Role:
    """Return the demo community.

    It knows only Kinward's URL, an API key, a webhook secret, and where the practice store is.
    """
    command = [sys.executable, "-m", "granian", "--interface=wsgi", "--host=127.0.0.1"]
    command += [f"--port={_port(1)}", "--http=1", "--no-ws", "--blocking-threads=4"]
    command += ["--log-level=warning", "kinward.demo.wsgi:application"]
    environment = {
        "DJANGO_SETTINGS_MODULE": "kinward.demo.settings",
        "DEMO_KINWARD_URL": f"http://127.0.0.1:{_port(0)}",
        "DEMO_KINWARD_KEY": _secret("demo_api_key"),
        "DEMO_APP_STORE_URL": f"http://127.0.0.1:{_port(7)}",
        "DEMO_WEBHOOK_SECRET": config().secret("webhook_secret"),
        "DEMO_DATABASE_URL": postgres.ensure_database(config().database_url, "kinward_demo"),
        "DEMO_SECRET_KEY": config().secret("secret_key"),
    }
    return Role("community", command, environment, f"{community_url()}/health")


def prepare() -> None:
    """Create the API key, the staff with their second factors, and the bank. Idempotent."""
    from kinward.access.api import (
        YEAR,
        ApiKey,
        Staff,
        change_key,
        create_key,
        create_staff,
    )

    actor = Actor.system("demo")
    secrets_dir = config().data_dir / "secrets"
    known = ApiKey.objects.filter(name="tidepool").first()
    if known is None:
        (secrets_dir / "demo_api_key").unlink(missing_ok=True)
        key = create_key(name="tidepool", purposes=PURPOSES, owner="Tidepool", actor=actor)
        write_secret(secrets_dir / "demo_api_key", key)
    elif set(known.purposes) != set(PURPOSES) and known.revoked_at is None:
        # An earlier version created this key with other scopes, and without a purpose.
        change_key(name="tidepool", purposes=PURPOSES, owner="Tidepool", days=YEAR, actor=actor)
    for username, role in STAFF.items():
        if Staff.objects.filter(username=username).exists():
            continue
        (secrets_dir / f"demo_totp_{username}").unlink(missing_ok=True)
        person = create_staff(
            username=username, password=_secret("demo_password"), roles=[role], actor=actor
        )
        write_secret(secrets_dir / f"demo_totp_{username}", give_second_factor(person))
    _fill_bank(actor)


def _fill_bank(actor: Actor) -> None:
    from kinward.demo import BANKED_SEEDS, draw, encode
    from kinward.matching.api import Bank, add_hashes, create_bank, file_hashes
    from kinward.media import digest_bytes, read_picture

    if Bank.objects.filter(name=BANK).exists():
        return
    bank = create_bank(
        name=BANK,
        confidence="verified",
        description="Generated shapes for the demo; nothing real.",
        actor=actor,
    )
    for seed in BANKED_SEEDS:
        data = encode(draw(seed))
        picture = read_picture(data, config().max_pixels)
        hashes = file_hashes(digest_bytes(data), picture, f"generated {seed}")
        add_hashes(bank=bank, hashes=hashes, provenance="generated by the demo", actor=actor)


def fill() -> None:
    """Create sample data: members, posts, a waiting case and a reported one. Idempotent."""
    from kinward.casebook.api import Case

    if Case.objects.exists():
        return
    from kinward.demo import PLAIN_SEEDS, Visitor, draw, encode

    for number, handle in enumerate(("kelp_forest", "anemone7", "limpet-lou", "sea_glass")):
        member = Visitor(community_url(), handle, 16 + 9 * number)
        for seed in PLAIN_SEEDS[3 * number : 3 * number + 3]:
            member.post(encode(draw(seed, (512, 384))), caption="low tide")
    # The first is on the list byte for byte, so that it can be confirmed without a look.
    Visitor(community_url(), "driftwood", 34).post(encode(draw(901)), filename="IMG_0001.png")
    image = draw(902).resize((800, 600))
    member = Visitor(community_url(), "undertow", 34)
    member.post(encode(image, "JPEG", quality=80), filename="IMG_0001.jpg")
    _settle_first_case()


def _settle_first_case() -> None:
    from kinward.access.api import Staff
    from kinward.casebook.api import Case
    from kinward.review.api import take_case
    from kinward.verdicts.api import VerdictForm, decide_case

    reviewer = Staff.objects.get(username="sasha")
    case = Case.objects.order_by("opened_at").first()
    if case is None:
        raise NotReady("The demo's first case was not opened. See the community's log.")
    take_case(case=case, staff=reviewer)
    form = VerdictForm(outcome="confirmed", clause="CS-1", note="A demo: generated shapes.")
    decide_case(case_id=case.id, staff=reviewer, form=form)
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        case.refresh_from_db()
        if case.state == "reported":
            return
        time.sleep(0.2)
    raise NotReady("The demo's report was not finished. See the worker's log.")


def give_second_factor(person: "Staff") -> str:
    """Set up one-time codes (RFC 6238) for a staff account; returns the secret, in base 32."""
    from allauth.mfa.adapter import get_adapter
    from allauth.mfa.models import Authenticator

    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    data = {"secret": get_adapter().encrypt(secret)}
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data=data)
    return secret


def one_time_code(secret: str) -> str:
    """Return the current one-time code (RFC 6238) of a secret in base 32."""
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    key = base64.b32decode(secret)
    return TOTP(key, 6, SHA1(), 30).generate(int(time.time())).decode()  # noqa: S303


def introduce() -> None:
    """Print the addresses and how to sign in."""
    password = _secret("demo_password")
    sandbox = f"http://127.0.0.1:{_port(2)}/sandbox/reports"
    click.echo(
        f"""
  Tidepool, the demo community   {community_url()}
  Kinward's console              {config().url}
  The authority's sandbox        {sandbox}
                                 ({SANDBOX_USER} / {_secret("sandbox_password")})

  Staff: {", ".join(f"{name} ({role})" for name, role in STAFF.items())}; password {password}
  To get a one-time code, run: .venv/bin/kinward demo code robin

  Safety Center                  {config().url}/safety

  Try it: save a picture from {community_url()}/samples, join and post it.
  Then sign in to the console and take the case. Stop with Ctrl-C."""
    )


@click.group(invoke_without_command=True)
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Start Kinward with a demo community and an authority's sandbox."""
    configure()
    if ctx.invoked_subcommand is not None:
        return
    with running("Kinward's demo is starting.") as supervisor:
        supervisor.start(*own_roles())
        step("keys, staff, bank", prepare)
        supervisor.start(sandbox_role(), store_role(), community_role())
        supervisor.wait()
        step("sample data", fill)
        introduce()
        supervisor.run()


@demo.command("code")
@click.argument("username", default="robin")
def print_code(username: str) -> None:
    """Print the current one-time code of a member of the demo's staff."""
    click.echo(one_time_code(_secret(f"demo_totp_{username}")))
