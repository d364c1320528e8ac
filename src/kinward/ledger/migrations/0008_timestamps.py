from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("ledger", "0007_holders"),
    ]

    operations = [
        migrations.CreateModel(
            name="StampedTree",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("origin", models.CharField(max_length=255)),
                ("size", models.BigIntegerField()),
                ("root", models.BinaryField()),
                ("response", models.BinaryField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ("size",),
                "constraints": [
                    models.UniqueConstraint(fields=("origin", "size"), name="ledger_stamped_once")
                ],
            },
        ),
    ]
