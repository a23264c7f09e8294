-- Conditions of access: where a patient is known, who cares for them, what is sensitive, what they allow.

-- A role held at one branch reaches the patients known there: by registration, appointment or encounter.
CREATE TABLE patient_facility (
    patient_id uuid NOT NULL CONSTRAINT patient_facility_patient_fk REFERENCES patient (id),
    facility_id uuid NOT NULL CONSTRAINT patient_facility_facility_fk REFERENCES facility (id),
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (patient_id, facility_id)
);
CREATE FUNCTION know_patient_at_facility() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.facility_id IS NOT NULL THEN
        INSERT INTO patient_facility (patient_id, facility_id) VALUES (NEW.patient_id, NEW.facility_id) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER appointment_known AFTER INSERT OR UPDATE OF facility_id ON appointment
    FOR EACH ROW EXECUTE FUNCTION know_patient_at_facility();
CREATE TRIGGER encounter_known AFTER INSERT OR UPDATE OF facility_id ON encounter
    FOR EACH ROW EXECUTE FUNCTION know_patient_at_facility();
INSERT INTO patient_facility (patient_id, facility_id)
    SELECT patient_id, facility_id FROM appointment
    UNION SELECT patient_id, facility_id FROM encounter WHERE facility_id IS NOT NULL;

CREATE TABLE care_team_member (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT care_team_member_patient_fk REFERENCES patient (id),
    practitioner_id uuid CONSTRAINT care_team_member_practitioner_fk REFERENCES practitioner (id),
    user_id uuid CONSTRAINT care_team_member_user_fk REFERENCES user_account (id),
    role text NOT NULL CONSTRAINT care_team_member_role_known CHECK (role IN
        ('PRIMARY_CARE', 'ATTENDING', 'CONSULTANT', 'NURSE', 'THERAPIST', 'CASE_MANAGER', 'OTHER')),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    added_by uuid,
    CONSTRAINT care_team_member_one CHECK (num_nonnulls(practitioner_id, user_id) = 1),
    CONSTRAINT care_team_member_order CHECK (ends_at >= starts_at)
);
CREATE INDEX care_team_member_by_patient ON care_team_member (patient_id);
CREATE UNIQUE INDEX care_team_member_once ON care_team_member (patient_id, coalesce(practitioner_id, user_id), role) WHERE ends_at IS NULL;
CREATE TRIGGER care_team_member_version BEFORE UPDATE ON care_team_member FOR EACH ROW EXECUTE FUNCTION bump_version();

-- HL7 v3 Confidentiality of one object; what hangs on an encounter or a patient is as sensitive as that.
CREATE TABLE sensitivity_label (
    object_id uuid PRIMARY KEY,
    object_type text NOT NULL CONSTRAINT sensitivity_label_object_type_known CHECK (object_type IN
        ('PATIENT', 'APPOINTMENT', 'ENCOUNTER', 'OBSERVATION', 'CONDITION')),
    patient_id uuid NOT NULL CONSTRAINT sensitivity_label_patient_fk REFERENCES patient (id),
    level text NOT NULL CONSTRAINT sensitivity_label_level_known CHECK (level IN ('N', 'R', 'V')),
    labelled_by uuid,
    labelled_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sensitivity_label_by_patient ON sensitivity_label (patient_id);
CREATE FUNCTION refuse_foreign_label() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    owner uuid;
BEGIN
    CASE NEW.object_type
        WHEN 'PATIENT' THEN owner := NEW.object_id;
        WHEN 'APPOINTMENT' THEN SELECT patient_id INTO owner FROM appointment WHERE id = NEW.object_id;
        WHEN 'ENCOUNTER' THEN SELECT patient_id INTO owner FROM encounter WHERE id = NEW.object_id;
        WHEN 'OBSERVATION' THEN SELECT patient_id INTO owner FROM observation WHERE id = NEW.object_id;
        ELSE SELECT patient_id INTO owner FROM condition WHERE id = NEW.object_id;
    END CASE;
    IF owner IS DISTINCT FROM NEW.patient_id THEN
        RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'sensitivity_label_object', MESSAGE = 'the object is not this patient''s';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sensitivity_label_object BEFORE INSERT OR UPDATE ON sensitivity_label FOR EACH ROW EXECUTE FUNCTION refuse_foreign_label();

-- The most specific directive decides; of two that are equally specific, the one that denies.
CREATE TABLE consent_directive (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT consent_directive_patient_fk REFERENCES patient (id),
    decision text NOT NULL CONSTRAINT consent_directive_decision_known CHECK (decision IN ('PERMIT', 'DENY')),
    class text NOT NULL CONSTRAINT consent_directive_class_known CHECK (class IN
        ('ALL', 'IDENTITY', 'CONTACT', 'IDENTIFIERS', 'VISITS', 'CLINICAL')),
    scope text NOT NULL CONSTRAINT consent_directive_scope_known CHECK (scope IN ('ANYONE', 'FACILITY', 'ROLE', 'USER')),
    facility_id uuid CONSTRAINT consent_directive_facility_fk REFERENCES facility (id),
    role_code text CONSTRAINT consent_directive_role_fk REFERENCES role (code),
    user_id uuid CONSTRAINT consent_directive_user_fk REFERENCES user_account (id),
    rank smallint NOT NULL GENERATED ALWAYS AS (CASE scope WHEN 'USER' THEN 3 WHEN 'ROLE' THEN 2 WHEN 'FACILITY' THEN 1 ELSE 0 END) STORED,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    recorded_by uuid,
    revoked_at timestamptz,
    revoked_by uuid,
    CONSTRAINT consent_directive_order CHECK (ends_at > starts_at),
    CONSTRAINT consent_directive_whom CHECK (
        (scope = 'FACILITY') = (facility_id IS NOT NULL) AND (scope = 'ROLE') = (role_code IS NOT NULL) AND (scope = 'USER') = (user_id IS NOT NULL))
);
CREATE INDEX consent_directive_by_patient ON consent_directive (patient_id) WHERE revoked_at IS NULL;
CREATE TRIGGER consent_directive_version BEFORE UPDATE ON consent_directive FOR EACH ROW EXECUTE FUNCTION bump_version();

-- What a role permits may be bound to a relation to the patient or row; so may a field.
ALTER TABLE role_permission ADD COLUMN condition text NOT NULL DEFAULT '';
ALTER TABLE role_permission ADD CONSTRAINT role_permission_condition_known CHECK (condition IN ('', 'OWN', 'CARE_TEAM', 'FACILITY', 'IN_CARE')) NOT VALID;
ALTER TABLE role_permission VALIDATE CONSTRAINT role_permission_condition_known;
ALTER TABLE field_policy ADD COLUMN condition text NOT NULL DEFAULT '';
ALTER TABLE field_policy ADD CONSTRAINT field_policy_condition_known CHECK (condition IN ('', 'OWN', 'CARE_TEAM', 'FACILITY', 'IN_CARE')) NOT VALID;
ALTER TABLE field_policy VALIDATE CONSTRAINT field_policy_condition_known;

SELECT grant_to_runtime('patient_facility', 'SELECT, INSERT');
SELECT grant_to_runtime('care_team_member', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('sensitivity_label', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('consent_directive', 'SELECT, INSERT, UPDATE');
