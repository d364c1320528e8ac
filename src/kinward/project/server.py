"""`python -m kinward.project.server …` is granian, and takes its arguments, with its memory shut.

Granian's first process holds our settings, secrets among them, and its workers are its forks.
"""

import resource

from granian.cli import entrypoint

from kinward.ground.privacy import close_memory


def allow_files() -> None:
    """Let this process open as many files as it may: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    close_memory()
    allow_files()
    entrypoint()  # type: ignore[no-untyped-call]
