from django.db import migrations, models


class Migration(migrations.Migration):
    """One column for what any medium is known by, and the format of what is held."""

    dependencies = [("matching", "0004_sent_to")]

    operations = [
        migrations.AddField(
            model_name="heldblock",
            name="format",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="check",
            name="signature_kind",
            field=models.CharField(default="", max_length=40),
        ),
        migrations.RunSQL(
            """
            UPDATE matching_check SET signature_kind = 'video' WHERE signature <> '';
            UPDATE matching_check SET signature = decode(pdq, 'hex'), signature_kind = 'pdq'
            WHERE pdq <> '';
            """,
            """
            UPDATE matching_check SET pdq = encode(signature, 'hex'), signature = ''
            WHERE signature_kind = 'pdq';
            """,
        ),
        migrations.RemoveField(model_name="check", name="pdq"),
    ]
