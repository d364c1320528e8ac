"""Tech Against Terrorism's hash list."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

from threatexchange.exchanges.clients.techagainstterrorism import api as tat
from threatexchange.exchanges.fetch_state import FetchDelta
from threatexchange.exchanges.impl import techagainstterrorism_api as tat_api

from kinward.exchanges.bounds import FeedUnreadable, skip_record
from kinward.exchanges.partners.pages import member, objects

_FIELDS = frozenset(field.name for field in dataclasses.fields(tat.TATHashListEntry))


class TatClient(tat.TATHashListAPI):
    """The package's client. A record that cannot be read costs only itself."""

    def fetch_hashes(
        self, next_page: str | None = None, order: str = "asc", after: str = ""
    ) -> tat.TATHashListResponse:
        """Return a page of the list. Raises `FeedUnreadable`."""
        token = self.get_auth_token(self.username, self.password)
        url = f"{self.BASE_URL}{tat.TATEndpoint.hash_list.value}?{next_page}"
        page = self._get(full_url=url, auth_token=token, order=order, after=after)
        following, mark = page.get("next", False), member(page, "checkpoint", str)
        if following is not None and not isinstance(following, str):
            raise FeedUnreadable("It does not say whether there is a next page.")
        rows = [entry for row in objects(page, "results") if (entry := _entry(row))]
        return tat.TATHashListResponse(len(rows), following, None, mark, rows)


def _entry(row: Any) -> tat.TATHashListEntry | None:
    try:
        entry = tat.TATHashListEntry(
            **{name: value for name, value in row.items() if name in _FIELDS}
        )
        member(row, "hash_digest", str)
        member(row, "algorithm", str)
        member(row, "deleted", bool)
    except Exception as error:
        skip_record(error)
        return None
    return entry


class Tat(tat_api.TATSignalExchangeAPI):
    """Tech Against Terrorism."""

    address = tat.TATHashListAPI.BASE_URL

    def get_client(self) -> TatClient:
        return TatClient(self.username, self.password)

    def fetch_iter(self, _supported: Any, checkpoint: Any) -> Iterator[Any]:
        """Yield the pages of the list. The mark moves when the last one is read."""
        mark = "" if checkpoint is None else checkpoint.checkpoint
        began = int(time.time())
        for page in self.get_client().fetch_hashes_iter(mark):
            updates = dict(tat_api._get_delta_mapping(row) for row in page.results)
            kept = {key: value for key, value in updates.items() if key[0]}
            if not page.next and not _is_later(page.checkpoint, began):
                mark = page.checkpoint or mark
            yield FetchDelta(kept, tat_api.TATCheckpoint(mark))


def _is_later(mark: str, began: int) -> bool:
    """Return whether a mark, such as `1704085200,124`, lies after a time in Unix seconds."""
    seconds = mark.partition(",")[0].partition(".")[0].strip()
    return seconds.isdecimal() and (len(seconds) > 18 or int(seconds) > began)
