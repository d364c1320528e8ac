from django.db import migrations

# Entries are only added.
FORWARD = """
CREATE FUNCTION kinward_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The ledger is append-only: % is refused.', TG_OP;
END $$;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_entry
  FOR EACH ROW EXECUTE FUNCTION kinward_ledger_refuse();
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON ledger_entry
  FOR EACH STATEMENT EXECUTE FUNCTION kinward_ledger_refuse();
"""
BACKWARD = """
DROP TRIGGER ledger_no_truncate ON ledger_entry;
DROP TRIGGER ledger_append_only ON ledger_entry;
DROP FUNCTION kinward_ledger_refuse();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("ledger", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
