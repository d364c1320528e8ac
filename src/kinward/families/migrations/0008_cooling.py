from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("families", "0007_quiet_disputes"),
    ]

    operations = [
        migrations.AddField(
            model_name="pairing",
            name="cools_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="pairing",
            name="cools_quietly_until",
            field=models.DateTimeField(null=True),
        ),
    ]
