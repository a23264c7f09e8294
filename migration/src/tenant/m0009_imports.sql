-- What came from outside: which row it became, and what has no model here yet.

CREATE TABLE import_source (
    resource_type text NOT NULL,
    source_token bytea NOT NULL,
    local_id uuid NOT NULL,
    PRIMARY KEY (resource_type, source_token)
);

CREATE TABLE fhir_resource (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    resource_type text NOT NULL,
    patient_id uuid CONSTRAINT fhir_resource_patient_fk REFERENCES patient (id),
    mapped_id uuid,
    body bytea NOT NULL
);
CREATE INDEX fhir_resource_by_patient ON fhir_resource (patient_id, resource_type);

SELECT grant_to_runtime('import_source', 'SELECT, INSERT');
SELECT grant_to_runtime('fhir_resource', 'SELECT, INSERT');
