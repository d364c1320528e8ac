"""Whether this process may serve: asked of the database, again and again until it is known.

After a restore nothing may serve before what was erased is erased again. A database that is
unreachable says neither yes nor no, and that is no permission.
"""

import threading
import time
from typing import Final

import structlog
from django.db import DatabaseError, InterfaceError, connection

from kinward.erasure.errors import ErasuresUnknown
from kinward.erasure.replay import require_replayed
from kinward.ground.errors import KinwardError

logger = structlog.get_logger(__name__)

PAUSE: Final = 1.0  # seconds between two questions


def require_known() -> None:
    """Raise what `require_replayed` raises, and `ErasuresUnknown` if nobody can tell."""
    try:
        require_replayed()
    except (DatabaseError, InterfaceError, OSError) as error:
        told = str(error).split("\n")[0]
        logger.warning("erasures.unknown", error=told)
        raise ErasuresUnknown from error


def wait_until_known() -> None:
    """Return once this process may work. Raises what `require_replayed` raises."""
    while True:
        try:
            return require_known()
        except ErasuresUnknown:
            time.sleep(PAUSE)
        finally:
            connection.close()


class Clearance:
    """What this process knows. Until it may serve, a thread asks once a second."""

    def __init__(self) -> None:
        self._refusal: KinwardError | None = ErasuresUnknown()

    def begin(self) -> None:
        """Ask once, and leave the rest to a thread if nobody can tell.

        Raises what `require_replayed` raises: a process that may not serve does not start.
        """
        try:
            self._ask()
        except ErasuresUnknown:
            threading.Thread(target=self._keep_asking, name="clearance", daemon=True).start()

    def require(self) -> None:
        """Raise why this process may not serve. Costs nothing once it may."""
        if self._refusal is not None:
            raise type(self._refusal)(self._refusal.detail)

    def _ask(self) -> None:
        try:
            require_known()
            self._refusal = None
        except KinwardError as error:
            self._refusal = error
            raise
        finally:
            connection.close()

    def _keep_asking(self) -> None:
        while self._refusal is not None:
            time.sleep(PAUSE)
            try:
                self._ask()
            except KinwardError:
                continue
            except Exception:  # whatever it is, it is no permission
                logger.exception("erasures.unknown")
