-- What somebody has to do, by when, and who has taken it on; workflows, which open one task after another.

CREATE TABLE workflow_definition (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    code text NOT NULL CONSTRAINT workflow_definition_code_shape CHECK (code ~ '^[a-z][a-z0-9_]{0,39}$'),
    edition integer NOT NULL CONSTRAINT workflow_definition_edition_positive CHECK (edition > 0),
    name text NOT NULL,
    status text NOT NULL CONSTRAINT workflow_definition_status_known CHECK (status IN ('DRAFT', 'ACTIVE', 'RETIRED')),
    defined_by uuid CONSTRAINT workflow_definition_defined_by_fk REFERENCES user_account (id),
    CONSTRAINT workflow_definition_edition_unique UNIQUE (code, edition)
);
CREATE UNIQUE INDEX workflow_definition_one_active ON workflow_definition (code) WHERE status = 'ACTIVE';
CREATE TRIGGER workflow_definition_version BEFORE UPDATE ON workflow_definition FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER workflow_definition_transition BEFORE INSERT OR UPDATE ON workflow_definition
    FOR EACH ROW EXECUTE FUNCTION enforce_transition('workflow_definition');
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('workflow_definition', '', 'DRAFT', 'workflow:manage', 'workflowDefine'),
    ('workflow_definition', 'DRAFT', 'ACTIVE', 'workflow:manage', 'workflowActivate'),
    ('workflow_definition', 'DRAFT', 'RETIRED', 'workflow:manage', 'workflowRetire'),
    ('workflow_definition', 'ACTIVE', 'RETIRED', 'workflow:manage', 'workflowRetire'),
    ('workflow_definition', 'ACTIVE', 'ACTIVE', 'task:create', 'workflowStart');

CREATE TABLE workflow_step (
    definition_id uuid NOT NULL CONSTRAINT workflow_step_definition_fk REFERENCES workflow_definition (id),
    key text NOT NULL CONSTRAINT workflow_step_key_shape CHECK (key ~ '^[a-z][a-z0-9_]{0,39}$'),
    position integer NOT NULL,
    task_code text NOT NULL CONSTRAINT workflow_step_task_code_shape CHECK (task_code ~ '^[A-Z][A-Z0-9_]{1,39}$'),
    role_code text NOT NULL CONSTRAINT workflow_step_role_fk REFERENCES role (code),
    priority text NOT NULL CONSTRAINT workflow_step_priority_known CHECK (priority IN ('ROUTINE', 'URGENT', 'ASAP', 'STAT')),
    due_minutes integer CONSTRAINT workflow_step_due_positive CHECK (due_minutes > 0),
    guard text,
    -- Keys of the steps that have to be over before.
    follows text[] NOT NULL,
    PRIMARY KEY (definition_id, key)
);
-- Once somebody may have started it, a definition stays as it is: instances keep what they began with.
CREATE FUNCTION keep_workflow_steps() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    definition uuid := CASE TG_OP WHEN 'INSERT' THEN NEW.definition_id ELSE OLD.definition_id END;
BEGIN
    IF NOT EXISTS (SELECT FROM workflow_definition d WHERE d.id = definition AND d.status = 'DRAFT') THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'only a draft is changed';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER workflow_step_kept BEFORE INSERT OR UPDATE OR DELETE ON workflow_step
    FOR EACH ROW EXECUTE FUNCTION keep_workflow_steps();

