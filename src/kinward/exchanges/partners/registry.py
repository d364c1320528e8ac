"""Which interface a partner has, and how it is configured."""

import dataclasses
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final
from urllib.parse import urlsplit

import dacite
from threatexchange.exchanges.clients.ncmec import hash_api as ncmec
from threatexchange.exchanges.clients.stopncii import api as stopncii
from threatexchange.exchanges.impl import ncmec_api
from threatexchange.exchanges.impl.file_api import LocalFileSignalExchangeAPI
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest

from kinward.exchanges.partners.facebook import Facebook, FacebookClient
from kinward.exchanges.partners.ncmec import Ncmec
from kinward.exchanges.partners.stopncii import StopNcii
from kinward.exchanges.partners.tat import Tat
from kinward.ground.errors import Invalid

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
PARTNERS: Final[dict[str, type[Any]]] = {
    "ncmec": Ncmec,
    "stop_ncii": StopNcii,
    "fb_threatexchange": Facebook,
    "tat": Tat,
    "local_file": LocalFileSignalExchangeAPI,
}


def api_class(name: str, extension: str) -> type[Any]:
    """Return the class of an interface, ours or an extension's. Raises `Invalid`."""
    if not extension:
        if name not in PARTNERS:
            raise Invalid(f"No interface {name!r}: {', '.join(PARTNERS)}, or an extension's.")
        return PARTNERS[name]
    manifest = manifest_of(extension)
    for api in manifest.apis:
        if api.get_name() == name:
            return api
    raise Invalid(f"{extension} has {', '.join(api.get_name() for api in manifest.apis)}.")


def manifest_of(extension: str) -> ThreatExchangeExtensionManifest:
    """Return what an extension declares. Raises `Invalid`."""
    try:
        return ThreatExchangeExtensionManifest.load_from_module_name(extension)
    except ValueError as error:
        raise Invalid(f"{error}.") from error


def connect(
    *,
    name: str,
    api: str,
    extension: str,
    config: Mapping[str, Any],
    credentials: Mapping[str, str],
) -> Any:
    """Return a partner's interface, ready for use. Raises `Invalid` for a wrong configuration."""
    cls = api_class(api, extension)
    values = dict(config)
    url = _checked_url(str(values.pop("url", "")))
    if cls is Ncmec and url:
        values.setdefault("environment", ncmec.NCMECEnvironment.test_Industry.value)
    collab = _filled(cls.get_config_cls(), {"api": api, "enabled": True, **values, "name": name})
    if cls is StopNcii:
        feedback = credentials.get("feedback_function_key", "")
        keys = {stopncii.StopNCIIEndpoint.SubmitFeedback: feedback}
        subscription, fetching = _needed(credentials, "subscription_key", "fetch_function_key")
        return StopNcii(collab, stopncii.StopNCIIAPI(subscription, fetching, keys, url or None))
    if cls is Facebook:
        (token,) = _needed(credentials, "api_token")
        client = FacebookClient(token, endpoint_override=url or None)
        return Facebook(client, collab)
    if not hasattr(cls, "get_credential_cls"):
        return cls.for_collab(collab)
    interface = cls.for_collab(collab, _filled(cls.get_credential_cls(), dict(credentials)))
    if cls is Ncmec:
        interface.url = url
    return interface


def _needed(credentials: Mapping[str, str], *names: str) -> list[str]:
    missing = [name for name in names if not credentials.get(name)]
    if missing:
        raise Invalid(f"Its credentials need {', '.join(missing)}.")
    return [credentials[name] for name in names]


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if url and parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Invalid("A partner is reached over https.")
    return url.rstrip("/")


def _filled(cls: type[Any], values: dict[str, Any]) -> Any:
    """Return a dataclass of the package from JSON. Raises `Invalid`."""
    known = {field.name for field in dataclasses.fields(cls) if field.init}
    environments = [environment.value for environment in ncmec.NCMECEnvironment]
    if cls is ncmec_api.NCMECCollabConfig and values.get("environment") not in environments:
        raise Invalid(f"environment is one of {', '.join(environments)}.")
    if unknown := set(values) - known - {"api", "enabled"}:
        raise Invalid(f"Unknown setting {min(unknown)!r}; there are {', '.join(sorted(known))}.")
    kept = {key: value for key, value in values.items() if key in known}
    try:
        return dacite.from_dict(cls, kept, dacite.Config(cast=[Enum, set, int]))
    except (dacite.DaciteError, ValueError, TypeError) as error:
        raise Invalid(f"{error}.") from error
