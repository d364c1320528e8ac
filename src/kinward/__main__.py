"""`python -m kinward` is the command `kinward`."""

from kinward.cli.main import main

main()
