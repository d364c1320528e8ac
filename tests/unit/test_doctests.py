"""The examples in docstrings run."""

import doctest
import importlib
from pathlib import Path
from typing import Final

import pytest

SOURCE: Final = Path(__file__).parents[2] / "src"


def modules() -> list[str]:
    """Name every module with an example."""
    paths = [path for path in SOURCE.glob("kinward/**/*.py") if ">>> " in path.read_text()]
    names = [path.relative_to(SOURCE).with_suffix("").parts for path in sorted(paths)]
    return [".".join(parts).removesuffix(".__init__") for parts in names]


@pytest.mark.parametrize("module", modules())
def test_examples(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
