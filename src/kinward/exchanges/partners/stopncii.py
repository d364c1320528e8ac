"""StopNCII's API."""

import enum
import time
from collections.abc import Iterator
from typing import Any, Final

import dacite
from threatexchange.exchanges.clients.stopncii import api as stopncii
from threatexchange.exchanges.fetch_state import FetchDelta
from threatexchange.exchanges.impl import stop_ncii_api

from kinward.exchanges.bounds import FeedUnreadable, skip_record
from kinward.exchanges.kinds import OpinionKind
from kinward.exchanges.partners.pages import mark_until, member, objects

PAGE: Final = 800
GONE: Final = (stopncii.StopNCIICaseStatus.Withdrawn, stopncii.StopNCIICaseStatus.Deleted)
KINDS: Final = {
    stopncii.StopNCIISignalType.ImagePDQ: "pdq",
    stopncii.StopNCIISignalType.VideoMD5: "md5",
    stopncii.StopNCIISignalType.VideoTMK: "tmk_pdqf",
    stopncii.StopNCIISignalType.URL: "url",
    stopncii.StopNCIISignalType.Text: "raw_text",
}


class StopNcii(stop_ncii_api.StopNCIISignalExchangeAPI):
    """StopNCII. Withdrawn hashes are removed; the package compares the wrong field."""

    @property
    def address(self) -> str:
        """The address that it calls."""
        return str(self.api._base_url)

    def fetch_iter(self, _supported: Any, checkpoint: Any) -> Iterator[Any]:
        """Yield the pages of the feed."""
        start = self.api.DEFAULT_START_TIME if checkpoint is None else checkpoint.update_time
        began, token, more = int(time.time()), "", True
        while more:
            about = {"startTimestamp": start, "pageSize": PAGE}
            about |= {"nextPageToken": token} if token else {}
            page = self.api._get(stopncii.StopNCIIEndpoint.FetchHashes, **about)
            more = member(page, "hasMoreRecords", bool)
            token = page.get("nextPageToken") or ""
            if more and not isinstance(token, str | int):
                raise FeedUnreadable("Its nextPageToken is no text.")
            updates = _updates(objects(page, "hashRecords", empty=page.get("count") == 0))
            # The token of a page is invalid in the next sync.
            mark = start if more else mark_until(page.get("nextSetTimestamp"), start, began)
            yield FetchDelta(updates, stop_ncii_api.StopNCIICheckpoint(mark, began))

    def opine(self, key: str, kind: str, value: str, opinion: OpinionKind) -> None:
        """Send feedback on one hash."""
        feedback = stopncii.StopNCIICSPFeedbackValue
        values = {
            OpinionKind.SEEN: feedback.PendingReview,
            OpinionKind.CONFIRMED: feedback.Blocked,
            OpinionKind.FALSE_POSITIVE: feedback.NotBlocked,
        }
        self.api.submit_feedback(stopncii.StopNCIISignalType.Unknown, value, values[opinion])


def _updates(rows: list[Any]) -> dict[tuple[str, str], Any]:
    """Return the records of a page by key. The newest of one hash counts, whatever their order."""
    records = [record for row in rows if (record := _record(row))]
    updates: dict[tuple[str, str], Any] = {}
    for record in sorted(records, key=lambda record: record.lastModtimestamp):
        kind = KINDS.get(record.signalType, record.signalType.value)
        feedback = stop_ncii_api.StopNCIISignalMetadata(record.CSPFeedbacks)
        updates[kind, record.hashValue] = None if record.hashStatus in GONE else feedback
    return updates


def _record(row: Any) -> stopncii.StopNCIIHashRecord | None:
    try:
        known = dacite.Config(cast=[enum.Enum, set])
        return dacite.from_dict(stopncii.StopNCIIHashRecord, row, known)
    except Exception as error:
        skip_record(error, _key(row))
        return None


def _key(row: Any) -> tuple[str, str] | None:
    try:
        kind = stopncii.StopNCIISignalType(row["signalType"])
        value = row["hashValue"]
    except Exception:
        return None
    return (KINDS.get(kind, kind.value), value) if isinstance(value, str) else None
