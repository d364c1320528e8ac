"""Every setting an operator can change, in one place, read from the environment.

The setting `port` is the variable `KINWARD_PORT`. Secrets missing from the environment are files
under `<data_dir>/secrets`, created on the first run and readable by their owner only. Each plug-in
reads its own settings through a `Section`.
"""

import base64
import ipaddress
import os
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, cast, get_type_hints
from urllib.parse import urlsplit

import msgspec

from kinward.ground.addresses import Network, trusted_networks
from kinward.ground.errors import Invalid, NotConfigured, SettingWrong

MIB = 1024 * 1024

# The only value that lets reports leave for a production authority. Any other refuses.
PRODUCTION_CONSENT = "yes-these-reports-are-real"

Door = Literal["gate", "console", "pages"]  # what listens, each at a port of its own


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's settings. Sizes in bytes, times in seconds unless the name says otherwise."""

    data_dir: Path = Path("kinward-data")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8700
    console_port: int = 0
    pages_port: int = 0
    public_url: str = ""
    processes: int = 1
    secret_key: str = ""
    secret_keys_before: str = ""
    log_level: str = "info"
    trusted_proxies: str = ""
    forwarded_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"

    max_body: int = 32 * MIB
    max_pixels: int = 50_000_000
    max_uploads: int = 8
    decoders: int = 2
    decode_seconds: float = 10.0
    decode_memory: int = 1536 * MIB
    decoders_without_walls: str = ""
    video_seconds: float = 60.0
    video_query_share: float = 0.8
    video_bank_share: float = 0.8
    body_seconds: float = 60.0
    body_rate: int = 1024
    connections: int = 8192
    idle_seconds: int = 30
    address_requests: int = 8
    bodies_memory: int = 512 * MIB
    queue_seconds: float = 30.0
    key_per_second: int = 5000
    account_per_minute: int = 1200
    refused_per_minute: int = 120
    flood_accounts: int = 25
    flood_minutes: int = 10
    bank_withdrawal_share: float = 0.1
    wave_accounts: int = 100
    wave_minutes: int = 60

    fetch_hosts: str = ""
    inner_hosts: str = ""
    call_hosts: str = ""
    call_seconds: float = 30.0
    read_redirects: bool = False

    exchange_seconds: float = 1800.0
    exchange_pages: int = 20_000
    exchange_records: int = 20_000_000
    exchange_bytes: int = 16 * 1024 * MIB
    exchange_page_bytes: int = 32 * MIB

    actions: Literal["push", "pull"] = "push"
    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_secret_before: str = ""
    webhook_seconds: float = 10.0
    webhook_allow_http: bool = False

    policy_key: str = ""
    identifier_key: str = ""
    package_key: str = ""

    ledger_origin: str = ""
    ledger_signer: str = "file"
    ledger_signer_next: str = ""
    ledger_key: str = ""
    ledger_key_file: str = ""
    ledger_policy_file: str = ""
    ledger_mirror: str = ""
    ledger_webhook_url: str = ""
    ledger_webhook_secret: str = ""
    ledger_tsa_url: str = ""
    ledger_tsa_roots: str = ""
    ledger_tsa_minutes: float = 60.0

    evidence_keys: str = "file"
    evidence_key: str = ""
    evidence_key_file: str = ""
    evidence_store: str = ""
    aws_endpoint: str = ""
    vault_url: str = ""
    vault_token: str = ""
    gcp_kms_url: str = "https://cloudkms.googleapis.com"
    gcp_metadata_url: str = "http://metadata.google.internal"
    preservation_days: int = 365

    authorities: str = "cybertipline"
    production_reporting: str = ""
    platform_name: str = "An online community"
    reporter_email: str = ""
    company_template: str = ""
    terms_of_service: str = ""
    legal_url: str = ""

    dsa_url: str = ""
    dsa_token: str = ""

    app_store_bundle: str = ""
    app_store_id: int = 0
    app_store_environment: Literal["Production", "Sandbox"] = "Production"
    app_store_roots: str = ""
    change_brings: str = ""
    age_issuers: str = ""
    agekey_issuer: str = ""
    agekey_client_id: str = ""
    agekey_client_secret: str = ""
    agekey_redirect_url: str = ""
    agekey_flow: Literal["id_token", "code"] = "id_token"

    family_url: str = ""
    mail_url: str = ""
    mail_from: str = ""

    session_hours: float = 12.0
    session_idle_minutes: float = 60.0
    factor_minutes: float = 10.0
    factor_reset_hours: float = 24.0
    breached_passwords: str = ""

    sso_issuer: str = ""
    sso_client_id: str = ""
    sso_client_secret: str = ""
    sso_scope: str = "openid profile email"
    sso_groups_claim: str = "groups"
    sso_name_claim: str = "preferred_username"
    sso_roles: str = ""
    sso_minutes: float = 60.0
    sso_only: bool = False
    sso_break_glass: str = ""
    scim_claim: str = "sub"

    lease_minutes: int = 15
    take_back_seconds: float = 60.0
    second_reading_share: float = 0.05
    watch_days: int = 7
    watch_verdicts_an_hour: int = 60
    watch_share: float = 0.25
    exposure_per_day: int = 100
    exposure_in_a_row: int = 25
    exposure_pause_minutes: int = 15
    heartbeat_seconds: float = 5.0
    stalled_seconds: float = 20.0
    retry_scale: float = 1.0

    @property
    def url(self) -> str:
        """The address where people and apps reach Kinward, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def ports(self) -> dict[Door, int]:
        """The port of each door. Beside the gate's are the demo's community and its sandbox."""
        return {
            "gate": self.port,
            "console": self.console_port or self.port + 3,
            "pages": self.pages_port or self.port + 4,
        }

    @property
    def secure(self) -> bool:
        """Whether Kinward is reached over TLS, so that it may mark its cookies Secure."""
        return urlsplit(self.url).scheme == "https"

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks of the proxies whose word about a caller's address counts."""
        return _proxies(self.trusted_proxies)

    def secret(self, name: str) -> str:
        """Return a secret from the environment, else from its file under `<data_dir>/secrets`.

        Raises `NotConfigured` if it is in neither place.
        """
        value = getattr(self, name)
        if value:
            return str(value)
        path = self.secret_path(name)
        try:
            return path.read_text().strip()
        except OSError as error:
            raise NotConfigured(
                f"The secret {name!r} is neither in KINWARD_{name.upper()} nor readable at {path}."
            ) from error

    def secrets_before(self, name: str) -> list[str]:
        """Return the former values of a secret, one a line, from where its own would be."""
        value, path = getattr(self, name), self.secret_path(name)
        if not value and path.exists():
            value = path.read_text()
        return [line.strip() for line in str(value).splitlines() if line.strip()]

    def secret_path(self, name: str) -> Path:
        """Return the path of a secret's file."""
        return self.data_dir / "secrets" / name


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one plug-in. A subclass has a `prefix` and a field for each setting.

    The field `url` of the section with the prefix `tide` is the variable `KINWARD_TIDE_URL`. A
    field without a default is required wherever the plug-in is used.
    """

    prefix: ClassVar[str]

    @classmethod
    def variables(cls) -> list[str]:
        """List the environment variables of this section, in the order of its fields."""
        return [_variable(cls.prefix, field) for field in cls.__struct_fields__]


AnySection = TypeVar("AnySection", bound=Section)


def travels_safely(url: str) -> bool:
    """Return whether nobody can read data on its way to an address: https, or this machine.

    >>> [travels_safely(f"{host}.example") for host in ("https://a", "http://a", "ftp://a")]
    [True, False, False]
    >>> travels_safely("http://127.0.0.1:8700"), travels_safely("http://localhost")
    (True, True)
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and here))


