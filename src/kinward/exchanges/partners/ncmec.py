"""NCMEC's Hash Sharing API at any address."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from threatexchange.exchanges.clients.ncmec import hash_api as ncmec
from threatexchange.exchanges.impl import ncmec_api

from kinward.exchanges.bounds import FeedUnreadable, skip_record
from kinward.exchanges.kinds import NotTaken, OpinionKind
from kinward.exchanges.partners.sessions import HTTPError, is_gone

FORM: Final = "%Y-%m-%dT%H:%M:%SZ"


class NcmecClient(ncmec.NCMECHashAPI):
    """The package's client. A record that cannot be read costs only itself."""

    def __init__(self, user: str, password: str, url: str) -> None:
        super().__init__(user, password, ncmec.NCMECEnvironment.test_Industry)
        self._base_url = url

    def get_entries(
        self, *, start_timestamp: int = 0, end_timestamp: int = 0, next_: str = ""
    ) -> ncmec.GetEntriesResponse:
        """Return a page of entries, times in Unix seconds. Raises `FeedUnreadable`."""
        span = {"from": _text(start_timestamp), "to": _text(end_timestamp)}
        return _page(self._get(ncmec.NCMECEndpoint.entries, next_=next_, **span), end_timestamp)


def _page(root: Any, end: int) -> ncmec.GetEntriesResponse:
    groups = [group for name in ("images", "videos") for group in root.findall(name)]
    if root.tag != "queryResult" or not groups:
        raise FeedUnreadable("It has neither images nor videos.")
    entries = [entry for group in groups for row in group if (entry := _entry(row))]
    latest = max((_seconds(group.get("maxTimestamp")) for group in groups), default=0)
    after = root.findtext("paging/next") or ""
    return ncmec.GetEntriesResponse(entries, min(latest, end) or end, after)


def _entry(row: Any) -> ncmec.NCMECEntryUpdate | None:
    try:
        entry = ncmec.NCMECEntryUpdate.from_xml(ncmec._XMLWrapper(row))
        if not entry.id.strip():
            raise ValueError("no id")
    except Exception as error:
        member, name = row.find("member"), row.findtext("id")
        known = member is not None and member.get("id") and name
        skip_record(error, f"{member.get('id')}-{name}" if known else None)
        return None
    return entry


def _seconds(text: str | None) -> int:
    try:
        return int(datetime.strptime(text or "", FORM).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0


def _text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(FORM)


class Ncmec(ncmec_api.NCMECSignalExchangeAPI):
    """NCMEC. All fingerprints of an entry are used, not only those that the package can match."""

    url = ""

    @property
    def address(self) -> str:
        """The address that it calls."""
        return self.url or str(self.collab.environment.value)

    def get_client(self, environment: ncmec.NCMECEnvironment) -> NcmecClient:
        return NcmecClient(self._username, self._password, self.address)

    def fetch_iter(self, supported: Any, checkpoint: Any) -> Iterator[Any]:
        """Yield the parts of the feed. Reread the span if the page that the mark names is gone."""
        parts = super().fetch_iter(supported, checkpoint)
        if checkpoint is not None and checkpoint.paging_info is not None:
            try:
                first = next(parts)
            except HTTPError as error:
                if not is_gone(error):
                    raise
                parts = super().fetch_iter(supported, self.rewound(checkpoint))
            except StopIteration:
                return
            else:
                yield first
        yield from parts

    def rewound(self, checkpoint: Any) -> Any:
        """Return the mark at the start of the span whose pages a mark is in."""
        return ncmec_api.NCMECCheckpoint(checkpoint.get_entries_max_ts)

    def opine(self, key: str, kind: str, value: str, opinion: OpinionKind) -> None:
        """Send feedback on one fingerprint of one entry.

        Raises `NotTaken` for `SEEN`, which NCMEC has no word for, and for other kinds of hash.
        """
        member, _, entry = key.partition("-")
        fingerprint = _KINDS.get(kind, kind)
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


_KINDS: Final = {"photodna": "pdna"}
