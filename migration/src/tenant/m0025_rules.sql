-- Clinical rules as versioned data, what they found, and the alerts that came of it.

-- An edition never changes once it is written: what was explained by it stays explained. Another wording is another
-- edition of the same code.
CREATE TABLE rule (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    code text NOT NULL CONSTRAINT rule_code_shape CHECK (code ~ '^[a-z][a-z0-9-]{1,59}$'),
    edition integer NOT NULL CONSTRAINT rule_edition_positive CHECK (edition > 0),
    title text NOT NULL,
    cause text NOT NULL CONSTRAINT rule_cause_known CHECK (cause IN ('VITALS_RECORDED', 'ENCOUNTER_CLOSING')),
    condition text NOT NULL CONSTRAINT rule_condition_bounded CHECK (length(condition) BETWEEN 1 AND 1000),
    actions jsonb NOT NULL CONSTRAINT rule_actions_listed CHECK (jsonb_typeof(actions) = 'array' AND jsonb_array_length(actions) BETWEEN 1 AND 8),
    severity text NOT NULL CONSTRAINT rule_severity_known CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL', 'CONTRAINDICATED')),
    evidence text,
    status text NOT NULL CONSTRAINT rule_status_known CHECK (status IN ('DRAFT', 'TESTED', 'ACTIVE', 'RETIRED')),
    starts_at timestamptz,
    ends_at timestamptz,
    author_id uuid CONSTRAINT rule_author_fk REFERENCES user_account (id),
    approved_by uuid CONSTRAINT rule_approved_by_fk REFERENCES user_account (id),
    approved_at timestamptz,
    template_key text,
    template_hash text,
    CONSTRAINT rule_edition_unique UNIQUE (code, edition),
    CONSTRAINT rule_order CHECK (ends_at > starts_at),
    CONSTRAINT rule_approved_by_another CHECK (approved_by <> author_id),
    -- What came with the clinic's template was approved with it.
    CONSTRAINT rule_active_is_approved CHECK (status <> 'ACTIVE' OR approved_by IS NOT NULL OR template_key IS NOT NULL)
);
CREATE UNIQUE INDEX rule_one_active ON rule (code) WHERE status = 'ACTIVE';
CREATE INDEX rule_in_use ON rule (cause) WHERE status = 'ACTIVE';

CREATE TABLE rule_test_case (
    rule_id uuid NOT NULL CONSTRAINT rule_test_case_rule_fk REFERENCES rule (id),
    name text NOT NULL,
    -- Made-up facts, by name. No patient's.
    facts jsonb NOT NULL CONSTRAINT rule_test_case_facts_named CHECK (jsonb_typeof(facts) = 'object'),
    fires boolean NOT NULL,
    PRIMARY KEY (rule_id, name)
);

-- What is active was shown to fire, and shown not to.
CREATE FUNCTION require_rule_tests() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.status = 'ACTIVE' AND (
        NOT EXISTS (SELECT FROM rule_test_case c WHERE c.rule_id = NEW.id AND c.fires)
        OR NOT EXISTS (SELECT FROM rule_test_case c WHERE c.rule_id = NEW.id AND NOT c.fires)) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'rule_active_is_tested', MESSAGE = 'a rule needs a case in which it fires and one in which it does not';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION keep_rule() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF (NEW.id, NEW.code, NEW.edition, NEW.title, NEW.cause, NEW.condition, NEW.actions, NEW.severity, NEW.evidence, NEW.starts_at, NEW.author_id)
        IS DISTINCT FROM (OLD.id, OLD.code, OLD.edition, OLD.title, OLD.cause, OLD.condition, OLD.actions, OLD.severity, OLD.evidence, OLD.starts_at, OLD.author_id)
        OR (OLD.approved_at IS NOT NULL AND (NEW.approved_at, NEW.approved_by) IS DISTINCT FROM (OLD.approved_at, OLD.approved_by)) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'an edition of a rule stays as it is';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION keep_rule_tests() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP <> 'INSERT' OR NOT EXISTS (SELECT FROM rule r WHERE r.id = NEW.rule_id AND r.status = 'DRAFT') THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'the cases of a rule stay as they are';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rule_kept BEFORE UPDATE ON rule FOR EACH ROW EXECUTE FUNCTION keep_rule();
CREATE TRIGGER rule_stays BEFORE DELETE OR TRUNCATE ON rule FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rule_tested BEFORE INSERT OR UPDATE OF status ON rule FOR EACH ROW EXECUTE FUNCTION require_rule_tests();
CREATE TRIGGER rule_transition BEFORE INSERT OR UPDATE ON rule FOR EACH ROW EXECUTE FUNCTION enforce_transition('rule');
CREATE TRIGGER rule_version BEFORE UPDATE ON rule FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER rule_test_case_kept BEFORE INSERT OR UPDATE OR DELETE ON rule_test_case FOR EACH ROW EXECUTE FUNCTION keep_rule_tests();
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('rule', '', 'DRAFT', 'rule:author', 'ruleDraft'),
    ('rule', 'DRAFT', 'TESTED', 'rule:author', 'ruleTest'),
    ('rule', 'TESTED', 'ACTIVE', 'rule:approve', 'ruleActivate'),
    ('rule', 'DRAFT', 'RETIRED', 'rule:approve', 'ruleRetire'),
    ('rule', 'TESTED', 'RETIRED', 'rule:approve', 'ruleRetire'),
    ('rule', 'ACTIVE', 'RETIRED', 'rule:approve', 'ruleRetire');

