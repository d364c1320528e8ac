"""What stays open while an app is closed for a person by hours or limits."""

from typing import Final

# The capabilities that close the app as a whole.
CLOSES_THE_APP: Final = frozenset({"account.join", "session.hours", "session.time"})

# The platform keeps these open outside all hours and limits. Each word is in docs/reference.
ALWAYS_OPEN: Final = ("help", "report", "appeal", "ask", "safe", "emergency", "trusted")
