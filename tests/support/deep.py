"""How deep the tests look: as deep as the minutes of CI allow, or deeper with `make deep`."""

import os
from typing import Final

DEEP: Final = os.environ.get("KINWARD_TEST_DEEP") == "1"
TIMES: Final = 40 if DEEP else 1  # as many examples and sequences
