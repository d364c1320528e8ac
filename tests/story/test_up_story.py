"""`kinward up`, without the demo: what runs beside an app of one's own."""

import re
from pathlib import Path

import httpx

from tests.story.conftest import Demo


def test_up_alone_is_the_same_without_the_demo(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    alone = Demo(tmp_path, command="up")
    printed = alone.start()
    assert f"Console and API: {alone.console}" in printed
    assert "kinward key create app --for gate" in printed
    (link,) = re.findall(r"http://\S+/account/join/\S+", printed)
    with httpx.Client(timeout=60, trust_env=False, follow_redirects=True) as browser:
        assert "to work in this console as administrator" in browser.get(link).text
    assert "administrator" in alone.kinward("staff", "list").stdout
    assert httpx.get(f"{alone.console}/healthz", trust_env=False).json() == {"status": "ok"}
    made = alone.kinward("key", "create", "app", "--for", "gate")
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    answer = httpx.put(
        f"{alone.console}/v1/accounts/a", json={}, headers=headers, timeout=60, trust_env=False
    )
    assert answer.status_code == 201
    assert "does not answer" in alone.kinward("doctor").stdout
    assert alone.stop() == 0
