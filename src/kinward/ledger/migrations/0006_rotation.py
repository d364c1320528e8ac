from django.db import migrations, models

# A rotation is completed once, by the checkpoint that both keys signed. Then nothing changes it.
GUARDS = """
CREATE FUNCTION kinward_ledger_rotation_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.size IS NOT NULL OR NEW.origin <> OLD.origin
      OR NEW.before <> OLD.before OR NEW.after <> OLD.after
      OR (OLD.entry IS NOT NULL AND NEW.entry <> OLD.entry) THEN
    RAISE EXCEPTION 'A change of the ledger''s key stays as it is: % is refused.', TG_OP;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ledger_rotation_stays BEFORE UPDATE OR DELETE ON ledger_logrotation
  FOR EACH ROW EXECUTE FUNCTION kinward_ledger_rotation_stays();
CREATE TRIGGER ledger_rotation_no_truncate BEFORE TRUNCATE ON ledger_logrotation
  FOR EACH STATEMENT EXECUTE FUNCTION kinward_ledger_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0005_cosigned"),
    ]

    operations = [
        migrations.CreateModel(
            name="LogRotation",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("origin", models.CharField(max_length=255)),
                ("before", models.CharField(max_length=400)),
                ("after", models.CharField(max_length=400)),
                ("entry", models.BigIntegerField(null=True)),
                ("size", models.BigIntegerField(null=True)),
                ("root", models.BinaryField(default=b"")),
                ("note", models.BinaryField(default=b"")),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("handed_over_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("id",),
                "constraints": [
                    models.UniqueConstraint(fields=("after",), name="ledger_key_comes_once")
                ],
            },
        ),
        migrations.RunSQL(GUARDS),
    ]
