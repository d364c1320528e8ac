"""The link between a guardian and a teen: its beginning, its power, its end."""
