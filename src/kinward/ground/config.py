"""Every setting that an operator can make, in one place, read from the environment.

A setting `port` is the variable `KINWARD_PORT`. Secrets that are not given live as files under
`<data_dir>/secrets`, made on the first run and readable by their owner only. What only a plug-in
reads is a `Section` of its own.
"""

import ipaddress
import os
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, cast, get_type_hints
from urllib.parse import urlsplit

import msgspec

from kinward.ground.errors import NotConfigured

MIB = 1024 * 1024

# The one value that lets reports leave for a production authority; anything else refuses.
PRODUCTION_CONSENT = "yes-these-reports-are-real"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator set. Sizes in bytes, times in seconds unless the name says otherwise."""

    data_dir: Path = Path("kinward-data")
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8700
    public_url: str = ""
    processes: int = 1
    secret_key: str = ""
    log_level: str = "info"

    max_body: int = 32 * MIB
    max_pixels: int = 50_000_000
    max_uploads: int = 8
    decoders: int = 2
    decode_seconds: float = 10.0
    decode_memory: int = 1536 * MIB
    video_seconds: float = 60.0
    video_query_share: float = 0.8
    video_bank_share: float = 0.8
    body_seconds: float = 60.0

    fetch_hosts: str = ""

    actions: Literal["push", "pull"] = "push"
    webhook_url: str = ""
    webhook_secret: str = ""
    webhook_seconds: float = 10.0
    webhook_allow_http: bool = False

    policy_key: str = ""
    identifier_key: str = ""
    package_key: str = ""

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

    family_url: str = ""
    mail_url: str = ""
    mail_from: str = ""

    lease_minutes: int = 15
    second_reading_share: float = 0.05
    exposure_per_day: int = 100
    exposure_in_a_row: int = 25
    exposure_pause_minutes: int = 15
    heartbeat_seconds: float = 5.0
    stalled_seconds: float = 20.0
    retry_scale: float = 1.0

    @property
    def url(self) -> str:
        """The address under which people and apps reach Kinward, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether Kinward is reached over TLS, and so may mark its cookies Secure."""
        return urlsplit(self.url).scheme == "https"

    def secret(self, name: str) -> str:
        """A secret by name: from the environment, else from its file under `<data_dir>/secrets`."""
        given = getattr(self, name)
        if given:
            return str(given)
        path = self.secret_path(name)
        try:
            return path.read_text().strip()
        except OSError as error:
            raise NotConfigured(
                f"The secret {name!r} is neither in KINWARD_{name.upper()} nor readable at {path}."
            ) from error

    def secret_path(self, name: str) -> Path:
        """Where the file of a secret lies."""
        return self.data_dir / "secrets" / name


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a plug-in. A subclass has a `prefix` and a field for each setting.

    The field `url` of the section with the prefix `tide` is the variable `KINWARD_TIDE_URL`. A
    field without a default is required wherever the plug-in is in use.
    """

    prefix: ClassVar[str]

    @classmethod
    def variables(cls) -> list[str]:
        """The environment variables that it reads, in the order of its fields."""
        return [_variable(cls.prefix, field) for field in cls.__struct_fields__]


AnySection = TypeVar("AnySection", bound=Section)


def travels_safely(url: str) -> bool:
    """Whether nobody can read on its way what is sent to an address: https, or this machine.

    >>> [travels_safely(f"{each}.example") for each in ("https://a", "http://a", "ftp://a")]
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
    """Raise `NotConfigured` unless what is sent to the address of a setting travels safely."""
    if not travels_safely(url):
        raise NotConfigured(f"{setting} must be https, unless it is on this machine.")


def write_secret(path: Path, value: str) -> None:
    """Write a secret that only its owner can read; an existing one is left alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(value + "\n")


def random_secret() -> str:
    """A new secret of 256 bits, in the alphabet of URLs."""
    return secrets.token_urlsafe(32)


def read_config(environ: Mapping[str, str]) -> Config:
    """The configuration in an environment; a value of the wrong kind is named.

    >>> read_config({"KINWARD_PORT": "9000"}).url
    'http://127.0.0.1:9000'
    """
    return Config(**_read(Config, "", environ))


def read_section(kind: type[AnySection], environ: Mapping[str, str]) -> AnySection:
    """A section of settings in an environment; a value that is wrong or missing is named."""
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
            raise NotConfigured(f"{variable} is {raw!r}: {error}.") from error
    return values


def _variable(prefix: str, field: str) -> str:
    return "_".join(("KINWARD", *filter(None, (prefix, field)))).upper()


@cache
def config() -> Config:
    """The configuration of this process, read once."""
    return read_config(os.environ)


@cache
def _section(kind: type[Section]) -> Section:
    return read_section(kind, os.environ)


def section(kind: type[AnySection]) -> AnySection:
    """A plug-in's settings in this process, read once."""
    return cast("AnySection", _section(kind))


def forget_config() -> None:
    """Read everything again when it is next asked for: the environment has changed."""
    config.cache_clear()
    _section.cache_clear()
