"""The interfaces of partners, from the `threatexchange` package and its extensions.

The interfaces of NCMEC, StopNCII and Meta add what the package lacks: responses have a size limit,
an address can be set, StopNCII's withdrawals are honoured, and opinions can be sent.
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final, cast
from urllib.parse import urlsplit

import dacite
import requests

from kinward.exchanges import hashing  # noqa: F401  `threatexchange` imports `pdqhash`

# isort: split
from threatexchange.exchanges.clients.fb_threatexchange.api import ThreatExchangeAPI
from threatexchange.exchanges.clients.ncmec import hash_api as ncmec
from threatexchange.exchanges.clients.stopncii import api as stopncii
from threatexchange.exchanges.fetch_state import FetchDelta
from threatexchange.exchanges.impl import ncmec_api, stop_ncii_api
from threatexchange.exchanges.impl.fb_threatexchange_api import (
    FBThreatExchangeSignalExchangeAPI,
)
from threatexchange.exchanges.impl.file_api import LocalFileSignalExchangeAPI
from threatexchange.exchanges.impl.techagainstterrorism_api import (
    TATSignalExchangeAPI,
)
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest
from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.url import URLSignal

from kinward.exchanges.kinds import NotTaken, OpinionKind
from kinward.ground.errors import Invalid, KinwardError
from kinward.matching.api import ListedHash, kind_named, listed

MAX_ANSWER: Final = 64 * 1024 * 1024
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class AnswerTooLarge(KinwardError):
    """The partner's response exceeds the size limit."""

    code = "exchange.answer_too_large"


def _bounded(session: requests.Session) -> requests.Session:
    """Bound a session: responses have a size limit, and redirects are not followed."""

    def read(response: requests.Response, *args: Any, **kwargs: Any) -> None:
        body = response.raw.read(MAX_ANSWER + 1, decode_content=True)
        if len(body) > MAX_ANSWER:
            raise AnswerTooLarge(f"More than {MAX_ANSWER:,} bytes.")
        response._content = body

    session.hooks["response"].append(read)
    session.max_redirects = 0
    return session


class NcmecClient(ncmec.NCMECHashAPI):
    """NCMEC's Hash Sharing API at any address, bounded."""

    def __init__(self, user: str, password: str, url: str) -> None:
        super().__init__(user, password, ncmec.NCMECEnvironment.test_Industry)
        self._base_url = url

    def _get_session(self) -> requests.Session:
        return _bounded(super()._get_session())


class Ncmec(ncmec_api.NCMECSignalExchangeAPI):
    """NCMEC. All fingerprints of an entry are used, not only those that the package can match."""

    url = ""

    def get_client(self, environment: ncmec.NCMECEnvironment) -> NcmecClient:
        return NcmecClient(self._username, self._password, self.url or environment.value)

    def opine(self, key: str, kind: str, value: str, opinion: OpinionKind) -> None:
        """Send feedback on one fingerprint of one entry.

        Raises `NotTaken` for `SEEN`, which NCMEC has no word for, and for other kinds of hash.
        """
        member, _, entry = key.partition("-")
        fingerprint = _NCMEC_KINDS.get(kind, kind)
        if fingerprint not in ncmec.FingerprintType.__members__ or opinion == OpinionKind.SEEN:
            raise NotTaken(f"{opinion} of {kind}.")
        votes = {
            OpinionKind.CONFIRMED: ncmec.FeedbackType.upvote,
            OpinionKind.FALSE_POSITIVE: ncmec.FeedbackType.downvote,
        }
        client = self.get_client(self.collab.environment)
        type_ = ncmec.FingerprintType[fingerprint]
        reason = None
        if opinion == OpinionKind.FALSE_POSITIVE:
            reasons = client.feedback_reasons(type_)
            named = [guid for guid, name in reasons.items() if "false" in name.lower()]
            reason = next(iter([*named, *reasons]), None)
        client.submit_feedback(int(member), entry, type_, votes[opinion], reason)


_NCMEC_KINDS: Final = {"photodna": "pdna"}


class StopNciiClient(stopncii.StopNCIIAPI):
    """StopNCII's API, bounded."""

    def _get_session(self, endpoint: stopncii.StopNCIIEndpoint) -> requests.Session:
        return _bounded(super()._get_session(endpoint))


class StopNcii(stop_ncii_api.StopNCIISignalExchangeAPI):
    """StopNCII. Withdrawn hashes are removed; the package compares the wrong field."""

    def fetch_iter(self, _supported: Any, checkpoint: Any) -> Iterator[Any]:
        gone = (stopncii.StopNCIICaseStatus.Withdrawn, stopncii.StopNCIICaseStatus.Deleted)
        start = self.api.DEFAULT_START_TIME if checkpoint is None else checkpoint.update_time
        for result in self.api.fetch_hashes_iter(start_timestamp=start):
            updates = {}
            for record in result.hashRecords:
                kind = _STOPNCII_KINDS.get(record.signalType, record.signalType.value)
                feedback = stop_ncii_api.StopNCIISignalMetadata(record.CSPFeedbacks)
                updates[kind, record.hashValue] = None if record.hashStatus in gone else feedback
            point = stop_ncii_api.StopNCIICheckpoint.from_stopncii_fetch(result)
            if result.hasMoreRecords:  # the token of a page is invalid in the next sync
                point.update_time = start
            yield FetchDelta(updates, point)

    def opine(self, key: str, kind: str, value: str, opinion: OpinionKind) -> None:
        """Send feedback on one hash."""
        feedback = stopncii.StopNCIICSPFeedbackValue
        values = {
            OpinionKind.SEEN: feedback.PendingReview,
            OpinionKind.CONFIRMED: feedback.Blocked,
            OpinionKind.FALSE_POSITIVE: feedback.NotBlocked,
        }
        self.api.submit_feedback(stopncii.StopNCIISignalType.Unknown, value, values[opinion])


