-- Problems and diagnoses.

CREATE TABLE condition (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT condition_patient_fk REFERENCES patient (id),
    encounter_id uuid,
    recorder_id uuid CONSTRAINT condition_recorder_fk REFERENCES practitioner (id),
    category text NOT NULL CONSTRAINT condition_category_known CHECK (category IN ('PROBLEM_LIST_ITEM', 'ENCOUNTER_DIAGNOSIS', 'HEALTH_CONCERN')),
    clinical_status text CONSTRAINT condition_clinical_status_known CHECK (clinical_status IN
        ('ACTIVE', 'RECURRENCE', 'RELAPSE', 'INACTIVE', 'REMISSION', 'RESOLVED')),
    verification_status text NOT NULL CONSTRAINT condition_verification_status_known CHECK (verification_status IN
        ('UNCONFIRMED', 'PROVISIONAL', 'DIFFERENTIAL', 'CONFIRMED', 'REFUTED', 'ENTERED_IN_ERROR')),
    recorded_at timestamptz,
    onset_at timestamptz,
    abated_at timestamptz,
    clinical bytea NOT NULL,
    code_tokens bytea[] NOT NULL DEFAULT '{}',
    CONSTRAINT condition_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES encounter (id, patient_id)
);
CREATE INDEX condition_by_patient ON condition (patient_id, recorded_at DESC NULLS LAST, id DESC);
CREATE INDEX condition_by_encounter ON condition (encounter_id) WHERE encounter_id IS NOT NULL;
CREATE TRIGGER condition_version BEFORE UPDATE ON condition FOR EACH ROW EXECUTE FUNCTION bump_version();

SELECT grant_to_runtime('condition', 'SELECT, INSERT, UPDATE');
