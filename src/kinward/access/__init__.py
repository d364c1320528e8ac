"""Who may call: the staff who sign in, their roles, and the API keys of the platform."""
