-- Booked visits. Two that overlap for one practitioner or room can't both be stored.

CREATE TABLE appointment (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT appointment_patient_fk REFERENCES patient (id),
    practitioner_id uuid NOT NULL CONSTRAINT appointment_practitioner_fk REFERENCES practitioner (id),
    facility_id uuid NOT NULL CONSTRAINT appointment_facility_fk REFERENCES facility (id),
    room_id uuid CONSTRAINT appointment_room_fk REFERENCES room (id),
    visit_type_id uuid CONSTRAINT appointment_visit_type_fk REFERENCES visit_type (id),
    modality text NOT NULL CONSTRAINT appointment_modality_known CHECK (modality IN ('IN_PERSON', 'VIDEO', 'PHONE')),
    status text NOT NULL CONSTRAINT appointment_status_known CHECK (status IN
        ('BOOKED', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED', 'NO_SHOW')),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    time_zone text NOT NULL,
    note bytea,
    cancel_code text,
    booked_by uuid,
    CONSTRAINT appointment_order CHECK (ends_at > starts_at),
    CONSTRAINT appointment_patient_unique UNIQUE (id, patient_id)
);
CREATE INDEX appointment_by_patient ON appointment (patient_id, starts_at DESC NULLS LAST, id DESC);
CREATE INDEX appointment_by_practitioner ON appointment (practitioner_id, starts_at);
CREATE INDEX appointment_by_start ON appointment (starts_at, id);
CREATE TRIGGER appointment_version BEFORE UPDATE ON appointment FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER appointment_transition BEFORE INSERT OR UPDATE ON appointment FOR EACH ROW EXECUTE FUNCTION enforce_transition('appointment');
INSERT INTO status_transition (machine, from_status, to_status, permission) VALUES
    ('appointment', '', 'BOOKED', 'appointment:book'),
    ('appointment', 'BOOKED', 'CONFIRMED', 'appointment:book'),
    ('appointment', 'BOOKED', 'CHECKED_IN', 'appointment:book'),
    ('appointment', 'CONFIRMED', 'CHECKED_IN', 'appointment:book'),
    ('appointment', 'CHECKED_IN', 'IN_PROGRESS', 'appointment:book'),
    ('appointment', 'IN_PROGRESS', 'COMPLETED', 'appointment:book'),
    ('appointment', 'BOOKED', 'CANCELLED', 'appointment:cancel'),
    ('appointment', 'CONFIRMED', 'CANCELLED', 'appointment:cancel'),
    ('appointment', 'BOOKED', 'NO_SHOW', 'appointment:no-show'),
    ('appointment', 'CONFIRMED', 'NO_SHOW', 'appointment:no-show');

CREATE TABLE appointment_resource (
    appointment_id uuid NOT NULL CONSTRAINT appointment_resource_appointment_fk REFERENCES appointment (id),
    resource_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT appointment_resource_kind_known CHECK (kind IN ('PRACTITIONER', 'ROOM')),
    busy_from timestamptz NOT NULL,
    busy_until timestamptz NOT NULL,
    blocking boolean NOT NULL DEFAULT true,
    PRIMARY KEY (appointment_id, resource_id),
    CONSTRAINT appointment_resource_order CHECK (busy_until > busy_from),
    CONSTRAINT appointment_no_overlap EXCLUDE USING gist
        (resource_id WITH =, tstzrange(busy_from, busy_until, '[)') WITH &&) WHERE (blocking)
);

SELECT grant_to_runtime('appointment', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('appointment_resource', 'SELECT, INSERT, UPDATE, DELETE');