-- What a rule found, each time it was asked: never a silent pass.
CREATE TABLE rule_evaluation (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    rule_id uuid NOT NULL CONSTRAINT rule_evaluation_rule_fk REFERENCES rule (id),
    -- The event, or the attempt, that asked.
    cause_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid NOT NULL,
    result text NOT NULL CONSTRAINT rule_evaluation_result_known CHECK (result IN ('FIRED', 'NOT_FIRED', 'NOT_CHECKED')),
    reason text CONSTRAINT rule_evaluation_reason_known CHECK (reason IN ('MISSING_FACTS', 'ERROR', 'BUDGET')),
    -- Keyed hash of the facts: says whether they were the same, and nothing else.
    inputs_hash bytea NOT NULL,
    -- Facts, and which parts of the condition held; sealed under the patient's key.
    explanation bytea NOT NULL,
    CONSTRAINT rule_evaluation_once UNIQUE (rule_id, cause_id),
    CONSTRAINT rule_evaluation_unchecked_has_reason CHECK ((result = 'NOT_CHECKED') = (reason IS NOT NULL)),
    CONSTRAINT rule_evaluation_patient_unique UNIQUE (id, patient_id),
    CONSTRAINT rule_evaluation_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES encounter (id, patient_id)
);
CREATE INDEX rule_evaluation_by_encounter ON rule_evaluation (encounter_id, rule_id, id DESC);
CREATE TRIGGER rule_evaluation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_evaluation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE alert (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT alert_patient_fk REFERENCES patient (id),
    encounter_id uuid,
    rule_id uuid NOT NULL CONSTRAINT alert_rule_fk REFERENCES rule (id),
    evaluation_id uuid NOT NULL,
    severity text NOT NULL CONSTRAINT alert_severity_known CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL', 'CONTRAINDICATED')),
    status text NOT NULL CONSTRAINT alert_status_known CHECK (status IN ('OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'OVERRIDDEN', 'EXPIRED')),
    raised_at timestamptz NOT NULL,
    expires_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by uuid CONSTRAINT alert_acknowledged_by_fk REFERENCES user_account (id),
    closed_at timestamptz,
    closed_by uuid CONSTRAINT alert_closed_by_fk REFERENCES user_account (id),
    override_reason text CONSTRAINT alert_override_reason_known CHECK (override_reason IN
        ('BENEFIT_OUTWEIGHS_RISK', 'ALREADY_ADDRESSED', 'NOT_APPLICABLE', 'PATIENT_PREFERENCE', 'INACCURATE_DATA', 'OTHER')),
    -- What was said in reply, sealed under the patient's key.
    words bytea,
    -- An evaluation is of one rule, one patient and one cause: asking again raises nothing twice.
    CONSTRAINT alert_once UNIQUE (evaluation_id),
    CONSTRAINT alert_evaluation_fk FOREIGN KEY (evaluation_id, patient_id) REFERENCES rule_evaluation (id, patient_id),
    CONSTRAINT alert_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES encounter (id, patient_id),
    CONSTRAINT alert_acknowledged_whole CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)
        AND (status NOT IN ('ACKNOWLEDGED', 'RESOLVED') OR acknowledged_at IS NOT NULL)),
    CONSTRAINT alert_closed_whole CHECK ((status IN ('RESOLVED', 'OVERRIDDEN', 'EXPIRED')) = (closed_at IS NOT NULL)
        AND (status NOT IN ('RESOLVED', 'OVERRIDDEN') OR closed_by IS NOT NULL)),
    CONSTRAINT alert_overridden_has_reason CHECK ((status = 'OVERRIDDEN') = (override_reason IS NOT NULL))
);
CREATE INDEX alert_by_patient ON alert (patient_id, id DESC);
CREATE INDEX alert_by_encounter ON alert (encounter_id, id DESC) WHERE encounter_id IS NOT NULL;
CREATE INDEX alert_open ON alert (id DESC) WHERE status = 'OPEN';
CREATE TRIGGER alert_version BEFORE UPDATE ON alert FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER alert_transition BEFORE INSERT OR UPDATE ON alert FOR EACH ROW EXECUTE FUNCTION enforce_transition('alert');
CREATE TRIGGER alert_stays BEFORE DELETE OR TRUNCATE ON alert FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('alert', '', 'OPEN', '', ''),
    ('alert', 'OPEN', 'ACKNOWLEDGED', 'alert:respond', 'alertAcknowledge'),
    ('alert', 'ACKNOWLEDGED', 'RESOLVED', 'alert:respond', 'alertResolve'),
    ('alert', 'OPEN', 'OVERRIDDEN', 'alert:respond', 'alertOverride'),
    ('alert', 'ACKNOWLEDGED', 'OVERRIDDEN', 'alert:respond', 'alertOverride'),
    ('alert', 'OPEN', 'EXPIRED', '', ''),
    ('alert', 'ACKNOWLEDGED', 'EXPIRED', '', '');

SELECT grant_to_runtime('rule', 'SELECT, INSERT, UPDATE (status, ends_at, approved_by, approved_at)');
SELECT grant_to_runtime('rule_test_case', 'SELECT, INSERT');
SELECT grant_to_runtime('rule_evaluation', 'SELECT, INSERT');
SELECT grant_to_runtime('alert', 'SELECT, INSERT, UPDATE (status, acknowledged_at, acknowledged_by, closed_at, closed_by, override_reason, words)');
