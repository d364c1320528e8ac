from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reporting', '0004_production'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint('production', 'reporting_one_agreement'),
        migrations.RemoveConstraint('production', 'reporting_two_people_agree'),
        migrations.RenameField('production', 'agreed_by', 'decided_by'),
        migrations.RenameField('production', 'agreed_at', 'decided_at'),
        migrations.AddField('production', 'state', models.CharField(default="asked", max_length=20)),
        migrations.AlterModelOptions('production', {'ordering': ('-asked_at',)}),
        migrations.RunSQL(
            [
                'SET CONSTRAINTS ALL IMMEDIATE',
                "UPDATE reporting_production SET state = CASE WHEN decided_at IS NULL AND ended_at IS NOT NULL THEN 'refused' WHEN ended_at IS NOT NULL THEN 'ended' WHEN decided_at IS NOT NULL THEN 'approved' ELSE 'asked' END",
                "UPDATE reporting_production SET decided_by_id = ended_by_id, decided_at = ended_at, ended_by_id = NULL, ended_at = NULL WHERE state = 'refused'",
                'SET CONSTRAINTS ALL DEFERRED',
            ],
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name='production',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state', 'asked')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state', 'refused')), models.Q(models.Q(('state__in', ('asked', 'refused')), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('decided_by', models.F('asked_by')), _negated=True)), _connector='OR'), name='reporting_production_two_people'),
        ),
        migrations.AddConstraint(
            model_name='production',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('asked', 'approved'))), fields=('authority', 'address'), name='reporting_one_agreement'),
        ),
    ]
