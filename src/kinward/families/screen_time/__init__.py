"""Minutes of the teen's own day, and pass-codes for offline moments."""
