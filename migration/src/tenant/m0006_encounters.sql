-- Visits that are planned, under way or over.

CREATE TABLE encounter (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT encounter_patient_fk REFERENCES patient (id),
    practitioner_id uuid CONSTRAINT encounter_practitioner_fk REFERENCES practitioner (id),
    facility_id uuid CONSTRAINT encounter_facility_fk REFERENCES facility (id),
    organization_id uuid CONSTRAINT encounter_organization_fk REFERENCES organization (id),
    appointment_id uuid,
    class text NOT NULL CONSTRAINT encounter_class_known CHECK (class IN ('AMBULATORY', 'INPATIENT', 'EMERGENCY', 'HOME', 'VIRTUAL', 'OTHER')),
    status text NOT NULL CONSTRAINT encounter_status_known CHECK (status IN
        ('PLANNED', 'ARRIVED', 'TRIAGED', 'IN_PROGRESS', 'ON_HOLD', 'CLOSED', 'CANCELLED')),
    started_at timestamptz,
    ended_at timestamptz,
    clinical bytea,
    code_tokens bytea[] NOT NULL DEFAULT '{}',
    CONSTRAINT encounter_order CHECK (ended_at >= started_at),
    CONSTRAINT encounter_patient_unique UNIQUE (id, patient_id),
    CONSTRAINT encounter_appointment_fk FOREIGN KEY (appointment_id, patient_id) REFERENCES appointment (id, patient_id)
);
CREATE INDEX encounter_by_patient ON encounter (patient_id, started_at DESC NULLS LAST, id DESC);
CREATE INDEX encounter_by_appointment ON encounter (appointment_id) WHERE appointment_id IS NOT NULL;
CREATE TRIGGER encounter_version BEFORE UPDATE ON encounter FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER encounter_transition BEFORE INSERT OR UPDATE ON encounter FOR EACH ROW EXECUTE FUNCTION enforce_transition('encounter');
-- An encounter may be recorded after the fact, so it may begin in any status.
INSERT INTO status_transition (machine, from_status, to_status, permission) VALUES
    ('encounter', '', 'PLANNED', ''), ('encounter', '', 'ARRIVED', ''), ('encounter', '', 'TRIAGED', ''), ('encounter', '', 'IN_PROGRESS', ''),
    ('encounter', '', 'ON_HOLD', ''), ('encounter', '', 'CLOSED', ''), ('encounter', '', 'CANCELLED', '');

CREATE TABLE encounter_participant (
    encounter_id uuid NOT NULL CONSTRAINT encounter_participant_encounter_fk REFERENCES encounter (id),
    practitioner_id uuid NOT NULL CONSTRAINT encounter_participant_practitioner_fk REFERENCES practitioner (id),
    role text NOT NULL,
    PRIMARY KEY (encounter_id, practitioner_id, role)
);

SELECT grant_to_runtime('encounter', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('encounter_participant', 'SELECT, INSERT, DELETE');
