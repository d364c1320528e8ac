import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0008_sso'),
    ]

    operations = [
        migrations.AddField(
            model_name='staff',
            name='seen_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='staff',
            name='role',
            field=models.CharField(blank=True, choices=[('reviewer', 'reviewer'), ('senior reviewer', 'senior reviewer'), ('operator', 'operator'), ('auditor', 'auditor'), ('policy lead', 'policy lead'), ('evidence custodian', 'evidence custodian'), ('administrator', 'administrator')], max_length=20),
        ),
        migrations.CreateModel(
            name='Appointment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('state', models.CharField(default='asked', max_length=20)),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('goes_ahead_at', models.DateTimeField(null=True)),
                ('went_ahead_at', models.DateTimeField(null=True)),
                ('operator', models.CharField(default='', max_length=200)),
                ('role', models.CharField(choices=[('reviewer', 'reviewer'), ('senior reviewer', 'senior reviewer'), ('operator', 'operator'), ('auditor', 'auditor'), ('policy lead', 'policy lead'), ('evidence custodian', 'evidence custodian'), ('administrator', 'administrator')], max_length=20)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-asked_at',),
                'abstract': False,
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state', 'asked')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state', 'refused')), models.Q(models.Q(('state__in', ('asked', 'refused')), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('decided_by', models.F('asked_by')), _negated=True)), _connector='OR'), name='access_appointment_two_people'), models.CheckConstraint(condition=models.Q(('went_ahead_at', None), models.Q(('goes_ahead_at__isnull', False), ('went_ahead_at__gte', models.F('goes_ahead_at'))), _connector='OR'), name='access_appointment_not_before'), models.UniqueConstraint(condition=models.Q(('state', 'asked'), ('went_ahead_at', None)), fields=('staff',), name='access_one_appointment_asked'), models.CheckConstraint(condition=models.Q(models.Q(('asked_by__isnull', False), ('operator', '')), models.Q(('asked_by', None), models.Q(('operator', ''), _negated=True)), _connector='OR'), name='access_appointed_by_one'), models.CheckConstraint(condition=models.Q(('state__in', ('asked', 'refused')), models.Q(('decided_by', models.F('staff')), _negated=True), _connector='OR'), name='access_nobody_appoints_themselves')],
            },
        ),
        migrations.CreateModel(
            name='StaffInvitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('username', models.CharField(blank=True, max_length=150)),
                ('role', models.CharField(choices=[('reviewer', 'reviewer'), ('senior reviewer', 'senior reviewer'), ('operator', 'operator'), ('auditor', 'auditor'), ('policy lead', 'policy lead'), ('evidence custodian', 'evidence custodian'), ('administrator', 'administrator')], max_length=20)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('digest', models.BinaryField(unique=True)),
                ('operator', models.CharField(default='', max_length=200)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('username'), condition=models.Q(('ended_at', None)), name='access_one_open_invitation'), models.CheckConstraint(condition=models.Q(models.Q(('asked_by__isnull', False), ('operator', '')), models.Q(('asked_by', None), models.Q(('operator', ''), _negated=True)), _connector='OR'), name='access_invited_by_one')],
            },
        ),
    ]
