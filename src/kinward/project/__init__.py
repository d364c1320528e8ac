"""Settings, addresses and the ASGI application: wiring, no logic."""
