"""`python -m kinward` is the command `kinward`."""

from kinward.cli.api import main

main()
