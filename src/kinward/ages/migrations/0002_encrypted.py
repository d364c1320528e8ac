from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("ages", "0001_proof_requests"),
    ]

    operations = [
        migrations.AddField(
            model_name="proofrequest",
            name="answer_key",
            field=models.TextField(default=""),
        ),
    ]
