"""Django's settings and URLs, logs, and the ASGI application."""