def require_safe(setting: str, url: str) -> None:
    """Raise `NotConfigured` unless data sent to this setting's address travels safely."""
    if not travels_safely(url):
        raise SettingWrong(f"{setting} must be https, unless it is on this machine.")


def write_secret(path: Path, value: str) -> None:
    """Write a secret that only its owner can read. An existing file is left alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(value + "\n")


def replace_secret(path: Path, value: str) -> None:
    """Write a secret in place of what is there, all at once. The file keeps its owner."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    write_secret(new, value)
    if path.exists() and os.geteuid() == 0:  # under sudo, for the user of the service
        was = path.stat()
        os.chown(new, was.st_uid, was.st_gid)
    new.replace(path)


def random_secret() -> str:
    """Return a new secret of 256 bits, in the alphabet of URLs."""
    return secrets.token_urlsafe(32)


def random_webhook_secret() -> str:
    """Return a new secret of 256 bits, in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def read_config(environ: Mapping[str, str]) -> Config:
    """Read the configuration from an environment. Raises `NotConfigured`, naming a wrong value.

    >>> read_config({"KINWARD_PORT": "9000"}).url
    'http://127.0.0.1:9000'
    """
    read = Config(**_read(Config, "", environ))
    _proxies(read.trusted_proxies)
    return read


@cache
def _proxies(text: str) -> tuple[Network, ...]:
    try:
        return trusted_networks(text)
    except Invalid as error:
        raise SettingWrong(f"KINWARD_TRUSTED_PROXIES: {error.detail}") from error


def read_section(kind: type[AnySection], environ: Mapping[str, str]) -> AnySection:
    """Read a section from an environment. Raises `NotConfigured`, naming the value at fault."""
    values = _read(kind, kind.prefix, environ)
    for field in msgspec.structs.fields(kind):
        if field.required and field.name not in values:
            raise NotConfigured(f"Set {_variable(kind.prefix, field.name)}.")
    return kind(**values)


def _read(kind: type[msgspec.Struct], prefix: str, environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    types = get_type_hints(kind)
    for field in kind.__struct_fields__:
        variable, wanted = _variable(prefix, field), types[field]
        raw = environ.get(variable)
        if raw is None:
            continue
        try:
            is_path = wanted is Path
            values[field] = Path(raw) if is_path else msgspec.convert(raw, wanted, strict=False)
        except msgspec.ValidationError as error:
            raise SettingWrong(f"{variable} is {raw!r}: {error}.") from error
    return values


def _variable(prefix: str, field: str) -> str:
    return "_".join(("KINWARD", *filter(None, (prefix, field)))).upper()


@cache
def config() -> Config:
    """Return the configuration of this process, which is read once."""
    return read_config(os.environ)


@cache
def _section(kind: type[Section]) -> Section:
    return read_section(kind, os.environ)


def section(kind: type[AnySection]) -> AnySection:
    """Return a plug-in's settings in this process, which are read once."""
    return cast("AnySection", _section(kind))


def forget_config() -> None:
    """Forget every setting, so that the next access reads the changed environment."""
    config.cache_clear()
    _section.cache_clear()
