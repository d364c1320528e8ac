"""The console: pages for the people who decide."""