CREATE TABLE workflow_instance (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    definition_id uuid NOT NULL CONSTRAINT workflow_instance_definition_fk REFERENCES workflow_definition (id),
    patient_id uuid CONSTRAINT workflow_instance_patient_fk REFERENCES patient (id),
    encounter_id uuid,
    status text NOT NULL CONSTRAINT workflow_instance_status_known CHECK (status IN ('RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
    started_by uuid CONSTRAINT workflow_instance_started_by_fk REFERENCES user_account (id),
    ended_at timestamptz,
    CONSTRAINT workflow_instance_ended CHECK ((status = 'RUNNING') = (ended_at IS NULL)),
    CONSTRAINT workflow_instance_encounter_has_patient CHECK (encounter_id IS NULL OR patient_id IS NOT NULL),
    CONSTRAINT workflow_instance_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES encounter (id, patient_id)
);
CREATE INDEX workflow_instance_by_definition ON workflow_instance (definition_id, id);
CREATE INDEX workflow_instance_by_encounter ON workflow_instance (encounter_id) WHERE status = 'RUNNING';
CREATE TRIGGER workflow_instance_version BEFORE UPDATE ON workflow_instance FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER workflow_instance_transition BEFORE INSERT OR UPDATE ON workflow_instance
    FOR EACH ROW EXECUTE FUNCTION enforce_transition('workflow_instance');
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('workflow_instance', '', 'RUNNING', '', ''),
    ('workflow_instance', 'RUNNING', 'COMPLETED', '', ''),
    ('workflow_instance', 'RUNNING', 'FAILED', '', ''),
    ('workflow_instance', 'RUNNING', 'CANCELLED', 'task:assign', 'workflowCancel');

CREATE TABLE task (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid CONSTRAINT task_patient_fk REFERENCES patient (id),
    encounter_id uuid,
    focus_kind text,
    focus_id uuid,
    code text NOT NULL CONSTRAINT task_code_shape CHECK (code ~ '^[A-Z][A-Z0-9_]{1,39}$'),
    priority text NOT NULL CONSTRAINT task_priority_known CHECK (priority IN ('ROUTINE', 'URGENT', 'ASAP', 'STAT')),
    status text NOT NULL CONSTRAINT task_status_known CHECK (status IN
        ('REQUESTED', 'ACCEPTED', 'IN_PROGRESS', 'ON_HOLD', 'COMPLETED', 'FAILED', 'REJECTED', 'CANCELLED')),
    owner_id uuid CONSTRAINT task_owner_fk REFERENCES user_account (id),
    role_code text CONSTRAINT task_role_fk REFERENCES role (code),
    requested_by uuid CONSTRAINT task_requested_by_fk REFERENCES user_account (id),
    due_at timestamptz,
    started_at timestamptz,
    ended_at timestamptz,
    outcome text CONSTRAINT task_outcome_known CHECK (outcome IN ('DONE', 'PARTLY_DONE', 'NOT_NEEDED', 'NOT_POSSIBLE')),
    -- Whatever was written in words, sealed under the patient's key, or the clinic's where there is no patient.
    words bytea,
    instance_id uuid CONSTRAINT task_instance_fk REFERENCES workflow_instance (id),
    step text,
    -- What a task is about is of the task's own patient, wherever the table is known.
    focus_patient_id uuid GENERATED ALWAYS AS (CASE focus_kind WHEN 'pat' THEN focus_id END) STORED,
    focus_appointment_id uuid GENERATED ALWAYS AS (CASE focus_kind WHEN 'apt' THEN focus_id END) STORED,
    focus_encounter_id uuid GENERATED ALWAYS AS (CASE focus_kind WHEN 'enc' THEN focus_id END) STORED,
    CONSTRAINT task_focus_whole CHECK ((focus_kind IS NULL) = (focus_id IS NULL)),
    CONSTRAINT task_focus_has_patient CHECK (focus_kind IS NULL OR patient_id IS NOT NULL),
    CONSTRAINT task_focus_patient_agrees CHECK (focus_patient_id = patient_id),
    CONSTRAINT task_focus_appointment_fk FOREIGN KEY (focus_appointment_id, patient_id) REFERENCES appointment (id, patient_id),
    CONSTRAINT task_focus_encounter_fk FOREIGN KEY (focus_encounter_id, patient_id) REFERENCES encounter (id, patient_id),
    CONSTRAINT task_encounter_has_patient CHECK (encounter_id IS NULL OR patient_id IS NOT NULL),
    CONSTRAINT task_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES encounter (id, patient_id),
    CONSTRAINT task_step_whole CHECK ((instance_id IS NULL) = (step IS NULL)),
    CONSTRAINT task_taken_has_owner CHECK (status NOT IN ('ACCEPTED', 'IN_PROGRESS', 'ON_HOLD', 'COMPLETED', 'FAILED') OR owner_id IS NOT NULL),
    CONSTRAINT task_ended CHECK ((status IN ('COMPLETED', 'FAILED', 'REJECTED', 'CANCELLED')) = (ended_at IS NOT NULL)),
    CONSTRAINT task_ended_with_outcome CHECK ((status IN ('COMPLETED', 'FAILED')) = (outcome IS NOT NULL))
);
-- Of a workflow's step there is one task at a time.
CREATE UNIQUE INDEX task_one_active_per_step ON task (instance_id, step)
    WHERE status IN ('REQUESTED', 'ACCEPTED', 'IN_PROGRESS', 'ON_HOLD');
CREATE INDEX task_by_instance ON task (instance_id) WHERE instance_id IS NOT NULL;
CREATE INDEX task_of_owner ON task (owner_id, due_at, id) WHERE status IN ('REQUESTED', 'ACCEPTED', 'IN_PROGRESS', 'ON_HOLD');
CREATE INDEX task_of_role ON task (role_code, due_at, id) WHERE owner_id IS NULL AND status = 'REQUESTED';
CREATE INDEX task_by_patient ON task (patient_id, id) WHERE patient_id IS NOT NULL;
CREATE INDEX task_by_encounter ON task (encounter_id, id) WHERE encounter_id IS NOT NULL;
CREATE INDEX task_by_due ON task (due_at, id);
CREATE TRIGGER task_version BEFORE UPDATE ON task FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER task_transition BEFORE INSERT OR UPDATE ON task FOR EACH ROW EXECUTE FUNCTION enforce_transition('task');
-- FHIR Task, without what a clinic does not tell apart: a draft is no task yet.
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('task', '', 'REQUESTED', 'task:create', 'taskCreate'),
    ('task', 'REQUESTED', 'ACCEPTED', 'task:work', 'taskClaim'),
    ('task', 'REQUESTED', 'REJECTED', 'task:work', 'taskReject'),
    ('task', 'ACCEPTED', 'IN_PROGRESS', 'task:work', 'taskStart'),
    ('task', 'ACCEPTED', 'COMPLETED', 'task:work', 'taskComplete'),
    ('task', 'ACCEPTED', 'FAILED', 'task:work', 'taskComplete'),
    ('task', 'IN_PROGRESS', 'ON_HOLD', 'task:work', 'taskHold'),
    ('task', 'IN_PROGRESS', 'COMPLETED', 'task:work', 'taskComplete'),
    ('task', 'IN_PROGRESS', 'FAILED', 'task:work', 'taskComplete'),
    ('task', 'ON_HOLD', 'IN_PROGRESS', 'task:work', 'taskResume');
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT 'task', status, led.to_status, led.permission, led.action
    FROM (VALUES ('REQUESTED', 'task:work', 'taskAssign'), ('CANCELLED', 'task:create', 'taskCancel')) AS led (to_status, permission, action),
        unnest(ARRAY['REQUESTED', 'ACCEPTED', 'IN_PROGRESS', 'ON_HOLD']) AS status;

-- Observations and conditions have no key together with their patient; a trigger says the same of them.
CREATE FUNCTION refuse_foreign_focus() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    owner uuid;
BEGIN
    CASE NEW.focus_kind
        WHEN 'obs' THEN SELECT patient_id INTO owner FROM observation WHERE id = NEW.focus_id;
        WHEN 'con' THEN SELECT patient_id INTO owner FROM condition WHERE id = NEW.focus_id;
        ELSE RETURN NEW;
    END CASE;
    IF owner IS DISTINCT FROM NEW.patient_id THEN
        RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'task_focus_agrees', MESSAGE = 'the focus is not this patient''s';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER task_focus_agrees BEFORE INSERT OR UPDATE OF focus_kind, focus_id, patient_id ON task
    FOR EACH ROW EXECUTE FUNCTION refuse_foreign_focus();

-- How often somebody was reminded of a task, each time louder. Each level once.
CREATE TABLE task_escalation (
    task_id uuid NOT NULL CONSTRAINT task_escalation_task_fk REFERENCES task (id),
    level smallint NOT NULL CONSTRAINT task_escalation_level_known CHECK (level BETWEEN 1 AND 3),
    at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (task_id, level)
);
CREATE TRIGGER task_escalation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON task_escalation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

SELECT grant_to_runtime('workflow_definition', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('workflow_step', 'SELECT, INSERT');
SELECT grant_to_runtime('workflow_instance', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('task', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('task_escalation', 'SELECT, INSERT');
