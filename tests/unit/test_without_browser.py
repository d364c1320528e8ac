"""Without a browser, no test that needs one is left: `scripts/test` says so and runs the others."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_stories_in_a_browser_are_left_out_whole() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-qq", "tests/story"],
        env=os.environ | {"KINWARD_TEST_BROWSER": "none"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    collected = [ROOT / line.partition(":")[0] for line in listed.splitlines() if ".py" in line]
    assert collected
    assert not [path.name for path in collected if "browser: Browser" in path.read_text()]
