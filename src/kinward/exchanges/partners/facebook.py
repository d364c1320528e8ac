"""Meta's ThreatExchange."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

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
from kinward.exchanges.partners.sessions import HTTPError, is_gone
from kinward.ground.calls_out import origin_of
from kinward.ground.text import storable

PAGE: Final = 100
MAX_PAGE_URL: Final = 4096  # characters of the address of a page that a mark names
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


@dataclass
class FacebookMark(FBThreatExchangeCheckpoint):
    """Where a sync resumes. `update_time`: where the span starts that is being read.

    `last_fetch_time`: when its reading began. `page`: the address of its next page, without the
    token; empty if none is known. `highest`: the latest time in the pages before. Unix seconds.
    """

    page: str = ""
    highest: int = 0


class Facebook(FBThreatExchangeSignalExchangeAPI):
    """Meta's ThreatExchange."""

    @property
    def address(self) -> str:
        """The address that it calls."""
        return cast("FacebookClient", self.client).address

    @staticmethod
    def get_checkpoint_cls() -> type[FBThreatExchangeCheckpoint]:
        """Return the class of its marks."""
        return FacebookMark

    def fetch_iter(self, _supported: Any, checkpoint: Any) -> Iterator[Any]:
        """Yield the pages of the feed. Reread the span if the page that the mark names is gone."""
        mark = FacebookMark(0, int(time.time())) if checkpoint is None else checkpoint
        if mark.page and origin_of(mark.page) == origin_of(self.address):
            parts = self._pages(mark)
            try:
                first = next(parts)
            except HTTPError as error:
                if not is_gone(error):
                    raise
            else:
                yield first
                yield from parts
                return
        yield from self._pages(FacebookMark(mark.update_time, int(time.time())))

    def rewound(self, checkpoint: Any) -> FacebookMark:
        """Return the mark at the start of the span whose pages a mark is in."""
        return FacebookMark(checkpoint.update_time, checkpoint.last_fetch_time)

    def _pages(self, mark: FacebookMark) -> Iterator[Any]:
        """Yield the pages from a mark on. Only the last one moves the start of the next span.

        The pages need not be in the order of time, so a page says nothing about those after it.
        """
        start, began, highest = mark.update_time, mark.last_fetch_time, mark.highest
        url: str | None = mark.page
        about: dict[str, Any] = {}
        if not url:
            url = f"{self.address}/{self.collab.privacy_group}/threat_updates/"
            fields = ",".join(ThreatUpdateJSON.te_threat_updates_fields())
            about = {"start_time": start or None, "limit": PAGE, "fields": fields}
        while url:
            token = {"access_token": self.client.api_token}
            page = self.client.get_json_from_url(url, {**token, **about})
            updates: dict[tuple[str, str], Any] = {}
            for row in objects(page, "data"):
                highest = max(highest, self._take(row, updates, began))
            url, about = _next_of(page), {}
            if url:
                after = FacebookMark(start, began, _kept(url), highest)
            else:
                after = FacebookMark(max(start, highest), began)
            yield FetchDelta(updates, after)

    def _take(self, row: Any, updates: dict[tuple[str, str], Any], began: int) -> int:
        """Read one record into `updates`. Return its time; 0 if that is none, or in the future."""
        key = None
        try:
            update = ThreatUpdateJSON(row)
            key = (member(row, "type", str), member(row, "indicator", str))
            at = mark_until(update.time, 0, began + 1)
            read = FBThreatExchangeIndicatorRecord.from_threatexchange_json
            updates[key] = read(self.client.app_id, update)
        except Exception as error:
            skip_record(error, key)
            return 0
        return at if at <= began else 0

    def opine(self, key: str, kind: str, value: str, opinion: OpinionKind) -> None:
        """React to every descriptor of an indicator."""
        cast("FacebookClient", self.client).react(value, _REACTIONS[opinion])


def _next_of(page: dict[str, Any]) -> str | None:
    """Return the address of the next page, without the token; None on the last one.

    Raises `FeedUnreadable`.
    """
    if page.get("paging") is None:
        return None
    following = member(page, "paging", dict).get("next")
    if following is not None and not isinstance(following, str):
        raise FeedUnreadable("Its next page has no address.")
    if not following:
        return None
    try:
        parts = urlsplit(following)
    except ValueError:
        raise FeedUnreadable("Its next page has no address.") from None
    query = [part for part in parts.query.split("&") if not part.startswith("access_token=")]
    return parts._replace(query="&".join(query)).geturl()


def _kept(url: str) -> str:
    """Return the address of a page if a mark can hold it; else the span is read again."""
    return url if len(url) <= MAX_PAGE_URL and storable(url) == url else ""
