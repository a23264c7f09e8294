-- Labels on everything that has content, a measurement that can be taken back, and what is written about tasks as
-- content of its own.

ALTER TABLE sensitivity_label DROP CONSTRAINT sensitivity_label_object_type_known;
ALTER TABLE sensitivity_label ADD CONSTRAINT sensitivity_label_object_type_known CHECK (object_type IN
    ('PATIENT', 'APPOINTMENT', 'ENCOUNTER', 'OBSERVATION', 'CONDITION', 'CLINICAL_DOCUMENT', 'ALLERGY', 'MEDICATION_STATEMENT',
     'IMMUNIZATION', 'PROCEDURE', 'FAMILY_HISTORY', 'SOCIAL_HISTORY', 'TASK')) NOT VALID;
ALTER TABLE sensitivity_label VALIDATE CONSTRAINT sensitivity_label_object_type_known;
-- A kind of object is named as its table.
CREATE OR REPLACE FUNCTION refuse_foreign_label() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    owner uuid;
BEGIN
    IF NEW.object_type = 'PATIENT' THEN
        owner := NEW.object_id;
    ELSE
        EXECUTE format('SELECT patient_id FROM %I WHERE id = $1', lower(NEW.object_type)) INTO owner USING NEW.object_id;
    END IF;
    IF owner IS DISTINCT FROM NEW.patient_id THEN
        RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'sensitivity_label_object', MESSAGE = 'the object is not this patient''s';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION refuse_foreign_label() FROM PUBLIC;

-- What was measured or noted by mistake is taken back.
UPDATE status_transition SET action = 'observationEnterInError'
    WHERE machine = 'observation' AND to_status = 'ENTERED_IN_ERROR' AND from_status <> '';

-- Labelling is possible wherever such an object stands.
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT DISTINCT machine, to_status, to_status, 'sensitivity:label', 'confidentialitySet'
    FROM status_transition
    WHERE machine IN ('observation', 'clinical_document', 'allergy', 'medication_statement', 'immunization', 'procedure',
        'family_history', 'social_history', 'problem', 'task');

-- Whoever read what is written about tasks still does, where no label closes it.
INSERT INTO role_permission (role_id, permission, condition)
    SELECT role_id, 'task.content:read', condition FROM role_permission WHERE permission = 'task:read'
    ON CONFLICT DO NOTHING;
