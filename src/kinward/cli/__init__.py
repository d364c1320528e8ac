"""The command line: `kinward`."""
