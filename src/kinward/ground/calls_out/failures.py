"""How a call to another machine fails."""

from kinward.ground.errors import KinwardError


class CallFailed(KinwardError):
    """The other side gave no complete answer."""

    code = "call.failed"
    status = 502


class NotSent(CallFailed):
    """No connection was made, so nothing was sent."""

    code = "call.not_sent"


class AddressRefused(NotSent):
    """Kinward does not call that address."""

    code = "call.address_refused"


class CallTooSlow(CallFailed):
    """The other side did not answer completely in time."""

    code = "call.too_slow"


class AnswerTooLarge(CallFailed):
    """The answer is larger than Kinward reads."""

    code = "call.answer_too_large"


class AnswerUnreadable(CallFailed):
    """The answer is not a document that Kinward reads."""

    code = "call.answer_unreadable"


class Redirected(CallFailed):
    """The other side redirects the call. Kinward follows no redirect: set the new address."""

    code = "call.redirected"
