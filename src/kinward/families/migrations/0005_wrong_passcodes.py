from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("families", "0004_answers_in_one_tap")]

    operations = [
        migrations.AddField("wrongcode", "passcode", models.BooleanField(default=False)),
    ]
