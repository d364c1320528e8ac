"""Cases: findings about one account, settled together, by a verdict that becomes actions."""
