-- What the clinic itself is: branches, rooms, clinicians, kinds of visit. No PHI.

CREATE TABLE facility (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    code text NOT NULL CONSTRAINT facility_code_unique UNIQUE,
    name text NOT NULL,
    time_zone text NOT NULL,
    phone text,
    address_lines text[] NOT NULL DEFAULT '{}',
    active boolean NOT NULL DEFAULT true
);
CREATE TRIGGER facility_version BEFORE UPDATE ON facility FOR EACH ROW EXECUTE FUNCTION bump_version();
ALTER TABLE membership ADD CONSTRAINT membership_facility_fk FOREIGN KEY (facility_id) REFERENCES facility (id);

CREATE TABLE room (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    facility_id uuid NOT NULL CONSTRAINT room_facility_fk REFERENCES facility (id),
    name text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    CONSTRAINT room_name_unique UNIQUE (facility_id, name)
);
CREATE TRIGGER room_version BEFORE UPDATE ON room FOR EACH ROW EXECUTE FUNCTION bump_version();

CREATE TABLE specialty (
    id uuid PRIMARY KEY,
    code text NOT NULL CONSTRAINT specialty_code_unique UNIQUE,
    display text NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    template_key text,
    template_hash text,
    customised boolean NOT NULL DEFAULT false
);

CREATE TABLE practitioner (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    family text NOT NULL,
    given text[] NOT NULL DEFAULT '{}',
    prefix text,
    specialty_id uuid CONSTRAINT practitioner_specialty_fk REFERENCES specialty (id),
    active boolean NOT NULL DEFAULT true,
    bookable boolean NOT NULL DEFAULT false
);
CREATE TRIGGER practitioner_version BEFORE UPDATE ON practitioner FOR EACH ROW EXECUTE FUNCTION bump_version();
ALTER TABLE user_account ADD CONSTRAINT user_account_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES practitioner (id);

CREATE TABLE practitioner_identifier (
    system text NOT NULL,
    value text NOT NULL,
    practitioner_id uuid NOT NULL CONSTRAINT practitioner_identifier_practitioner_fk REFERENCES practitioner (id),
    PRIMARY KEY (system, value)
);

CREATE TABLE organization (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    name text NOT NULL,
    kind text,
    phone text,
    address_lines text[] NOT NULL DEFAULT '{}',
    active boolean NOT NULL DEFAULT true
);
CREATE TRIGGER organization_version BEFORE UPDATE ON organization FOR EACH ROW EXECUTE FUNCTION bump_version();

CREATE TABLE organization_identifier (
    system text NOT NULL,
    value text NOT NULL,
    organization_id uuid NOT NULL CONSTRAINT organization_identifier_organization_fk REFERENCES organization (id),
    PRIMARY KEY (system, value)
);

CREATE TABLE visit_type (
    id uuid PRIMARY KEY,
    key text NOT NULL CONSTRAINT visit_type_key_unique UNIQUE,
    name text NOT NULL,
    modality text NOT NULL CONSTRAINT visit_type_modality_known CHECK (modality IN ('IN_PERSON', 'VIDEO', 'PHONE')),
    duration_minutes integer NOT NULL CONSTRAINT visit_type_duration_sensible CHECK (duration_minutes BETWEEN 1 AND 1440),
    buffer_before_minutes integer NOT NULL DEFAULT 0 CONSTRAINT visit_type_buffer_before_sensible CHECK (buffer_before_minutes BETWEEN 0 AND 240),
    buffer_after_minutes integer NOT NULL DEFAULT 0 CONSTRAINT visit_type_buffer_after_sensible CHECK (buffer_after_minutes BETWEEN 0 AND 240),
    retired boolean NOT NULL DEFAULT false,
    template_key text,
    template_hash text,
    customised boolean NOT NULL DEFAULT false
);

CREATE TABLE note_template (
    id uuid PRIMARY KEY,
    title text NOT NULL,
    type_code text NOT NULL,
    body text NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    template_key text,
    template_hash text,
    customised boolean NOT NULL DEFAULT false
);

CREATE TABLE availability_rule (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    practitioner_id uuid NOT NULL CONSTRAINT availability_rule_practitioner_fk REFERENCES practitioner (id),
    facility_id uuid NOT NULL CONSTRAINT availability_rule_facility_fk REFERENCES facility (id),
    weekday smallint NOT NULL CONSTRAINT availability_rule_weekday_iso CHECK (weekday BETWEEN 1 AND 7),
    starts_local time NOT NULL,
    ends_local time NOT NULL,
    time_zone text NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    CONSTRAINT availability_rule_order CHECK (ends_local > starts_local),
    CONSTRAINT availability_rule_validity_order CHECK (valid_until >= valid_from)
);
CREATE INDEX availability_rule_by_practitioner ON availability_rule (practitioner_id);
CREATE TRIGGER availability_rule_version BEFORE UPDATE ON availability_rule FOR EACH ROW EXECUTE FUNCTION bump_version();

SELECT grant_to_runtime('facility', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('room', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('specialty', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('practitioner', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('practitioner_identifier', 'SELECT, INSERT, DELETE');
SELECT grant_to_runtime('organization', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('organization_identifier', 'SELECT, INSERT, DELETE');
SELECT grant_to_runtime('visit_type', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('note_template', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('availability_rule', 'SELECT, INSERT, UPDATE, DELETE');
