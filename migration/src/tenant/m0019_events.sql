-- What happened, and the work that follows from it.

-- An event is written in the transaction of the act itself, and never changes. It holds ids and codes, no PHI.
CREATE TABLE event (
    id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT event_kind_shape CHECK (kind ~ '^[A-Z][A-Z_]{2,59}$'),
    at timestamptz NOT NULL,
    actor_id uuid,
    patient_id uuid CONSTRAINT event_patient_fk REFERENCES patient (id),
    encounter_id uuid,
    -- Its number among the events of its encounter, without a gap.
    encounter_seq integer CONSTRAINT event_encounter_seq_positive CHECK (encounter_seq > 0),
    subject_id uuid NOT NULL,
    body jsonb NOT NULL,
    -- Its place among all events, given after the commit: whoever has seen one has seen all before it.
    position bigint CONSTRAINT event_position_unique UNIQUE,
    CONSTRAINT event_encounter_seq_unique UNIQUE (encounter_id, encounter_seq),
    CONSTRAINT event_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES encounter (id, patient_id),
    CONSTRAINT event_encounter_whole CHECK (encounter_id IS NULL OR (patient_id IS NOT NULL AND encounter_seq IS NOT NULL))
);
CREATE INDEX event_by_patient ON event (patient_id, position);
CREATE INDEX event_by_subject ON event (subject_id, id);
CREATE INDEX event_unordered ON event (id) WHERE position IS NULL;

-- Events of one encounter wait for each other, and are numbered in the order in which they commit.
CREATE FUNCTION number_event() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.position := NULL;
    NEW.encounter_seq := NULL;
    IF NEW.encounter_id IS NOT NULL THEN
        PERFORM FROM encounter e WHERE e.id = NEW.encounter_id FOR NO KEY UPDATE;
        SELECT coalesce(max(e.encounter_seq), 0) + 1 INTO NEW.encounter_seq FROM event e WHERE e.encounter_id = NEW.encounter_id;
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION keep_event() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.position IS NOT NULL OR NEW.position IS NULL OR to_jsonb(NEW) - 'position' <> to_jsonb(OLD) - 'position' THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'append-only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER event_numbered BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION number_event();
CREATE TRIGGER event_kept BEFORE UPDATE ON event FOR EACH ROW EXECUTE FUNCTION keep_event();
CREATE TRIGGER event_stays BEFORE DELETE OR TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Gives places to up to a thousand events that are committed and have none; returns to how many. One caller at a
-- time: places become visible in their own order, so a reader who goes on behind the last one misses nothing.
-- Each statement of a volatile function sees what was committed before it, and so what the caller before did.
INSERT INTO counter (name, n) VALUES ('event', 0);
CREATE FUNCTION order_events() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    behind bigint;
    placed integer;
BEGIN
    IF NOT EXISTS (SELECT FROM event WHERE position IS NULL) THEN
        RETURN 0;
    END IF;
    SELECT n INTO STRICT behind FROM counter WHERE name = 'event' FOR UPDATE;
    WITH chosen AS (
        SELECT w.id, row_number() OVER (ORDER BY w.id) AS nth
        FROM (SELECT id FROM event WHERE position IS NULL ORDER BY id LIMIT 1000) w)
    UPDATE event e SET position = behind + chosen.nth FROM chosen WHERE e.id = chosen.id;
    GET DIAGNOSTICS placed = ROW_COUNT;
    UPDATE counter SET n = behind + placed WHERE name = 'event';
    RETURN placed;
END $$;

DO $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION order_events() TO %I', current_setting('praxis.role'));
END $$;

-- Work: what follows from an event (a reaction), or what is due at a time. A worker runs each in a transaction of
-- its own, in which the row becomes DONE: the effects of a job happen once.
CREATE TABLE job (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    -- The reaction, or the kind of work.
    name text NOT NULL CONSTRAINT job_name_shape CHECK (name ~ '^[A-Z][A-Z_]{2,59}$'),
    event_id uuid CONSTRAINT job_event_fk REFERENCES event (id),
    -- Ids and codes that the work needs; no PHI.
    payload jsonb,
    dedupe_key text,
    status text NOT NULL CONSTRAINT job_status_known CHECK (status IN ('QUEUED', 'RUNNING', 'DONE', 'DEAD', 'DISCARDED')),
    -- When it is due; while it runs, the end of its lease.
    run_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0 CONSTRAINT job_attempts_not_negative CHECK (attempts >= 0),
    finished_at timestamptz,
    last_error text,
    CONSTRAINT job_once_for_an_event UNIQUE (event_id, name),
    CONSTRAINT job_once_for_a_key UNIQUE (name, dedupe_key),
    CONSTRAINT job_reaction_or_work CHECK ((event_id IS NULL) = (dedupe_key IS NOT NULL)),
    CONSTRAINT job_finished_has_time CHECK ((status IN ('QUEUED', 'RUNNING')) = (finished_at IS NULL))
);
CREATE INDEX job_due ON job (run_at, id) WHERE status IN ('QUEUED', 'RUNNING');
CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;
CREATE TRIGGER job_transition BEFORE INSERT OR UPDATE ON job FOR EACH ROW EXECUTE FUNCTION enforce_transition('job');
INSERT INTO status_transition (machine, from_status, to_status, permission) VALUES
    ('job', '', 'QUEUED', ''),
    ('job', 'QUEUED', 'RUNNING', ''),
    ('job', 'RUNNING', 'QUEUED', ''),
    ('job', 'RUNNING', 'DONE', ''),
    ('job', 'RUNNING', 'DEAD', ''),
    ('job', 'DEAD', 'QUEUED', 'settings:manage'),
    ('job', 'QUEUED', 'DISCARDED', 'settings:manage'),
    ('job', 'DEAD', 'DISCARDED', 'settings:manage');

SELECT grant_to_runtime('event', 'SELECT, INSERT (id, kind, at, actor_id, patient_id, encounter_id, subject_id, body)');
SELECT grant_to_runtime('job', 'SELECT, INSERT, UPDATE, DELETE');
