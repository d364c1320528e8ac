"""The policy bench: one policy of eight rules, ours and the peers', in one run."""
