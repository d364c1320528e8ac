"""Minutes of use and other counts of the teen's local day, and pass-codes for offline devices."""
