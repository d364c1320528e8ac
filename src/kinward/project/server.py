"""`python -m kinward.project.server …` is granian, and takes its arguments, with its memory shut.

Granian's first process holds our settings, secrets among them, and its workers are its forks.
"""

from granian.cli import entrypoint

from kinward.ground.privacy import close_memory

if __name__ == "__main__":
    close_memory()
    entrypoint()  # type: ignore[no-untyped-call]
