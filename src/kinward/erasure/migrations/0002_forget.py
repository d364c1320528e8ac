from django.db import migrations

# An entry stays as it is, but for one thing: values go together with their salts, in a transaction
# that has an entry which says that a person is erased. Nothing else of an entry ever changes.
FORWARD = """
CREATE FUNCTION kinward_ledger_forgets() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  left_as_is ledger_entry;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    left_as_is := NEW;
    IF NEW.actor IS NULL AND NEW.actor_salt IS NULL THEN
      left_as_is.actor := OLD.actor;
      left_as_is.actor_salt := OLD.actor_salt;
    END IF;
    IF NEW.subject IS NULL AND NEW.subject_salt IS NULL THEN
      left_as_is.subject := OLD.subject;
      left_as_is.subject_salt := OLD.subject_salt;
    END IF;
    IF NEW.data IS NULL AND NEW.data_salt IS NULL THEN
      left_as_is.data := OLD.data;
      left_as_is.data_salt := OLD.data_salt;
    END IF;
    IF left_as_is IS NOT DISTINCT FROM OLD AND EXISTS (
      SELECT FROM ledger_entry WHERE xid = pg_current_xact_id()
        AND kind IN ('account.erased', 'erasure.replayed')
    ) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'The ledger is append-only: % is refused.', TG_OP;
END $$;
DROP TRIGGER ledger_append_only ON ledger_entry;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_entry
  FOR EACH ROW EXECUTE FUNCTION kinward_ledger_forgets();
"""
BACKWARD = """
DROP TRIGGER ledger_append_only ON ledger_entry;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_entry
  FOR EACH ROW EXECUTE FUNCTION kinward_ledger_refuse();
DROP FUNCTION kinward_ledger_forgets();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("erasure", "0001_initial"),
        ("ledger", "0004_words"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
