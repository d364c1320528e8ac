"""Whom a job waits for. Pure."""

from enum import StrEnum


class Lane(StrEnum):
    """Whom a job waits for. Each lane has places of its own in a worker.

    So whoever answers slowly holds up no job but those that need the same answer.
    """

    OURS = "default"  # only the database
    STORES = "stores"  # of evidence
    APP = "app"
    AUTHORITIES = "authorities"
    PARTNERS = "partners"  # their lists …
    OPINIONS = "opinions"  # … and what they are told of them
    MAIL = "mail"
