"""Reports to authorities: what is said, step by step, and where each report stands."""
