from django.db import migrations

# Each account that hit a hash before hits were counted, so that a false positive gives back what it
# took then, too. The moments are those of the findings.
FORWARD = """
INSERT INTO matching_hashhit (hash_id, account_id, at)
SELECT banked.id, casebook_case.account_id, max(casebook_finding.created_at)
FROM casebook_finding
JOIN casebook_case ON casebook_case.id = casebook_finding.case_id
CROSS JOIN LATERAL jsonb_array_elements(casebook_finding.grounds) AS ground
JOIN matching_bankedhash AS banked ON banked.id = (ground ->> 'hash')::bigint
WHERE casebook_finding.kind = 'match'
GROUP BY banked.id, casebook_case.account_id
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):

    dependencies = [
        ("casebook", "0002_banks_that_defend_themselves"),
        ("matching", "0003_banks_that_defend_themselves"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
