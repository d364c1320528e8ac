from django.db import migrations

# kinward.ground.watch hears of settings, and of what is in force. What staff put in force is what
# two people agreed to, or was in force before.
FORWARD = """
CREATE FUNCTION experience_tell_setting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('kinward_changes', 'account:' || platform_id) FROM people_account
        WHERE id = COALESCE(NEW.account_id, OLD.account_id);
    RETURN NULL;
END $$;
CREATE TRIGGER experience_setting_changed AFTER INSERT OR UPDATE OR DELETE ON experience_setting
    FOR EACH ROW EXECUTE FUNCTION experience_tell_setting();
CREATE FUNCTION experience_tell_packs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('kinward_changes', 'packs:');
    RETURN NULL;
END $$;
CREATE TRIGGER experience_activation_changed AFTER INSERT OR UPDATE OR DELETE
    ON experience_activation FOR EACH STATEMENT EXECUTE FUNCTION experience_tell_packs();
CREATE TRIGGER experience_version_changed AFTER UPDATE OR DELETE
    ON experience_packversion FOR EACH STATEMENT EXECUTE FUNCTION experience_tell_packs();
CREATE TRIGGER experience_shadow_changed AFTER INSERT OR DELETE OR UPDATE OF ended_at
    ON experience_shadow FOR EACH STATEMENT EXECUTE FUNCTION experience_tell_packs();
CREATE FUNCTION experience_check_activation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.proposal_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM experience_proposal WHERE id = NEW.proposal_id AND state = 'approved'
            AND pack_id = NEW.pack_id AND share = NEW.share
    ) THEN
        RAISE EXCEPTION 'experience_activation_as_approved: not what two people agreed to'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.reverts_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM experience_activation WHERE pack_id = NEW.pack_id AND share = NEW.share
            AND rest_id IS NOT DISTINCT FROM NEW.rest_id
    ) AND NOT EXISTS (
        SELECT FROM experience_packversion WHERE id = NEW.pack_id AND NEW.share = 100
            AND made_by = 'system:experience'
    ) THEN
        RAISE EXCEPTION 'experience_revert_to_known: this was never in force'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER experience_activation_checked BEFORE INSERT OR UPDATE ON experience_activation
    FOR EACH ROW EXECUTE FUNCTION experience_check_activation();
"""
BACKWARD = """
DROP TRIGGER experience_setting_changed ON experience_setting;
DROP TRIGGER experience_activation_changed ON experience_activation;
DROP TRIGGER experience_version_changed ON experience_packversion;
DROP TRIGGER experience_shadow_changed ON experience_shadow;
DROP TRIGGER experience_activation_checked ON experience_activation;
DROP FUNCTION experience_check_activation();
DROP FUNCTION experience_tell_setting();
DROP FUNCTION experience_tell_packs();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("experience", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
