"""The policy bench: one policy of eight rules in our engine and the peers', in one run."""
