"""Reports to authorities: their content, every step of their filing, and their state."""
