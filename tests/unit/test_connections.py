"""The guide for production names everything that Kinward connects to."""

import re
from pathlib import Path

GUIDE = Path("docs/how-to/run-in-production.md")
ROOT = Path("src/kinward")
# Each module that opens a connection by HTTP, and what the guide calls the other side.
WHERE = {
    "ages/provider.py": "OpenID providers",
    "ages/services.py": "lists of revoked proofs of age",
    "ages/sandbox.py": "",  # practice
    "cli/doctor/connections.py": "your app",
    "cli/doctor/ground.py": "the authorities",
    "cli/supervisor.py": "",  # a process of its own on this machine
    "consents/sandbox.py": "",  # practice
    "enforcement/webhook.py": "your app",
    "evidence/keys_rest.py": "your key service",
    "exchanges/partners/sessions.py": "the partners",
    "gate/fetching.py": "the hosts of files",
    "ledger/checkpoint_webhook.py": "a holder of checkpoints",
    "ledger/timestamps.py": "a timestamp authority",
    "ledger/witnesses.py": "witnesses of the ledger",
    "redress/database.py": "the EU's database of statements",
    "reporting/authorities/cybertipline/client.py": "the authorities",
}


def test_the_guide_names_each_side_that_is_called() -> None:
    makes = re.compile(r"(?<!class )\bCaller\(")
    calling = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if makes.search(path.read_text()) and "calls_out" not in path.parts
    }
    assert calling == set(WHERE), "name the other side here and in the guide"
    for side in filter(None, WHERE.values()):
        assert f"| {side} |" in GUIDE.read_text()
