-- Break-glass: emergency access to one patient, in a time box that the database holds.

CREATE TABLE break_glass (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    -- The database's own clock at the declaration. Not among the columns that the runtime role may write, so
    -- neither a server whose clock is wrong nor a forged instant makes the box longer.
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    user_id uuid NOT NULL CONSTRAINT break_glass_user_fk REFERENCES user_account (id),
    patient_id uuid NOT NULL CONSTRAINT break_glass_patient_fk REFERENCES patient (id),
    category text NOT NULL CONSTRAINT break_glass_category_known CHECK (category IN
        ('THREAT_TO_LIFE', 'URGENT_CARE', 'UNABLE_TO_CONSENT', 'COVERING_CLINICIAN', 'OTHER')),
    classes text[] NOT NULL CONSTRAINT break_glass_classes_known CHECK (
        cardinality(classes) > 0 AND classes <@ ARRAY['IDENTITY', 'CONTACT', 'IDENTIFIERS', 'VISITS', 'CLINICAL']),
    statement bytea NOT NULL,
    status text NOT NULL CONSTRAINT break_glass_status_known CHECK (status IN
        ('ACTIVE', 'ENDED', 'EXPIRED', 'JUSTIFIED', 'UNJUSTIFIED')),
    declared_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    review_due_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by uuid CONSTRAINT break_glass_ended_by_fk REFERENCES user_account (id),
    overdue_told_at timestamptz,
    reviewed_at timestamptz,
    reviewed_by uuid CONSTRAINT break_glass_reviewed_by_fk REFERENCES user_account (id),
    finding bytea,
    CONSTRAINT break_glass_time_box CHECK (
        expires_at - declared_at > interval '0' AND expires_at - declared_at <= interval '240 minutes'),
    CONSTRAINT break_glass_review_within CHECK (review_due_at - declared_at <= interval '72 hours'),
    CONSTRAINT break_glass_ended_once CHECK (
        (status <> 'ENDED' OR ended_at IS NOT NULL) AND (ended_at IS NULL) = (ended_by IS NULL)),
    CONSTRAINT break_glass_reviewed_whole CHECK (
        (status IN ('JUSTIFIED', 'UNJUSTIFIED')) = (reviewed_at IS NOT NULL)
        AND (reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (finding IS NULL)),
    CONSTRAINT break_glass_reviewed_by_another CHECK (reviewed_by <> user_id)
);
-- No silent renewal: while one is open, the same person declares no second one of the same patient.
CREATE UNIQUE INDEX break_glass_one_open ON break_glass (user_id, patient_id) WHERE status = 'ACTIVE';
CREATE INDEX break_glass_unreviewed ON break_glass (review_due_at) WHERE reviewed_at IS NULL;
CREATE INDEX break_glass_by_user ON break_glass (user_id, id);
CREATE INDEX break_glass_by_patient ON break_glass (patient_id, id);

-- Whoever left a review overdue declares nothing: by the service's clock, and by the database's.
CREATE FUNCTION refuse_break_glass_while_overdue() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM break_glass b WHERE b.user_id = NEW.user_id AND b.reviewed_at IS NULL
        AND (b.review_due_at <= NEW.declared_at OR b.created_at + interval '72 hours' <= now())) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX014', MESSAGE = 'a review is overdue';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION keep_break_glass_as_it_was() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.reviewed_at IS NOT NULL OR (OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.ended_by) IS DISTINCT FROM (OLD.ended_at, OLD.ended_by)) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'what has ended or was reviewed stays as it is';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER break_glass_overdue BEFORE INSERT ON break_glass FOR EACH ROW EXECUTE FUNCTION refuse_break_glass_while_overdue();
CREATE TRIGGER break_glass_kept BEFORE UPDATE ON break_glass FOR EACH ROW EXECUTE FUNCTION keep_break_glass_as_it_was();
CREATE TRIGGER break_glass_stays BEFORE DELETE OR TRUNCATE ON break_glass FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER break_glass_transition BEFORE INSERT OR UPDATE ON break_glass FOR EACH ROW EXECUTE FUNCTION enforce_transition('break_glass');
CREATE TRIGGER break_glass_version BEFORE UPDATE ON break_glass FOR EACH ROW EXECUTE FUNCTION bump_version();
INSERT INTO status_transition (machine, from_status, to_status, permission) VALUES
    ('break_glass', '', 'ACTIVE', 'break-glass:use'),
    ('break_glass', 'ACTIVE', 'ENDED', 'break-glass:use'),
    ('break_glass', 'ACTIVE', 'EXPIRED', 'system'),
    ('break_glass', 'ENDED', 'JUSTIFIED', 'break-glass:review'),
    ('break_glass', 'ENDED', 'UNJUSTIFIED', 'break-glass:review'),
    ('break_glass', 'EXPIRED', 'JUSTIFIED', 'break-glass:review'),
    ('break_glass', 'EXPIRED', 'UNJUSTIFIED', 'break-glass:review');

-- What is open by the database's own time. Readers add the service's: what either clock has closed is closed.
CREATE VIEW break_glass_open AS
    SELECT id, user_id, patient_id, classes, expires_at FROM break_glass
    WHERE status = 'ACTIVE' AND created_at + (expires_at - declared_at) > clock_timestamp();

ALTER TABLE audit_entry ADD COLUMN IF NOT EXISTS break_glass_id uuid;

-- Every right, those of later versions too, is stored as itself: the owner's of clinics that are there already.
INSERT INTO role_permission (role_id, permission)
    SELECT id, '*' FROM role WHERE template_key = 'owner' AND NOT customised ON CONFLICT DO NOTHING;

-- Roles are changed at the desk: whoever does it names the version that they saw.
ALTER TABLE role ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE role ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE role ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
CREATE TRIGGER role_version BEFORE UPDATE ON role FOR EACH ROW EXECUTE FUNCTION bump_version();

SELECT grant_to_runtime('break_glass', 'SELECT, INSERT (id, user_id, patient_id, category, classes, statement, status, declared_at, expires_at, review_due_at), UPDATE (status, ended_at, ended_by, overdue_told_at, reviewed_at, reviewed_by, finding)');
SELECT grant_to_runtime('break_glass_open', 'SELECT');
