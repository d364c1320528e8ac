from django.db import migrations

# The entry that says that a person is erased keeps what it says, or nobody could count what went.
FORWARD = """
CREATE FUNCTION kinward_ledger_erasures_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The ledger is append-only: an entry of an erasure stays whole.';
END $$;
CREATE TRIGGER ledger_erasures_stay BEFORE UPDATE ON ledger_entry FOR EACH ROW
  WHEN (OLD.kind IN ('account.erased', 'erasure.replayed') AND NEW.data IS NULL)
  EXECUTE FUNCTION kinward_ledger_erasures_stay();
"""
BACKWARD = """
DROP TRIGGER ledger_erasures_stay ON ledger_entry;
DROP FUNCTION kinward_ledger_erasures_stay();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("erasure", "0002_forget"),
        ("ledger", "0008_timestamps"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
