"""The link between a guardian and a teen: invitation, power, dispute and end."""
