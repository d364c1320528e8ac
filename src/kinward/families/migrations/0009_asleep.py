from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("families", "0008_cooling"),
    ]

    operations = [
        migrations.AddField(
            model_name="pairing",
            name="asleep_since",
            field=models.DateTimeField(null=True),
        ),
    ]
