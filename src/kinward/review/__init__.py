"""The reviewers' work: queue, lease, look, exposure, second reading, comments."""
