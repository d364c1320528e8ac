"""Each file of the vault gets a MAC. One of which the ledger says otherwise gets none."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def authenticate(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    from kinward.evidence.authenticity import mac_of

    entries = apps.get_model("ledger", "Entry").objects.filter(kind="evidence.sealed")
    files = apps.get_model("evidence", "Evidence").objects.filter(destroyed_at=None)
    for file in files.defer("ciphertext").iterator(chunk_size=500):
        said = {"case": str(file.case_id), "sha256": file.sha256, "size": file.size}
        if entries.filter(subject=f"evidence:{file.pk}", data__contains=said).exists():
            file.mac = mac_of(file)
            file.save(update_fields=["mac"])


class Migration(migrations.Migration):
    dependencies = [
        ("evidence", "0003_on_every_road"),
        ("ledger", "0002_triggers"),
        ("matching", "0009_markings"),
    ]

    operations = [
        migrations.AddField(
            model_name="evidence", name="mac", field=models.BinaryField(default=b"")
        ),
        migrations.RunPython(authenticate, migrations.RunPython.noop, elidable=True),
    ]
