"""A verifier of the log in Go, by Go's own implementation. It shares no line with ours."""

import base64
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

SOURCE: Final = Path(__file__).with_name("verify.go")
LIBRARIES: Final = Path("/usr/share/gocode")
MISSING: Final = (
    "NO GO: the log's proofs are NOT verified by Go's own implementation. "
    "On Debian: apt-get install golang-go golang-golang-x-mod-dev"
)


def find_go() -> str:
    """The path of Go where Debian's golang.org/x/mod is beside it; empty if one is missing."""
    has_libraries = (LIBRARIES / "src/golang.org/x/mod/sumdb/tlog").is_dir()
    return (shutil.which("go") or "") if has_libraries else ""


def say_that_go_is_missing() -> None:
    """Say it loudly: in the output of the tests, and among their warnings."""
    sys.__stderr__ and sys.__stderr__.write(f"\n{MISSING}\n")
    warnings.warn(MISSING, RuntimeWarning, stacklevel=2)


def build(folder: Path) -> Path:
    """Compile the verifier into a folder."""
    binary = folder / "verify"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOCACHE": str(folder / "cache"),
        "GOPATH": str(LIBRARIES),
        "GO111MODULE": "off",
        "CGO_ENABLED": "0",
    }
    subprocess.run(
        [find_go(), "build", "-o", str(binary), str(SOURCE)],
        env=environment,
        check=True,
        timeout=300,
    )
    return binary


def judge_receipt(binary: Path, vkey: str, receipt: Path) -> str:
    """What the verifier says about a receipt that has its leaf in it."""
    command = [str(binary), "receipt", vkey, str(receipt)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert not done.stderr, done.stderr
    return done.stdout.strip()


def judge(binary: Path, vkey: str, export: Path, proofs: dict[str, Any]) -> str:
    """What the verifier says about an export and proofs. Bytes in `proofs` become base64."""
    file = binary.with_name("proofs.json")
    file.write_text(json.dumps(proofs, default=lambda data: base64.b64encode(data).decode()))
    command: Sequence[str] = [str(binary), vkey, str(export), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert not done.stderr, done.stderr
    return done.stdout.strip()
