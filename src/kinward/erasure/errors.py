"""Why an erasure is refused."""

from kinward.ground.errors import KinwardError


class ErasureDelayed(KinwardError):
    """This account cannot be erased yet."""

    code = "erasure.delayed"
    status = 409


class ErasureAsked(KinwardError):
    """Somebody has asked for the erasure of this account already."""

    code = "erasure.asked"
    status = 409


class ErasureTakesTwo(KinwardError):
    """Two people erase an account: one asks, another approves."""

    code = "erasure.takes_two"
    status = 409


class ErasuresWait(KinwardError):
    """This database is older than some erasures, so it still has data that was erased."""

    code = "erasure.wait"
    status = 503


class ListNeeded(KinwardError):
    """This database was restored, and nobody knows who was erased since: the list is not here."""

    code = "erasure.list_needed"
    status = 503


class ErasuresUnknown(KinwardError):
    """The database is unreachable, so nobody knows yet whether erasures wait. Try again."""

    code = "erasure.unknown"
    status = 503


class ListBroken(KinwardError):
    """The list of erasures was changed, or it was written with another key."""

    code = "erasure.list_broken"
    status = 503


class NotSetBack(KinwardError):
    """The list has erasures that this database does not know, and the database was not set back."""

    code = "erasure.not_set_back"
    status = 409
