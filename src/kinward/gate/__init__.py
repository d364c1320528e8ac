"""The gate: the small, fast HTTP API that the platform's app calls."""
