-- A problem whose source gave no clinical status counts as present, and may be taken on from there.

CREATE OR REPLACE FUNCTION enforce_problem_step() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.verification_status = 'ENTERED_IN_ERROR' THEN
        RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = 'what was a mistake stays one';
    END IF;
    IF NEW.clinical_status IS DISTINCT FROM OLD.clinical_status AND NOT EXISTS (SELECT FROM status_transition t
        WHERE t.machine = 'problem' AND t.from_status = coalesce(OLD.clinical_status, 'ACTIVE') AND t.to_status = NEW.clinical_status) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = format('illegal transition of problem from %s to %s', OLD.clinical_status, NEW.clinical_status);
    END IF;
    RETURN NEW;
END $$;
