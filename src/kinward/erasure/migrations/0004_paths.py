from django.db import migrations

# A function without a path of its own looks into the caller's temporary tables first. So whoever
# may write at all could show a trigger a false ledger.
PATHS = """
DO $do$
DECLARE
  guard regprocedure;
BEGIN
  FOR guard IN
    SELECT oid FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND prorettype = 'trigger'::regtype
      AND proname NOT LIKE 'procrastinate%'
  LOOP
    EXECUTE format(
      'ALTER FUNCTION %s SET search_path = pg_catalog, %I, pg_temp', guard, current_schema()
    );
  END LOOP;
END $do$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("access", "0003_refusals"),
        ("erasure", "0003_erasures_stay"),
        ("experience", "0002_triggers"),
        ("ledger", "0009_macs"),
        ("people", "0009_growth_told_for"),
    ]

    operations = [
        migrations.RunSQL(PATHS, migrations.RunSQL.noop),
    ]