_STOPNCII_KINDS: Final = {
    stopncii.StopNCIISignalType.ImagePDQ: "pdq",
    stopncii.StopNCIISignalType.VideoMD5: "md5",
    stopncii.StopNCIISignalType.VideoTMK: "tmk_pdqf",
    stopncii.StopNCIISignalType.URL: "url",
    stopncii.StopNCIISignalType.Text: "raw_text",
}


class FacebookClient(ThreatExchangeAPI):
    """Meta's ThreatExchange, bounded: every call goes through its session."""

    def _get_session(self) -> requests.Session:
        return _bounded(super()._get_session())  # type: ignore[no-untyped-call]

    def get_json_from_url(self, url: str, params: Any = None, *, json_obj_hook: Any = None) -> Any:
        with self._get_session() as session:
            response = session.get(url, params=params or {})
            response.raise_for_status()
            return response.json(object_hook=json_obj_hook)

    def react(self, indicator: str, reaction: str) -> None:
        """React to every descriptor of an indicator. `indicator`: its text."""
        token = {"access_token": self.api_token}
        answer = self.get_json_from_url(
            f"{self._base_url}/threat_descriptors",
            {**token, "text": indicator, "strict_text": "true", "fields": "id"},
        )
        with self._get_session() as session:
            for descriptor in answer["data"]:
                url = f"{self._base_url}/{descriptor['id']}"
                session.post(url, params=token, data={"reactions": reaction}).raise_for_status()


_REACTIONS: Final = {
    OpinionKind.SEEN: "SAW_THIS_TOO",
    OpinionKind.CONFIRMED: "HELPFUL",
    OpinionKind.FALSE_POSITIVE: "NOT_HELPFUL",
}


class Facebook(FBThreatExchangeSignalExchangeAPI):
    """Meta's ThreatExchange."""

    def opine(self, key: str, kind: str, value: str, opinion: OpinionKind) -> None:
        """React to every descriptor of an indicator."""
        cast("FacebookClient", self.client).react(value, _REACTIONS[opinion])


PARTNERS: Final[dict[str, type[Any]]] = {
    "ncmec": Ncmec,
    "stop_ncii": StopNcii,
    "fb_threatexchange": Facebook,
    "tat": TATSignalExchangeAPI,
    "local_file": LocalFileSignalExchangeAPI,
}
SIGNAL_TYPES: Final = (PdqSignal, VideoMD5Signal, URLSignal)


def api_class(name: str, extension: str) -> type[Any]:
    """Return the class of an interface, ours or an extension's. Raises `Invalid`."""
    if not extension:
        if name not in PARTNERS:
            raise Invalid(f"No interface {name!r}: {', '.join(PARTNERS)}, or an extension's.")
        return PARTNERS[name]
    manifest = _manifest(extension)
    for api in manifest.apis:
        if api.get_name() == name:
            return api
    raise Invalid(f"{extension} has {', '.join(api.get_name() for api in manifest.apis)}.")


def _manifest(extension: str) -> ThreatExchangeExtensionManifest:
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
        return StopNcii(collab, StopNciiClient(subscription, fetching, keys, url or None))
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


def checkpoint_to_json(checkpoint: Any) -> Any:
    """Return a checkpoint of any interface as JSON; None if it has no fields."""
    return dataclasses.asdict(checkpoint) if dataclasses.fields(checkpoint) else None


def checkpoint_from_json(api: Any, stored: Any) -> Any:
    """Return a stored checkpoint, from which a sync resumes; None if there is none."""
    if stored is None:
        return None
    cls = api.get_checkpoint_cls()
    return dacite.from_dict(cls, stored, dacite.Config(cast=[Enum, set]))


def signals(api: Any, extension: str, key: Any, value: Any) -> tuple[list[ListedHash], int]:
    """Return the hashes of one entry, and the number of those that could not be parsed."""
    good: list[ListedHash] = []
    rows = list(_rows(api, extension, key, value))
    for name, text, reference, label in rows:
        with contextlib.suppress(ValueError):
            good.append(listed(kind_named(name).name, text, reference, label))
    return good, len(rows) - len(good)


def _rows(api: Any, extension: str, key: Any, value: Any) -> Iterator[tuple[str, str, str, str]]:
    """Yield kind, value, reference and label of an entry's hashes, in the partner's form."""
    if isinstance(value, ncmec.NCMECEntryUpdate):
        only = api.collab.only_esp_ids
        if not only or value.member_id in only:
            for kind, text in value.fingerprints.items():
                yield kind, text, str(value.id), value.classification or ""
    elif isinstance(key, tuple):
        if not _is_disputed(value):
            yield str(key[0]), str(key[1]), "", ""
    else:
        types = [*SIGNAL_TYPES, *(_manifest(extension).signal_types if extension else ())]
        signals_by_type = api.naive_convert_to_signal_type(types, api.collab, {key: value})
        for type_, texts in signals_by_type.items():
            for text, metadata in texts.items():
                if not _is_disputed(metadata):
                    yield type_.get_name(), text, str(key), ""


def _is_disputed(metadata: Any) -> bool:
    """Return whether all opinions on a signal say that it is wrong, and there are any."""
    opinions = [opinion.category.name for opinion in metadata.get_as_opinions()]
    return bool(opinions) and set(opinions) == {"NEGATIVE_CLASS"}
