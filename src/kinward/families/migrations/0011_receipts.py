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
    ]
