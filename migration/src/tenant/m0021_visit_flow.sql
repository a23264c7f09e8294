-- State machines as data, and the flow of a visit.

-- Which mutation takes an object along a step, so that what is possible is read from the same rows as what is legal.
-- A row that leads to the status it comes from is possible there and changes no status.
ALTER TABLE status_transition ADD COLUMN IF NOT EXISTS action text NOT NULL DEFAULT '';
ALTER TABLE status_transition DROP CONSTRAINT status_transition_pkey;
ALTER TABLE status_transition ADD CONSTRAINT status_transition_pkey PRIMARY KEY (machine, from_status, to_status, action);

-- The steps of earlier versions, by name.
UPDATE status_transition t SET action = n.action FROM (VALUES
    ('patient', 'ACTIVE', 'INACTIVE', 'patientDeactivate'),
    ('patient', 'INACTIVE', 'ACTIVE', 'patientReactivate'),
    ('patient', 'ACTIVE', 'DECEASED', 'patientRecordDeath'),
    ('patient', 'INACTIVE', 'DECEASED', 'patientRecordDeath'),
    ('appointment', 'BOOKED', 'CANCELLED', 'appointmentCancel'),
    ('appointment', 'CONFIRMED', 'CANCELLED', 'appointmentCancel'),
    ('appointment', 'BOOKED', 'NO_SHOW', 'appointmentMarkNoShow'),
    ('appointment', 'CONFIRMED', 'NO_SHOW', 'appointmentMarkNoShow'),
    ('break_glass', 'ACTIVE', 'ENDED', 'breakGlassEnd'),
    ('break_glass', 'ENDED', 'JUSTIFIED', 'breakGlassReview'),
    ('break_glass', 'ENDED', 'UNJUSTIFIED', 'breakGlassReview'),
    ('break_glass', 'EXPIRED', 'JUSTIFIED', 'breakGlassReview'),
    ('break_glass', 'EXPIRED', 'UNJUSTIFIED', 'breakGlassReview'),
    ('invitation', 'SENT', 'REVOKED', 'invitationRevoke'),
    ('api_client', 'ACTIVE', 'RETIRED', 'apiClientRetire'),
    ('security_alert', 'OPEN', 'CLOSED', 'securityAlertClose')
) AS n (machine, from_status, to_status, action)
WHERE (t.machine, t.from_status, t.to_status) = (n.machine, n.from_status, n.to_status);

