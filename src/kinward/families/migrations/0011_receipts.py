import uuid

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("families", "0010_guardian_proofs"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="receipt",
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(  # of new notices only: those of before have none
            model_name="notice",
            name="receipt",
            field=models.UUIDField(null=True, default=uuid.uuid4),
        ),
    ]
