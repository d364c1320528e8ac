"""The files for proxies name what the gate serves, and nothing else."""

import re
from pathlib import Path

import pytest

from kinward.access.services import PREFIX
from kinward.gate.routes import ROUTES

NGINX = Path(__file__).parents[3] / "docs" / "how-to" / "proxy" / "nginx.conf"
KEY = PREFIX + "a-B_3" * 8 + "xyz"  # as `secrets.token_urlsafe(32)` makes them


def exempt(path: str) -> bool:
    """Whether nginx counts no call of this path, as its file says."""
    (about,) = re.findall(r"map \$uri \$without \{(.*?)\n    \}", NGINX.read_text(), re.DOTALL)
    patterns = re.findall(r"\"?~(\S+?)\"? \"\";", about)
    assert patterns
    return any(re.search(pattern, path) for pattern in patterns)


def test_every_look_up_with_its_key_in_the_path_is_exempt() -> None:
    served = {route.path for route in ROUTES if route.key_in_path}
    assert len(served) == 3
    for path in served:
        assert exempt(path.replace("{key}", KEY)), path
        assert exempt(path.replace("{key}", KEY).replace("/", "//")), path


@pytest.mark.parametrize(
    "path",
    [
        *("/hma/x/", "/hma/x/m/lookup", "/hma/kw_/m/lookup", f"/hma/{KEY}", f"/hma/{KEY}/"),
        *(f"/hma/{KEY}/c/banks", f"/hma/{KEY}/m/lookup/x", f"/hma/{KEY}/x/m/lookup"),
        *(f"/v1/hma/{KEY}/m/lookup", "/m/lookup", "/v1/media"),
    ],
)
def test_no_other_path_is(path: str) -> None:
    assert not exempt(path)
