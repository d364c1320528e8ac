"""A timestamp authority on this machine: OpenSSL's own, behind a small HTTP server."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.support.strangers import Stranger

REPLY: Final = "Content-Type: application/timestamp-reply"
CONFIG: Final = """
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[stamps]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
signer_digest = sha256
"""


class Authority:
    """An authority with a certificate of its own. `days`: how long that is valid, from now."""

    def __init__(self, folder: Path, *, days: int = 30) -> None:
        folder.mkdir(parents=True)
        self.folder, self.roots = folder, folder / "ca.pem"
        (folder / "serial").write_text("01\n")
        (folder / "openssl.cnf").write_text(CONFIG.format(folder=folder))
        self._new_key("ca")
        self._new_key("tsa")
        self._certify("ca", "ca", "ca", 3650)
        self._certify("tsa", "ca", "stamps", days)

    def openssl(self, *words: str) -> bytes:
        """Run OpenSSL with this authority's configuration."""
        done = subprocess.run(
            ["openssl", *words], capture_output=True, check=False, timeout=60, cwd=self.folder
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def _new_key(self, name: str) -> None:
        self.openssl(
            *("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-out", f"{name}.key"),
        )

    def _certify(self, name: str, by: str, section: str, days: int) -> None:
        self.openssl(
            *("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name} of a test"),
            *("-config", "openssl.cnf", "-out", f"{name}.csr"),
        )
        signer = ("-signkey", "ca.key") if name == by else ("-CA", "ca.pem", "-CAkey", "ca.key")
        self.openssl(
            *("x509", "-req", "-in", f"{name}.csr", *signer, "-set_serial", str(abs(hash(name)))),
            *("-days", str(days), "-extfile", "openssl.cnf", "-extensions", section),
            *("-sha256", "-out", f"{name}.pem"),
        )

    def reply(self, query: bytes) -> bytes:
        """Answer a query as RFC 3161 says."""
        (self.folder / "query").write_bytes(query)
        return self.openssl(
            *("ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query", "-section", "here")
        )

    def query(self, data: bytes) -> bytes:
        """A query about other bytes, with a number of its own."""
        (self.folder / "data").write_bytes(data)
        return self.openssl("ts", "-query", "-data", "data", "-sha256", "-cert")

    def verify(self, data: bytes, response: bytes) -> str:
        """What OpenSSL says about a timestamp."""
        (self.folder / "data").write_bytes(data)
        (self.folder / "response").write_bytes(response)
        words = ("ts", "-verify", "-data", "data", "-in", "response", "-CAfile", "ca.pem")
        return self.openssl(*words).decode()


def answers(authority: Authority) -> Callable[[Stranger], None]:
    """The behaviour of a server that is this authority."""

    def behave(one: Stranger) -> None:
        one.answer(authority.reply(one.body), REPLY)

    return behave
