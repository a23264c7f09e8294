-- What the first clinics' days have taught.

-- A notice that is tried anew goes on counting its tries; after which of them it is given up moves with it.
ALTER TABLE notification ADD COLUMN last_attempt integer NOT NULL DEFAULT 20;
-- It may arrive when nobody believes in it any more, or while it waits to be tried once more.
INSERT INTO status_transition (machine, from_status, to_status, permission) VALUES
    ('notification', 'SCHEDULED', 'DELIVERED', ''),
    ('notification', 'DEAD', 'DELIVERED', '');

-- A patient who leaves before they are seen.
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('appointment', 'CHECKED_IN', 'CANCELLED', 'appointment:cancel', 'appointmentCancel'),
    ('appointment', 'IN_ROOM', 'CANCELLED', 'appointment:cancel', 'appointmentCancel');

-- Whether a condition still stands for a diagnosis of some visit.
CREATE INDEX encounter_diagnosis_by_condition ON encounter_diagnosis (condition_id) WHERE status = 'RECORDED';

-- Lists by these times.
CREATE INDEX appointment_by_created ON appointment (created_at, id);
CREATE INDEX appointment_by_updated ON appointment (updated_at, id);

-- What rules say of a visit is its clinician's own, as the visit is: whoever becomes its clinician later sees it, too.
ALTER TABLE alert ADD COLUMN practitioner_id uuid;
ALTER TABLE rule_evaluation ADD COLUMN practitioner_id uuid;
-- The measurements of which the condition asks: the same ones raise nothing twice.
ALTER TABLE rule_evaluation ADD COLUMN measured uuid[] NOT NULL DEFAULT '{}';
DROP TRIGGER rule_evaluation_append_only ON rule_evaluation;
UPDATE alert a SET practitioner_id = e.practitioner_id FROM encounter e
    WHERE e.id = a.encounter_id AND e.practitioner_id IS NOT NULL;
UPDATE rule_evaluation v SET practitioner_id = e.practitioner_id FROM encounter e
    WHERE e.id = v.encounter_id AND e.practitioner_id IS NOT NULL;
CREATE TRIGGER rule_evaluation_append_only BEFORE DELETE OR TRUNCATE
    OR UPDATE OF id, at, rule_id, cause_id, patient_id, encounter_id, result, reason, inputs_hash, explanation, measured
    ON rule_evaluation FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- A server of the build before does not say whose it is.
CREATE FUNCTION give_rule_finding() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    SELECT e.practitioner_id INTO NEW.practitioner_id FROM encounter e WHERE e.id = NEW.encounter_id;
    RETURN NEW;
END $$;
CREATE TRIGGER alert_given BEFORE INSERT ON alert
    FOR EACH ROW WHEN (NEW.practitioner_id IS NULL) EXECUTE FUNCTION give_rule_finding();
CREATE TRIGGER rule_evaluation_given BEFORE INSERT ON rule_evaluation
    FOR EACH ROW WHEN (NEW.practitioner_id IS NULL) EXECUTE FUNCTION give_rule_finding();
-- An alert that is over stays with whoever saw it through.
CREATE FUNCTION hand_over_rule_findings() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE alert a SET practitioner_id = NEW.practitioner_id
        WHERE a.encounter_id = NEW.id AND a.status IN ('OPEN', 'ACKNOWLEDGED')
            AND a.practitioner_id IS DISTINCT FROM NEW.practitioner_id;
    UPDATE rule_evaluation v SET practitioner_id = NEW.practitioner_id
        WHERE v.encounter_id = NEW.id AND v.practitioner_id IS DISTINCT FROM NEW.practitioner_id;
    RETURN NULL;
END $$;
CREATE TRIGGER encounter_hands_over_rule_findings AFTER UPDATE OF practitioner_id ON encounter
    FOR EACH ROW WHEN (NEW.practitioner_id IS DISTINCT FROM OLD.practitioner_id) EXECUTE FUNCTION hand_over_rule_findings();
SELECT grant_to_runtime('alert', 'UPDATE (practitioner_id)');
SELECT grant_to_runtime('rule_evaluation', 'UPDATE (practitioner_id)');
