"""The kinds of opinion on a partner's hash."""

from enum import StrEnum

from kinward.ground.errors import KinwardError


class OpinionKind(StrEnum):
    """An opinion on a partner's hash."""

    SEEN = "seen"
    CONFIRMED = "confirmed"
    FALSE_POSITIVE = "false positive"


class NotTaken(KinwardError):
    """This partner does not accept such an opinion."""

    code = "exchange.opinion_not_taken"