-- What is possible without changing the status.
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT 'patient', status, status, permission, action
    FROM (VALUES
        ('patient:update', 'patientUpdate', ARRAY['ACTIVE', 'INACTIVE', 'DECEASED']),
        ('patient:update', 'relatedPersonAdd', ARRAY['ACTIVE', 'INACTIVE', 'DECEASED']),
        ('appointment:book', 'appointmentBook', ARRAY['ACTIVE']),
        ('care-team:manage', 'careTeamAdd', ARRAY['ACTIVE', 'INACTIVE', 'DECEASED', 'MERGED', 'ERASED']),
        ('consent:record', 'consentRecord', ARRAY['ACTIVE', 'INACTIVE', 'DECEASED', 'MERGED', 'ERASED']),
        ('sensitivity:label', 'confidentialitySet', ARRAY['ACTIVE', 'INACTIVE', 'DECEASED', 'MERGED', 'ERASED'])
    ) AS possible (permission, action, statuses), unnest(statuses) AS status;
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT 'appointment', status, status, permission, action
    FROM (VALUES
        ('appointment:reschedule', 'appointmentReschedule', ARRAY['BOOKED', 'CONFIRMED']),
        ('sensitivity:label', 'confidentialitySet',
            ARRAY['BOOKED', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED', 'NO_SHOW'])
    ) AS possible (permission, action, statuses), unnest(statuses) AS status;
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('invitation', 'SENT', 'SENT', 'user:manage', 'invitationResend'),
    ('api_client', 'ACTIVE', 'ACTIVE', 'operation:manage', 'apiClientRotateSecret');

-- An observation may arrive in any status; what was found stays, unless somebody says that it was a mistake.
CREATE TRIGGER observation_transition BEFORE INSERT OR UPDATE ON observation FOR EACH ROW EXECUTE FUNCTION enforce_transition('observation');
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('observation', '', 'REGISTERED', '', ''), ('observation', '', 'PRELIMINARY', '', ''), ('observation', '', 'FINAL', 'vitals:record', ''),
    ('observation', '', 'AMENDED', '', ''), ('observation', '', 'CORRECTED', '', ''), ('observation', '', 'CANCELLED', '', ''),
    ('observation', '', 'ENTERED_IN_ERROR', '', ''), ('observation', '', 'UNKNOWN', '', ''),
    ('observation', 'REGISTERED', 'PRELIMINARY', '', ''),
    ('observation', 'REGISTERED', 'FINAL', '', ''),
    ('observation', 'REGISTERED', 'CANCELLED', '', ''),
    ('observation', 'PRELIMINARY', 'FINAL', '', ''),
    ('observation', 'PRELIMINARY', 'CANCELLED', '', ''),
    ('observation', 'FINAL', 'AMENDED', '', ''),
    ('observation', 'FINAL', 'CORRECTED', '', ''),
    ('observation', 'AMENDED', 'CORRECTED', '', '');
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT 'observation', status, 'ENTERED_IN_ERROR', 'vitals:record', ''
    FROM unnest(ARRAY['REGISTERED', 'PRELIMINARY', 'FINAL', 'AMENDED', 'CORRECTED', 'UNKNOWN']) AS status;

-- Visits: expected, and closed.
ALTER TABLE encounter ADD COLUMN planned_for timestamptz;
ALTER TABLE encounter ADD COLUMN closed_at timestamptz;
UPDATE status_transition SET permission = 'encounter:create', action = 'encounterCreate'
    WHERE machine = 'encounter' AND from_status = '' AND to_status = 'PLANNED';
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('encounter', 'PLANNED', 'ARRIVED', 'encounter:check-in', 'encounterCheckIn'),
    ('encounter', 'ARRIVED', 'TRIAGED', 'encounter:triage', 'encounterTriage'),
    ('encounter', 'ARRIVED', 'IN_PROGRESS', 'encounter:consult', 'encounterStart'),
    ('encounter', 'TRIAGED', 'IN_PROGRESS', 'encounter:consult', 'encounterStart'),
    ('encounter', 'IN_PROGRESS', 'ON_HOLD', 'encounter:consult', 'encounterHold'),
    ('encounter', 'ON_HOLD', 'IN_PROGRESS', 'encounter:consult', 'encounterResume'),
    ('encounter', 'IN_PROGRESS', 'CLOSED', 'encounter:close', 'encounterClose'),
    ('encounter', 'CLOSED', 'IN_PROGRESS', 'encounter:reopen', 'encounterReopen'),
    ('encounter', 'PLANNED', 'CANCELLED', 'encounter:cancel', 'encounterCancel'),
    ('encounter', 'ARRIVED', 'CANCELLED', 'encounter:cancel', 'encounterCancel'),
    ('encounter', 'TRIAGED', 'CANCELLED', 'encounter:cancel', 'encounterCancel');
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT 'encounter', status, status, permission, action
    FROM (VALUES
        ('vitals:record', 'vitalsRecord', ARRAY['ARRIVED', 'TRIAGED', 'IN_PROGRESS', 'ON_HOLD']),
        ('encounter:consult', 'assessmentRecord', ARRAY['IN_PROGRESS']),
        ('encounter:consult', 'planRecord', ARRAY['IN_PROGRESS']),
        ('encounter:consult', 'encounterParticipantAdd', ARRAY['PLANNED', 'ARRIVED', 'TRIAGED', 'IN_PROGRESS', 'ON_HOLD']),
        ('encounter:consult', 'encounterParticipantEnd', ARRAY['PLANNED', 'ARRIVED', 'TRIAGED', 'IN_PROGRESS', 'ON_HOLD']),
        ('sensitivity:label', 'confidentialitySet',
            ARRAY['PLANNED', 'ARRIVED', 'TRIAGED', 'IN_PROGRESS', 'ON_HOLD', 'CLOSED', 'CANCELLED'])
    ) AS possible (permission, action, statuses), unnest(statuses) AS status;

-- Who took part, from when to when.
ALTER TABLE encounter_participant ADD COLUMN starts_at timestamptz;
ALTER TABLE encounter_participant ADD COLUMN ends_at timestamptz;
ALTER TABLE encounter_participant ADD CONSTRAINT encounter_participant_order CHECK (ends_at >= starts_at) NOT VALID;
ALTER TABLE encounter_participant VALIDATE CONSTRAINT encounter_participant_order;

-- What a kind of visit asks for.
CREATE TABLE visit_policy (
    class text PRIMARY KEY CONSTRAINT visit_policy_class_known CHECK (class IN ('AMBULATORY', 'INPATIENT', 'EMERGENCY', 'HOME', 'VIRTUAL', 'OTHER')),
    -- Vital signs have to be recorded before such a visit is closed.
    needs_vitals boolean NOT NULL,
    -- For so long a closed one can be reopened; afterwards there are addenda.
    reopen_days integer NOT NULL CONSTRAINT visit_policy_reopen_sensible CHECK (reopen_days BETWEEN 0 AND 365)
);
INSERT INTO visit_policy (class, needs_vitals, reopen_days) VALUES
    ('AMBULATORY', false, 7), ('INPATIENT', true, 7), ('EMERGENCY', true, 7), ('HOME', false, 7), ('VIRTUAL', false, 7), ('OTHER', false, 7);

-- Measured together: blood pressure, pulse and temperature of one round.
ALTER TABLE observation ADD COLUMN taken_together uuid;
CREATE INDEX observation_taken_together ON observation (encounter_id, taken_together) WHERE taken_together IS NOT NULL;

-- What is written in a visit, sealed: assessment, plan, and why it was held, cancelled, reopened or closed in spite of
-- the gate. Nothing is overwritten; of each kind the newest version counts.
CREATE TABLE encounter_note (
    id uuid PRIMARY KEY,
    encounter_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT encounter_note_kind_known CHECK (kind IN ('ASSESSMENT', 'PLAN', 'HOLD', 'CANCELLATION', 'REOPENING', 'OVERRIDE')),
    version integer NOT NULL CONSTRAINT encounter_note_version_positive CHECK (version > 0),
    recorded_at timestamptz NOT NULL,
    recorded_by uuid,
    body bytea NOT NULL,
    CONSTRAINT encounter_note_version_unique UNIQUE (encounter_id, kind, version),
    CONSTRAINT encounter_note_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES encounter (id, patient_id)
);
-- The rotation of data keys, and nothing else, writes a body again.
CREATE FUNCTION keep_encounter_note() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF to_jsonb(NEW) - 'body' <> to_jsonb(OLD) - 'body' THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'append-only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER encounter_note_kept BEFORE UPDATE ON encounter_note FOR EACH ROW EXECUTE FUNCTION keep_encounter_note();
CREATE TRIGGER encounter_note_stays BEFORE DELETE OR TRUNCATE ON encounter_note FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What a visit came to. The code is sealed in the condition; its keyed token keeps it from being there twice.
ALTER TABLE condition ADD CONSTRAINT condition_patient_unique UNIQUE (id, patient_id);
CREATE TABLE encounter_diagnosis (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    encounter_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    condition_id uuid NOT NULL,
    status text NOT NULL CONSTRAINT encounter_diagnosis_status_known CHECK (status IN ('RECORDED', 'WITHDRAWN')),
    rank integer NOT NULL CONSTRAINT encounter_diagnosis_rank_sensible CHECK (rank BETWEEN 1 AND 50),
    use text NOT NULL CONSTRAINT encounter_diagnosis_use_known CHECK (use IN ('AD', 'DD', 'CC', 'CM', 'PRE_OP', 'POST_OP', 'BILLING')),
    code_token bytea NOT NULL,
    CONSTRAINT encounter_diagnosis_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES encounter (id, patient_id),
    CONSTRAINT encounter_diagnosis_condition_fk FOREIGN KEY (condition_id, patient_id) REFERENCES condition (id, patient_id)
);
CREATE INDEX encounter_diagnosis_by_encounter ON encounter_diagnosis (encounter_id);
CREATE UNIQUE INDEX encounter_diagnosis_rank_unique ON encounter_diagnosis (encounter_id, rank) WHERE status = 'RECORDED';
CREATE UNIQUE INDEX encounter_diagnosis_code_unique ON encounter_diagnosis (encounter_id, code_token) WHERE status = 'RECORDED';
CREATE TRIGGER encounter_diagnosis_version BEFORE UPDATE ON encounter_diagnosis FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER encounter_diagnosis_transition BEFORE INSERT OR UPDATE ON encounter_diagnosis
    FOR EACH ROW EXECUTE FUNCTION enforce_transition('encounter_diagnosis');
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('encounter_diagnosis', '', 'RECORDED', 'encounter:consult', ''),
    ('encounter_diagnosis', 'RECORDED', 'WITHDRAWN', 'encounter:consult', '');

-- How a visit was closed: at which version, and what was missing. Whoever closes in spite of that says why.
CREATE TABLE encounter_closing (
    encounter_id uuid NOT NULL CONSTRAINT encounter_closing_encounter_fk REFERENCES encounter (id),
    encounter_version integer NOT NULL,
    closed_at timestamptz NOT NULL,
    closed_by uuid,
    missing text[] NOT NULL,
    PRIMARY KEY (encounter_id, encounter_version)
);
CREATE TRIGGER encounter_closing_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON encounter_closing
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The gate's last line: what the rules check under the row's lock, the database checks when the row is closed.
CREATE FUNCTION hold_close_gate() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    said text[];
BEGIN
    SELECT c.missing INTO said FROM encounter_closing c
        WHERE c.encounter_id = NEW.id AND c.encounter_version = OLD.version;
    IF said IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'PX021', MESSAGE = 'closed past the gate';
    END IF;
    IF cardinality(said) > 0 THEN
        IF NOT EXISTS (SELECT FROM encounter_note n WHERE n.encounter_id = NEW.id AND n.kind = 'OVERRIDE') THEN
            RAISE EXCEPTION USING ERRCODE = 'PX021', MESSAGE = 'closed in spite of the gate, and nobody said why';
        END IF;
    ELSIF NOT EXISTS (SELECT FROM encounter_diagnosis d WHERE d.encounter_id = NEW.id AND d.rank = 1 AND d.status = 'RECORDED')
        OR NOT EXISTS (SELECT FROM encounter_note n WHERE n.encounter_id = NEW.id AND n.kind = 'ASSESSMENT')
        OR NOT EXISTS (SELECT FROM encounter_note n WHERE n.encounter_id = NEW.id AND n.kind = 'PLAN') THEN
        RAISE EXCEPTION USING ERRCODE = 'PX021', MESSAGE = 'something is missing';
    END IF;
    RETURN NEW;
END $$;
-- Named so that it comes after the transition: what is illegal anyway is refused as that.
CREATE TRIGGER encounter_unfinished BEFORE UPDATE ON encounter FOR EACH ROW
    WHEN (NEW.status = 'CLOSED' AND OLD.status <> 'CLOSED') EXECUTE FUNCTION hold_close_gate();

SELECT grant_to_runtime('encounter_participant', 'UPDATE (ends_at)');
SELECT grant_to_runtime('visit_policy', 'SELECT, UPDATE');
SELECT grant_to_runtime('encounter_note', 'SELECT, INSERT, UPDATE (body)');
SELECT grant_to_runtime('encounter_diagnosis', 'SELECT, INSERT, UPDATE (status)');
SELECT grant_to_runtime('encounter_closing', 'SELECT, INSERT');
