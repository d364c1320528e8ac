"""Benchmarks of Kinward and its peers, in one run, printed as ratios. No test asserts a time."""
