-- Histories: allergies, medications as stated, immunisations, procedures, family and social history; problems.

-- All chapters have one shape: whose, in which encounter, by whom and when recorded, where it stands; and, sealed, what
-- is stated. Nothing is deleted: what was a mistake says so, with a reason.
DO $$
DECLARE
    chapter record;
BEGIN
    FOR chapter IN SELECT * FROM (VALUES
        ('allergy', ARRAY['ACTIVE', 'INACTIVE', 'RESOLVED', 'REFUTED', 'ENTERED_IN_ERROR']),
        ('medication_statement', ARRAY['ACTIVE', 'ON_HOLD', 'COMPLETED', 'STOPPED', 'NOT_TAKEN', 'UNKNOWN', 'ENTERED_IN_ERROR']),
        ('immunization', ARRAY['COMPLETED', 'NOT_DONE', 'ENTERED_IN_ERROR']),
        ('procedure', ARRAY['IN_PROGRESS', 'COMPLETED', 'STOPPED', 'NOT_DONE', 'UNKNOWN', 'ENTERED_IN_ERROR']),
        ('family_history', ARRAY['CURRENT', 'ENTERED_IN_ERROR']),
        ('social_history', ARRAY['CURRENT', 'SUPERSEDED', 'ENTERED_IN_ERROR'])
    ) AS chapters (name, statuses)
    LOOP
        EXECUTE format('CREATE TABLE %1$I (
            id uuid PRIMARY KEY,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            patient_id uuid NOT NULL CONSTRAINT %2$I REFERENCES patient (id),
            encounter_id uuid,
            recorder_id uuid CONSTRAINT %3$I REFERENCES practitioner (id),
            recorded_by uuid CONSTRAINT %4$I REFERENCES user_account (id),
            recorded_at timestamptz NOT NULL,
            status text NOT NULL CONSTRAINT %5$I CHECK (status IN (%6$s)),
            clinical bytea NOT NULL,
            code_tokens bytea[] NOT NULL DEFAULT %7$L,
            CONSTRAINT %8$I FOREIGN KEY (encounter_id, patient_id) REFERENCES encounter (id, patient_id))',
            chapter.name, chapter.name || '_patient_fk', chapter.name || '_recorder_fk', chapter.name || '_recorded_by_fk',
            chapter.name || '_status_known', (SELECT string_agg(quote_literal(known), ', ') FROM unnest(chapter.statuses) AS known), '{}', chapter.name || '_encounter_fk');
        EXECUTE format('CREATE INDEX %I ON %I (patient_id, recorded_at DESC NULLS LAST, id DESC)', chapter.name || '_by_patient', chapter.name);
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION bump_version()', chapter.name || '_version', chapter.name);
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION enforce_transition(%L)',
            chapter.name || '_transition', chapter.name, chapter.name);
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
            chapter.name || '_stays', chapter.name);
        -- What is taken over from elsewhere may begin in any status.
        INSERT INTO status_transition (machine, from_status, to_status, permission, action)
            SELECT chapter.name, '', status, 'data:import', '' FROM unnest(chapter.statuses) AS status;
        PERFORM grant_to_runtime(chapter.name::regclass, 'SELECT, INSERT, UPDATE (status, clinical, code_tokens)');
    END LOOP;
END $$;

INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('allergy', 'ACTIVE', 'INACTIVE', 'allergy:record', 'allergyInactivate'),
    ('allergy', 'ACTIVE', 'RESOLVED', 'allergy:record', 'allergyResolve'),
    ('allergy', 'INACTIVE', 'RESOLVED', 'allergy:record', 'allergyResolve'),
    ('allergy', 'INACTIVE', 'ACTIVE', 'allergy:record', 'allergyReactivate'),
    ('allergy', 'RESOLVED', 'ACTIVE', 'allergy:record', 'allergyReactivate'),
    ('allergy', 'ACTIVE', 'REFUTED', 'allergy:record', 'allergyRefute'),
    ('allergy', 'INACTIVE', 'REFUTED', 'allergy:record', 'allergyRefute'),
    ('medication_statement', 'ACTIVE', 'STOPPED', 'medication:record', 'medicationStatementStop'),
    ('medication_statement', 'ON_HOLD', 'STOPPED', 'medication:record', 'medicationStatementStop'),
    ('medication_statement', 'UNKNOWN', 'STOPPED', 'medication:record', 'medicationStatementStop'),
    ('medication_statement', 'ACTIVE', 'COMPLETED', 'medication:record', 'medicationStatementComplete'),
    ('medication_statement', 'ON_HOLD', 'COMPLETED', 'medication:record', 'medicationStatementComplete'),
    ('medication_statement', 'UNKNOWN', 'COMPLETED', 'medication:record', 'medicationStatementComplete'),
    ('social_history', 'CURRENT', 'SUPERSEDED', 'history:record', '');
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT machine, status, 'ENTERED_IN_ERROR', permission, action
    FROM (VALUES
        ('allergy', 'allergy:record', 'allergyEnterInError', ARRAY['ACTIVE', 'INACTIVE', 'RESOLVED', 'REFUTED']),
        ('medication_statement', 'medication:record', 'medicationStatementEnterInError',
            ARRAY['ACTIVE', 'ON_HOLD', 'COMPLETED', 'STOPPED', 'NOT_TAKEN', 'UNKNOWN']),
        ('immunization', 'immunization:record', 'immunizationEnterInError', ARRAY['COMPLETED', 'NOT_DONE']),
        ('procedure', 'history:record', 'procedureEnterInError', ARRAY['IN_PROGRESS', 'COMPLETED', 'STOPPED', 'NOT_DONE', 'UNKNOWN']),
        ('family_history', 'history:record', 'familyHistoryEnterInError', ARRAY['CURRENT']),
        ('social_history', 'history:record', 'socialHistoryEnterInError', ARRAY['CURRENT', 'SUPERSEDED'])
    ) AS mistakes (machine, permission, action, statuses), unnest(statuses) AS status;

-- That there is no allergy, and an allergy, are not both true: not even for two who record them at the same time.
ALTER TABLE allergy ADD COLUMN none_known boolean NOT NULL DEFAULT false;
ALTER TABLE allergy ADD CONSTRAINT allergy_none_known_excludes EXCLUDE USING gist
    (patient_id WITH =, (none_known::integer) WITH <>) WHERE (status = 'ACTIVE');
CREATE UNIQUE INDEX allergy_none_known_once ON allergy (patient_id) WHERE status = 'ACTIVE' AND none_known;

-- A problem goes on as the table says; what a visit diagnosed is only ever put right.
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('problem', 'ACTIVE', 'REMISSION', 'condition:record', 'problemRemit'),
    ('problem', 'RECURRENCE', 'REMISSION', 'condition:record', 'problemRemit'),
    ('problem', 'RELAPSE', 'REMISSION', 'condition:record', 'problemRemit'),
    ('problem', 'ACTIVE', 'INACTIVE', 'condition:record', 'problemInactivate'),
    ('problem', 'RECURRENCE', 'INACTIVE', 'condition:record', 'problemInactivate'),
    ('problem', 'RELAPSE', 'INACTIVE', 'condition:record', 'problemInactivate'),
    ('problem', 'ACTIVE', 'RESOLVED', 'condition:record', 'problemResolve'),
    ('problem', 'RECURRENCE', 'RESOLVED', 'condition:record', 'problemResolve'),
    ('problem', 'RELAPSE', 'RESOLVED', 'condition:record', 'problemResolve'),
    ('problem', 'INACTIVE', 'RESOLVED', 'condition:record', 'problemResolve'),
    ('problem', 'REMISSION', 'RESOLVED', 'condition:record', 'problemResolve'),
    ('problem', 'RESOLVED', 'RECURRENCE', 'condition:record', 'problemRecur'),
    ('problem', 'INACTIVE', 'RECURRENCE', 'condition:record', 'problemRecur'),
    ('problem', 'REMISSION', 'RELAPSE', 'condition:record', 'problemRelapse');
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT 'problem', status, status, 'condition:record', 'problemEnterInError'
    FROM unnest(ARRAY['ACTIVE', 'RECURRENCE', 'RELAPSE', 'INACTIVE', 'REMISSION', 'RESOLVED']) AS status;
CREATE FUNCTION enforce_problem_step() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.verification_status = 'ENTERED_IN_ERROR' THEN
        RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = 'what was a mistake stays one';
    END IF;
    IF NEW.clinical_status IS DISTINCT FROM OLD.clinical_status AND NOT EXISTS (SELECT FROM status_transition t
        WHERE t.machine = 'problem' AND t.from_status = OLD.clinical_status AND t.to_status = NEW.clinical_status) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = format('illegal transition of problem from %s to %s', OLD.clinical_status, NEW.clinical_status);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER condition_problem_step BEFORE UPDATE ON condition FOR EACH ROW WHEN (OLD.category = 'PROBLEM_LIST_ITEM') EXECUTE FUNCTION enforce_problem_step();
