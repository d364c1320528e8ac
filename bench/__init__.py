"""Benchmarks: ours beside the peers, in the same run, printed as ratios. No test asserts a time."""
