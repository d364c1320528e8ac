"""Enforcement: actions, each one durable effect on the platform, carried by a signed webhook."""
