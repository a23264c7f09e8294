-- What a clinic asks of a kind of visit is changed through the API, and may be a signed note; what a note says of its
-- visit becomes the visit's assessment and plan.

ALTER TABLE visit_policy ADD COLUMN version integer NOT NULL DEFAULT 1;
-- Whoever is responsible has to sign a note before such a visit is closed.
-- A clinic that is being made, where nobody works yet, begins with that. Of those that are there none finds its visits
-- harder to close after an upgrade, also where a server of the build before, which asks for no note, still runs.
ALTER TABLE visit_policy ADD COLUMN needs_signed_note boolean NOT NULL DEFAULT false;
UPDATE visit_policy SET needs_signed_note = true WHERE class <> 'OTHER' AND NOT EXISTS (SELECT FROM user_account);

-- The version of a document that says it, where it was not recorded by itself.
ALTER TABLE encounter_note ADD COLUMN document_id uuid;
ALTER TABLE encounter_note ADD COLUMN document_version integer;
ALTER TABLE encounter_note ADD CONSTRAINT encounter_note_document_whole CHECK ((document_id IS NULL) = (document_version IS NULL)) NOT VALID;
ALTER TABLE encounter_note VALIDATE CONSTRAINT encounter_note_document_whole;
ALTER TABLE encounter_note ADD CONSTRAINT encounter_note_document_fk FOREIGN KEY (document_id, patient_id) REFERENCES clinical_document (id, patient_id) NOT VALID;
ALTER TABLE encounter_note VALIDATE CONSTRAINT encounter_note_document_fk;
ALTER TABLE encounter_note ADD CONSTRAINT encounter_note_version_fk FOREIGN KEY (document_id, document_version) REFERENCES document_version (document_id, version) NOT VALID;
ALTER TABLE encounter_note VALIDATE CONSTRAINT encounter_note_version_fk;
-- A version of a document says it once.
CREATE UNIQUE INDEX encounter_note_said_once ON encounter_note (document_id, document_version, kind) WHERE document_id IS NOT NULL;

-- The gate's last line, with all that the database can see for itself.
CREATE OR REPLACE FUNCTION hold_close_gate() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    said text[];
    needs_vitals boolean;
    needs_signed_note boolean;
BEGIN
    SELECT c.missing INTO said FROM encounter_closing c
        WHERE c.encounter_id = NEW.id AND c.encounter_version = OLD.version;
    IF said IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'PX021', MESSAGE = 'closed past the gate';
    END IF;
    IF cardinality(said) > 0 THEN
        IF NOT EXISTS (SELECT FROM encounter_note n WHERE n.encounter_id = NEW.id AND n.kind = 'OVERRIDE') THEN
            RAISE EXCEPTION USING ERRCODE = 'PX021', MESSAGE = 'closed in spite of the gate, and nobody said why';
        END IF;
        RETURN NEW;
    END IF;
    SELECT p.needs_vitals, p.needs_signed_note INTO needs_vitals, needs_signed_note FROM visit_policy p WHERE p.class = NEW.class;
    IF NOT EXISTS (SELECT FROM encounter_diagnosis d WHERE d.encounter_id = NEW.id AND d.rank = 1 AND d.status = 'RECORDED')
        OR NOT EXISTS (SELECT FROM encounter_note n WHERE n.encounter_id = NEW.id AND n.kind = 'ASSESSMENT')
        OR NOT EXISTS (SELECT FROM encounter_note n WHERE n.encounter_id = NEW.id AND n.kind = 'PLAN')
        OR EXISTS (SELECT FROM clinical_document d WHERE d.encounter_id = NEW.id AND d.status IN ('DRAFT', 'IN_REVIEW'))
        OR EXISTS (SELECT FROM alert a WHERE a.encounter_id = NEW.id AND a.status = 'OPEN' AND a.severity <> 'INFO')
        OR needs_vitals AND NOT EXISTS (SELECT FROM observation o
            WHERE o.encounter_id = NEW.id AND o.taken_together IS NOT NULL AND o.status <> 'ENTERED_IN_ERROR')
        OR needs_signed_note AND NOT EXISTS (SELECT FROM clinical_document d
            JOIN document_version v ON v.document_id = d.id AND v.head
            JOIN document_signature s ON s.document_id = v.document_id AND s.version = v.version
            WHERE d.encounter_id = NEW.id AND d.addendum_to IS NULL AND d.status IN ('SIGNED', 'AMENDED')
                AND (NEW.practitioner_id IS NULL OR s.practitioner_id = NEW.practitioner_id)) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX021', MESSAGE = 'something is missing';
    END IF;
    RETURN NEW;
END $$;

-- Whoever waits for a time is told that one is held for them.
ALTER TABLE notification DROP CONSTRAINT notification_topic_known;
ALTER TABLE notification ADD CONSTRAINT notification_topic_known CHECK (topic IN (
    'APPOINTMENT_BOOKED', 'APPOINTMENT_MOVED', 'APPOINTMENT_CANCELLED', 'APPOINTMENT_REMINDER', 'APPOINTMENT_OFFERED',
    'TASK_ASSIGNED', 'TASK_ESCALATED', 'ALERT_RAISED', 'DOCUMENT_TO_COSIGN')) NOT VALID;
ALTER TABLE notification VALIDATE CONSTRAINT notification_topic_known;
