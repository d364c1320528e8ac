"""What we can think of a partner's hash."""

from enum import StrEnum

from kinward.ground.errors import KinwardError


class OpinionKind(StrEnum):
    """What we can think of a partner's hash."""

    SEEN = "seen"
    CONFIRMED = "confirmed"
    FALSE_POSITIVE = "false positive"


class NotTaken(KinwardError):
    """This partner takes no such opinion."""

    code = "exchange.opinion_not_taken"
