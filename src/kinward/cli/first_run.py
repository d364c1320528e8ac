"""What the first run creates and later runs reuse: the secrets and the tables."""

import base64
import secrets

from kinward.ground.config import config, random_secret, write_secret


def make_secrets() -> None:
    """Create each secret that is neither set nor created yet. Needs no database."""
    from kinward.evidence import new_key
    from kinward.policy import new_signing_key

    chosen = config()
    chosen.data_dir.mkdir(parents=True, exist_ok=True)
    write_secret(chosen.secret_path("secret_key"), random_secret())
    webhook = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    write_secret(chosen.secret_path("webhook_secret"), webhook)
    write_secret(chosen.secret_path("policy_key"), new_signing_key())
    write_secret(chosen.secret_path("identifier_key"), random_secret())
    write_secret(chosen.secret_path("package_key"), new_signing_key())
    if not (chosen.evidence_key or chosen.evidence_key_file):
        write_secret(chosen.secret_path("evidence_key"), new_key())


def migrate() -> None:
    """Migrate the database to this version."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
