"""`kinward sandbox`: practice servers in place of authorities, partners, wallets and age keys."""

from pathlib import Path

import click

from kinward.ages import sandbox as ages
from kinward.consents import sandbox as stores
from kinward.exchanges import sandbox as partners
from kinward.ground.config import config
from kinward.redress import sandbox as transparency
from kinward.reporting.authorities.cybertipline.sandbox import KINDS, Fault, serve


@click.group()
def sandbox() -> None:
    """Start a practice server in place of an authority, a partner or a wallet."""


@sandbox.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8702, show_default=True)
@click.option("--username", default="sandbox", show_default=True)
@click.option("--password", default="sandbox", show_default=True, envvar="KINWARD_SANDBOX_PASSWORD")
@click.option("--store", type=click.Path(path_type=Path), help="SQLite file for its state.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND[:ENDPOINT[:PROBABILITY]]",
    help=f"Misbehave on purpose. KIND is one of {', '.join(KINDS)}.",
)
@click.option("--expiry-scale", default=1.0, help="0.001 makes unfinished reports expire in 86 s.")
def cybertipline(
    host: str,
    port: int,
    username: str,
    password: str,
    store: Path | None,
    faults: tuple[str, ...],
    expiry_scale: float,
) -> None:
    """Run a CyberTipline sandbox: the real protocol and states, but no authority."""
    server = serve(
        host=host,
        port=port,
        store=store or config().data_dir / "sandbox" / "cybertipline.sqlite3",
        username=username,
        password=password,
        faults=[_fault(text) for text in faults],
        expiry_scale=expiry_scale,
    )
    click.echo(f"CyberTipline sandbox: http://{host}:{server.server_port}/ispws")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


@sandbox.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8705, show_default=True)
@click.option("--username", default="sandbox", show_default=True)
@click.option("--password", default="sandbox", show_default=True, envvar="KINWARD_SANDBOX_PASSWORD")
@click.option(
    "--entries",
    default=1000,
    show_default=True,
    help="Number of generated entries with random hashes.",
)
def exchange(host: str, port: int, username: str, password: str, entries: int) -> None:
    """Run partners with random hashes, behind the APIs of NCMEC, StopNCII and ThreatExchange."""
    partner = partners.serve(host=host, port=port, user=username, password=password)
    for seed, environment in enumerate(partners.ENVIRONMENTS, 1):
        partner.put(*partners.generated(entries, seed=seed), environment=environment)
    for path in (*partners.ENVIRONMENTS, "stopncii", "graph"):
        click.echo(f"{path}: http://{host}:{partner.server_port}/{path}")
    try:
        partner.serve_forever()
    except KeyboardInterrupt:
        partner.server_close()


@sandbox.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8706, show_default=True)
@click.option("--token", default="sandbox", show_default=True)
def dsa(host: str, port: int, token: str) -> None:
    """Run a sandbox of the DSA Transparency Database. It publishes nothing."""
    database = transparency.serve(host=host, port=port, token=token)
    click.echo(f"Transparency Database sandbox: {database.url}")
    try:
        database.serve_forever()
    except KeyboardInterrupt:
        database.server_close()


@sandbox.command("app-store")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8707, show_default=True)
@click.option("--to", help="Address of Kinward's endpoint.  [default: on this machine]")
def app_store(host: str, port: int, to: str | None) -> None:
    """Run a sandbox of the App Store: it signs notifications with certificates of its own."""
    store = stores.serve(
        host=host,
        port=port,
        directory=config().data_dir / "sandbox" / "app-store",
        receiver=to or f"http://{config().host}:{config().port}/v1/stores/apple",
    )
    click.echo(f"App Store sandbox: {store.url}")
    click.echo("To trust it, set:")
    click.echo(f"  KINWARD_APP_STORE_BUNDLE={stores.BUNDLE}")
    click.echo("  KINWARD_APP_STORE_ENVIRONMENT=Sandbox")
    click.echo(f"  KINWARD_APP_STORE_ROOTS={store.signer.root}")
    try:
        store.serve_forever()
    except KeyboardInterrupt:
        store.server_close()


@sandbox.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8708, show_default=True)
@click.option("--issuers", type=click.Path(path_type=Path), help="Where its certificate goes.")
@click.option("--client-id", default="sandbox", show_default=True)
@click.option(
    "--client-secret", default="sandbox", show_default=True, envvar="KINWARD_AGEKEY_CLIENT_SECRET"
)
def wallet(host: str, port: int, issuers: Path | None, client_id: str, client_secret: str) -> None:
    """Run a test issuer with a wallet, and a provider of age keys. They know no real age."""
    tests = ages.serve(host=host, port=port, client_id=client_id, client_secret=client_secret)
    path = issuers or config().data_dir / "sandbox" / "age-issuers.pem"
    ages.write_issuers(tests, path)
    click.echo(f"KINWARD_AGE_ISSUERS={path}")
    click.echo(f"KINWARD_AGEKEY_ISSUER={tests.url}")
    click.echo(f"Wallet: {tests.url}/present")
    try:
        tests.serve_forever()
    except KeyboardInterrupt:
        tests.server_close()


def _fault(text: str) -> Fault:
    kind, endpoint, probability = [*text.split(":"), "", ""][:3]
    if kind not in KINDS:
        raise click.UsageError(f"Unknown fault {kind!r}. Use one of {', '.join(KINDS)}.")
    return Fault(kind, endpoint or "*", float(probability or 1))
