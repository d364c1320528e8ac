"""Meta's ThreatExchange."""

from collections.abc import Iterator
from typing import Any, Final, cast

from threatexchange.exchanges.clients.fb_threatexchange.api import ThreatExchangeAPI
from threatexchange.exchanges.clients.fb_threatexchange.threat_updates import ThreatUpdateJSON
from threatexchange.exchanges.fetch_state import FetchDelta
from threatexchange.exchanges.impl.fb_threatexchange_api import (
    FBThreatExchangeCheckpoint,
    FBThreatExchangeIndicatorRecord,
    FBThreatExchangeSignalExchangeAPI,
)

from kinward.exchanges.bounds import FeedUnreadable, skip_record
from kinward.exchanges.kinds import OpinionKind
from kinward.exchanges.partners.pages import mark_until, member, objects

PAGE: Final = 100
_REACTIONS: Final = {
    OpinionKind.SEEN: "SAW_THIS_TOO",
    OpinionKind.CONFIRMED: "HELPFUL",
    OpinionKind.FALSE_POSITIVE: "NOT_HELPFUL",
}


class FacebookClient(ThreatExchangeAPI):
    """The package's client, with reactions."""

    @property
    def address(self) -> str:
        """The address that it calls."""
        return str(self._base_url)

    def react(self, indicator: str, reaction: str) -> None:
        """React to every descriptor of an indicator. `indicator`: its text."""
        token = {"access_token": self.api_token}
        answer = self.get_json_from_url(
            f"{self._base_url}/threat_descriptors",
            {**token, "text": indicator, "strict_text": "true", "fields": "id"},
        )
        with self._get_session() as session:  # type: ignore[no-untyped-call]
            for descriptor in objects(answer, "data"):
                url = f"{self._base_url}/{int(descriptor['id'])}"
                session.post(url, params=token, data={"reactions": reaction}).raise_for_status()


class Facebook(FBThreatExchangeSignalExchangeAPI):
    """Meta's ThreatExchange."""

    @property
    def address(self) -> str:
        """The address that it calls."""
        return cast("FacebookClient", self.client).address

    def fetch_iter(self, _supported: Any, checkpoint: Any) -> Iterator[Any]:
        """Yield the pages of the feed."""
        mark = 0 if checkpoint is None else checkpoint.update_time
        fields = ThreatUpdateJSON.te_threat_updates_fields()
        about = {
            "access_token": self.client.api_token,
            "start_time": mark or None,
            "limit": PAGE,
            "fields": ",".join(fields),
        }
        url: str | None = f"{self.address}/{self.collab.privacy_group}/threat_updates/"
        while url:
            page = self.client.get_json_from_url(url, about)
            updates: dict[tuple[str, str], Any] = {}
            for row in objects(page, "data"):
                mark = max(mark, self._take(row, updates, mark))
            yield FetchDelta(updates, FBThreatExchangeCheckpoint(mark))
            url, about = _next_of(page), {}

    def _take(self, row: Any, updates: dict[tuple[str, str], Any], mark: int) -> int:
        """Read one record into `updates`, and return the mark after it."""
        key = None
        try:
            update = ThreatUpdateJSON(row)
            key = (member(row, "type", str), member(row, "indicator", str))
            at = update.time
            read = FBThreatExchangeIndicatorRecord.from_threatexchange_json
            updates[key] = read(self.client.app_id, update)
        except Exception as error:
            skip_record(error, key)
            return mark
        return mark_until(at, mark)

    def opine(self, key: str, kind: str, value: str, opinion: OpinionKind) -> None:
        """React to every descriptor of an indicator."""
        cast("FacebookClient", self.client).react(value, _REACTIONS[opinion])


def _next_of(page: dict[str, Any]) -> str | None:
    """Return the address of the next page; None on the last one. Raises `FeedUnreadable`."""
    if page.get("paging") is None:
        return None
    following = member(page, "paging", dict).get("next")
    if following is not None and not isinstance(following, str):
        raise FeedUnreadable("Its next page has no address.")
    return following or None
