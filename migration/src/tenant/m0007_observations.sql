-- Measurements and findings. What was found is sealed; when, and of which kind, is not.

CREATE TABLE observation (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT observation_patient_fk REFERENCES patient (id),
    encounter_id uuid,
    performer_id uuid CONSTRAINT observation_performer_fk REFERENCES practitioner (id),
    category text NOT NULL CONSTRAINT observation_category_known CHECK (category IN
        ('VITAL_SIGNS', 'LABORATORY', 'SURVEY', 'SOCIAL_HISTORY', 'EXAM', 'IMAGING', 'PROCEDURE', 'THERAPY', 'ACTIVITY', 'OTHER')),
    status text NOT NULL CONSTRAINT observation_status_known CHECK (status IN
        ('REGISTERED', 'PRELIMINARY', 'FINAL', 'AMENDED', 'CORRECTED', 'CANCELLED', 'ENTERED_IN_ERROR', 'UNKNOWN')),
    effective_at timestamptz,
    issued_at timestamptz,
    result bytea NOT NULL,
    code_tokens bytea[] NOT NULL DEFAULT '{}',
    -- Composite, so that a row can never point to another patient's encounter.
    CONSTRAINT observation_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES encounter (id, patient_id)
);
CREATE INDEX observation_by_patient ON observation (patient_id, effective_at DESC NULLS LAST, id DESC);
CREATE INDEX observation_by_encounter ON observation (encounter_id) WHERE encounter_id IS NOT NULL;
CREATE TRIGGER observation_version BEFORE UPDATE ON observation FOR EACH ROW EXECUTE FUNCTION bump_version();

SELECT grant_to_runtime('observation', 'SELECT, INSERT, UPDATE');
