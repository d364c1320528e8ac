"""The face of `review`: what other rooms may use."""

from kinward.review.comments import add_comment
from kinward.review.contacts import Contact, contacts_of_case
from kinward.review.exposure import Exposure, exposure_of
from kinward.review.grounds import describe_files, grounds_of_case
from kinward.review.lease import (
    LeaseNeeded,
    free_case,
    release_lease,
    require_lease,
    take_case,
    take_next_case,
)
from kinward.review.look import look_at_file, play_file, record_watched, veil_file
from kinward.review.measures import Work
from kinward.review.models import Comment, Viewing
from kinward.review.preferences import preferences_of, set_preferences
from kinward.review.queue import (
    cases_free_for,
    overdue_cases,
    prior_cases,
    queue_rows,
    recent_cases,
)
from kinward.review.second_reading import (
    draw,
    reader_agreement,
    record_second_reading,
    unread_verdicts,
)
from kinward.review.timeline import parked_counts, timeline_of_case
from kinward.review.watching import alerts_for, open_alerts, read_alert, work_since

__all__ = [
    "Comment",
    "Contact",
    "Exposure",
    "LeaseNeeded",
    "Viewing",
    "Work",
    "add_comment",
    "alerts_for",
    "cases_free_for",
    "contacts_of_case",
    "describe_files",
    "draw",
    "exposure_of",
    "free_case",
    "grounds_of_case",
    "look_at_file",
    "open_alerts",
    "overdue_cases",
    "parked_counts",
    "play_file",
    "preferences_of",
    "prior_cases",
    "queue_rows",
    "read_alert",
    "reader_agreement",
    "recent_cases",
    "record_second_reading",
    "record_watched",
    "release_lease",
    "require_lease",
    "set_preferences",
    "take_case",
    "take_next_case",
    "timeline_of_case",
    "unread_verdicts",
    "veil_file",
    "work_since",
]
