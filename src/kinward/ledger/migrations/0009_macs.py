from django.db import migrations, models

import kinward.ledger.fields

# What the log says of the MACs of entries, and of the former chain, never changes once it is said.
GROWS = """
CREATE OR REPLACE FUNCTION kinward_ledger_log_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR NEW.size < OLD.size OR NEW.generation < OLD.generation{more}
      OR (NEW.generation = OLD.generation AND NEW.origin <> OLD.origin AND OLD.signed_size > 0)
      OR (NEW.generation = OLD.generation AND NEW.signed_size < OLD.signed_size)
      OR (NEW.generation = OLD.generation AND NEW.signed_size = OLD.signed_size
          AND NEW.signed_root <> OLD.signed_root) THEN
    RAISE EXCEPTION 'The log of the ledger only grows: % is refused.', TG_OP;
  END IF;
  RETURN NEW;
END $$;
"""
FORWARD = GROWS.replace(
    "{more}",
    """
      OR NEW.chained <> OLD.chained OR NEW.chain_head <> OLD.chain_head
      OR (OLD.macs_from IS NOT NULL AND NEW.macs_from IS DISTINCT FROM OLD.macs_from)""",
)
BACKWARD = GROWS.replace("{more}", "")

# What no entry of Kinward has, and what would stop whoever reads the table.
READABLE = """
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_readable CHECK (
  seq > 0 AND at >= '2000-01-01Z' AND at < '3000-01-01Z'
);
"""
ANY = "ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_readable;"


class Migration(migrations.Migration):

    dependencies = [
        ("ledger", "0008_timestamps"),
    ]

    operations = [
        migrations.AddField("entry", "mac", models.BinaryField(null=True)),
        migrations.AddField("log", "macs_from", models.BigIntegerField(null=True)),
        migrations.AddField("log", "macs_from_mac", models.BinaryField(default=b"")),
        migrations.AlterField(
            "entry",
            "data",
            models.JSONField(decoder=kinward.ledger.fields.AnyJson, null=True),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunSQL(READABLE, ANY),
    ]
