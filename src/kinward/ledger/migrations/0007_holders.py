from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0006_rotation"),
    ]

    operations = [
        migrations.CreateModel(
            name="HolderWord",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("origin", models.CharField(max_length=255)),
                ("holder", models.CharField(max_length=20)),
                ("size", models.BigIntegerField(default=0)),
                ("tried", models.BigIntegerField(default=0)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("problem", models.CharField(default="", max_length=500)),
                ("alarming", models.BooleanField(default=False)),
                ("tried_at", models.DateTimeField()),
                ("received_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("origin", "holder"), name="ledger_one_holder")
                ],
            },
        ),
    ]
