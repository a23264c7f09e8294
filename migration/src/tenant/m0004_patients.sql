-- Persons in care. Whatever identifies them is sealed; they are found through keyed tokens.

CREATE TABLE patient (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    status text NOT NULL CONSTRAINT patient_status_known CHECK (status IN ('ACTIVE', 'INACTIVE', 'DECEASED', 'MERGED', 'ERASED')),
    administrative_sex text NOT NULL CONSTRAINT patient_administrative_sex_known CHECK (administrative_sex IN ('FEMALE', 'MALE', 'OTHER', 'UNKNOWN')),
    record_number bytea NOT NULL,
    identity bytea NOT NULL,
    contact bytea NOT NULL,
    identifiers bytea NOT NULL
);
CREATE INDEX patient_by_update ON patient (updated_at);
CREATE TRIGGER patient_version BEFORE UPDATE ON patient FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER patient_transition BEFORE INSERT OR UPDATE ON patient FOR EACH ROW EXECUTE FUNCTION enforce_transition('patient');
INSERT INTO status_transition (machine, from_status, to_status, permission) VALUES
    ('patient', '', 'ACTIVE', 'patient:create'),
    ('patient', '', 'INACTIVE', 'patient:create'),
    ('patient', '', 'DECEASED', 'patient:create'),
    ('patient', 'ACTIVE', 'INACTIVE', 'patient:deactivate'),
    ('patient', 'INACTIVE', 'ACTIVE', 'patient:deactivate'),
    ('patient', 'ACTIVE', 'DECEASED', 'patient:record-death'),
    ('patient', 'INACTIVE', 'DECEASED', 'patient:record-death');

CREATE TABLE patient_token (
    patient_id uuid NOT NULL CONSTRAINT patient_token_patient_fk REFERENCES patient (id),
    kind text NOT NULL CONSTRAINT patient_token_kind_known CHECK (kind IN ('MRN', 'NATIONAL_ID', 'IDENTIFIER', 'EMAIL', 'PHONE', 'BIRTH_DATE', 'DUPLICATE')),
    token bytea NOT NULL,
    PRIMARY KEY (patient_id, kind, token)
);
CREATE INDEX patient_token_lookup ON patient_token (kind, token);
-- E-mail, phone and birth date are shared by families; these are not.
CREATE UNIQUE INDEX patient_mrn_unique ON patient_token (token) WHERE kind = 'MRN';
CREATE UNIQUE INDEX patient_national_id_unique ON patient_token (token) WHERE kind = 'NATIONAL_ID';
CREATE UNIQUE INDEX patient_identifier_unique ON patient_token (token) WHERE kind = 'IDENTIFIER';

CREATE TABLE related_person (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT related_person_patient_fk REFERENCES patient (id),
    active boolean NOT NULL DEFAULT true,
    guardian boolean NOT NULL DEFAULT false,
    emergency_contact boolean NOT NULL DEFAULT false,
    details bytea NOT NULL
);
CREATE INDEX related_person_by_patient ON related_person (patient_id);
CREATE TRIGGER related_person_version BEFORE UPDATE ON related_person FOR EACH ROW EXECUTE FUNCTION bump_version();

SELECT grant_to_runtime('patient', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('patient_token', 'SELECT, INSERT, DELETE');
SELECT grant_to_runtime('related_person', 'SELECT, INSERT, UPDATE');
