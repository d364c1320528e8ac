"""Partners here have a handful of hashes, so that one of them is more than a tenth of a bank."""

import pytest

from tests.integration.conftest import Configure


@pytest.fixture(autouse=True)
def _small_banks(configure: Configure) -> None:
    configure(bank_withdrawal_share=1.0)
