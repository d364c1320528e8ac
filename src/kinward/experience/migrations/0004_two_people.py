from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('experience', '0003_acting'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint('proposal', 'experience_two_people'),
        migrations.RemoveConstraint('proposal', 'experience_one_proposal'),
        migrations.RenameField('proposal', 'proposed_by', 'asked_by'),
        migrations.RenameField('proposal', 'proposed_at', 'asked_at'),
        migrations.AlterField('proposal', 'state', models.CharField(default="asked", max_length=20)),
        migrations.AlterModelOptions('proposal', {'ordering': ('-asked_at',)}),
        migrations.RunSQL(
            [
                'SET CONSTRAINTS ALL IMMEDIATE',
                "UPDATE experience_proposal SET state = CASE state WHEN 'proposed' THEN 'asked' WHEN 'rejected' THEN 'refused' ELSE state END",
                "UPDATE experience_proposal SET decided_by_id = asked_by_id WHERE state = 'refused' AND decided_by_id IS NULL",
                'SET CONSTRAINTS ALL DEFERRED',
            ],
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state', 'asked')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state', 'refused')), models.Q(models.Q(('state__in', ('asked', 'refused')), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('decided_by', models.F('asked_by')), _negated=True)), _connector='OR'), name='experience_proposal_two_people'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'asked')), fields=('pack',), name='experience_one_proposal'),
        ),
        migrations.AddConstraint(
            model_name='activation',
            constraint=models.CheckConstraint(condition=models.Q(('proposal__isnull', False), ('reverts__isnull', False), ('actor__startswith', 'operator:'), ('actor__startswith', 'system:'), _connector='OR'), name='experience_nobody_activates_alone'),
        ),
        migrations.AddConstraint(
            model_name='activation',
            constraint=models.UniqueConstraint(fields=('proposal',), name='experience_proposal_activates_once'),
        ),
    ]
