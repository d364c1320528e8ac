"""The gate: the small, fast door that the platform's app calls on every upload."""
