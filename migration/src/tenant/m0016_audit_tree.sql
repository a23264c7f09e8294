-- The audit log as a Merkle tree: complete entries, leaves, checkpoints; alerts and disclosures.

ALTER TABLE audit_entry ADD COLUMN on_behalf_of uuid;
ALTER TABLE audit_entry ADD COLUMN operation_name text;
ALTER TABLE audit_entry ADD COLUMN reason text;
-- How often it happened: refusals of nobody in particular are counted, not listed.
ALTER TABLE audit_entry ADD COLUMN times integer NOT NULL DEFAULT 1 CONSTRAINT audit_entry_times_positive CHECK (times > 0);
ALTER TABLE audit_entry ADD COLUMN IF NOT EXISTS break_glass_id uuid;
-- Commits to what audit_change holds sealed; says nothing by itself, and stays when the key is destroyed.
ALTER TABLE audit_entry ADD COLUMN change_hash bytea;
-- Under the clinic's key: what the server did not write has none that fits.
ALTER TABLE audit_entry ADD COLUMN mac bytea;
ALTER TABLE audit_entry DROP CONSTRAINT IF EXISTS audit_entry_actor_kind_known;
ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_actor_kind_known CHECK (actor_kind IN ('USER', 'CLIENT', 'SYSTEM', 'OPERATOR'));
CREATE INDEX audit_entry_by_actor ON audit_entry (actor_id, at);
CREATE INDEX audit_entry_refused ON audit_entry (at) WHERE outcome = 'DENIED';
CREATE INDEX audit_entry_by_object ON audit_entry (object_id, id) WHERE object_id IS NOT NULL;

-- Before and after of a change, sealed under the patient's key. Not part of the tree.
CREATE TABLE audit_change (
    entry_id uuid PRIMARY KEY CONSTRAINT audit_change_entry_fk REFERENCES audit_entry (id),
    subject uuid NOT NULL,
    sealed bytea NOT NULL
);

-- What waits to be sealed. Filled and emptied by triggers alone.
CREATE TABLE audit_pending (
    entry_id uuid PRIMARY KEY
);

CREATE TABLE audit_leaf (
    seq bigint PRIMARY KEY CONSTRAINT audit_leaf_seq_not_negative CHECK (seq >= 0),
    entry_id uuid NOT NULL CONSTRAINT audit_leaf_entry_unique UNIQUE CONSTRAINT audit_leaf_entry_fk REFERENCES audit_entry (id),
    leaf_hash bytea NOT NULL,
    -- Of the line itself: the next line names it.
    line_hash bytea NOT NULL,
    -- Whether the server itself wrote the entry, as found when it was sealed.
    genuine boolean NOT NULL
);

-- Roots of complete subtrees of 256, 65,536 ... leaves, so that a proof reads few rows.
CREATE TABLE audit_node (
    level smallint NOT NULL,
    position bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (level, position)
);

CREATE TABLE audit_checkpoint (
    size bigint PRIMARY KEY CONSTRAINT audit_checkpoint_size_positive CHECK (size > 0),
    at timestamptz NOT NULL,
    -- What the next batch builds on: roots of the complete subtrees at the right edge, and the last line.
    edge bytea NOT NULL,
    line_hash bytea NOT NULL,
    note text NOT NULL
);

-- One row, which servers lock so that one seals at a time. There is nothing in it to change.
CREATE TABLE audit_sealer (
    only_one boolean PRIMARY KEY DEFAULT true CONSTRAINT audit_sealer_only_one CHECK (only_one)
);
INSERT INTO audit_sealer DEFAULT VALUES;

CREATE FUNCTION audit_entry_waits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO audit_pending (entry_id) SELECT id FROM added;
    RETURN NULL;
END $$;
CREATE FUNCTION audit_entry_is_sealed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM audit_pending p USING added a WHERE p.entry_id = a.entry_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION audit_entry_waits() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION audit_entry_is_sealed() FROM PUBLIC;
CREATE TRIGGER audit_entry_pending AFTER INSERT ON audit_entry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_waits();
CREATE TRIGGER audit_leaf_pending AFTER INSERT ON audit_leaf
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_sealed();
INSERT INTO audit_pending (entry_id) SELECT id FROM audit_entry;

CREATE TRIGGER audit_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_leaf_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_node_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_node
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- To whom outside, what, why and when a patient's data were given: HIPAA 164.528.
CREATE TABLE disclosure (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT disclosure_patient_fk REFERENCES patient (id),
    disclosed_at timestamptz NOT NULL,
    purpose text NOT NULL CONSTRAINT disclosure_purpose_known CHECK (purpose IN
        ('TREATMENT', 'PAYMENT', 'OPERATIONS', 'AUTHORIZATION', 'PUBLIC_HEALTH', 'ABUSE_REPORT', 'OVERSIGHT',
         'JUDICIAL', 'LAW_ENFORCEMENT', 'DECEDENT', 'RESEARCH', 'THREAT_TO_SAFETY', 'GOVERNMENT', 'WORKERS_COMPENSATION', 'BREACH', 'OTHER')),
    details bytea NOT NULL,
    recorded_by uuid,
    CONSTRAINT disclosure_in_the_past CHECK (disclosed_at <= created_at + interval '1 minute')
);
CREATE INDEX disclosure_by_patient ON disclosure (patient_id, disclosed_at DESC, id DESC);
CREATE TRIGGER disclosure_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON disclosure
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What counts as suspicious, as this clinic sees it.
CREATE TABLE alert_rule (
    kind text PRIMARY KEY CONSTRAINT alert_rule_kind_known CHECK (kind IN
        ('MASS_READING', 'RESTRICTED_READING', 'OWN_RECORD', 'OWN_FAMILY', 'FAILED_SIGN_INS', 'BREAK_GLASS_USE', 'FORGED_ENTRY')),
    enabled boolean NOT NULL DEFAULT true,
    threshold integer NOT NULL CONSTRAINT alert_rule_threshold_sensible CHECK (threshold BETWEEN 1 AND 100000),
    window_minutes integer NOT NULL CONSTRAINT alert_rule_window_sensible CHECK (window_minutes BETWEEN 1 AND 10080)
);
INSERT INTO alert_rule (kind, threshold, window_minutes) VALUES
    ('MASS_READING', 100, 60),
    ('RESTRICTED_READING', 1, 1440),
    ('OWN_RECORD', 1, 1440),
    ('OWN_FAMILY', 1, 1440),
    ('FAILED_SIGN_INS', 20, 10),
    ('BREAK_GLASS_USE', 3, 1440),
    ('FORGED_ENTRY', 1, 1440);

CREATE TABLE security_alert (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL CONSTRAINT security_alert_kind_fk REFERENCES alert_rule (kind),
    status text NOT NULL CONSTRAINT security_alert_status_known CHECK (status IN ('OPEN', 'CLOSED')),
    actor_id uuid,
    patient_id uuid CONSTRAINT security_alert_patient_fk REFERENCES patient (id),
    entry_id uuid CONSTRAINT security_alert_entry_fk REFERENCES audit_entry (id),
    seen integer NOT NULL CONSTRAINT security_alert_seen_positive CHECK (seen > 0),
    threshold integer NOT NULL,
    window_minutes integer NOT NULL,
    dedupe_key text NOT NULL CONSTRAINT security_alert_dedupe_unique UNIQUE,
    closed_at timestamptz,
    closed_by uuid,
    close_reason text CONSTRAINT security_alert_close_reason_known CHECK (close_reason IN ('JUSTIFIED', 'FALSE_ALARM', 'CONFIRMED', 'DUPLICATE')),
    CONSTRAINT security_alert_closed_with_reason CHECK ((status = 'CLOSED') = (closed_at IS NOT NULL AND close_reason IS NOT NULL))
);
CREATE INDEX security_alert_by_status ON security_alert (status, id);
CREATE TRIGGER security_alert_version BEFORE UPDATE ON security_alert FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER security_alert_transition BEFORE INSERT OR UPDATE ON security_alert FOR EACH ROW EXECUTE FUNCTION enforce_transition('security_alert');
INSERT INTO status_transition (machine, from_status, to_status, permission) VALUES
    ('security_alert', '', 'OPEN', 'system'),
    ('security_alert', 'OPEN', 'CLOSED', 'security-alert:close');

SELECT grant_to_runtime('audit_change', 'SELECT, INSERT');
SELECT grant_to_runtime('audit_pending', 'SELECT');
SELECT grant_to_runtime('audit_leaf', 'SELECT, INSERT');
SELECT grant_to_runtime('audit_node', 'SELECT, INSERT');
SELECT grant_to_runtime('audit_checkpoint', 'SELECT, INSERT');
SELECT grant_to_runtime('audit_sealer', 'SELECT, UPDATE');
SELECT grant_to_runtime('disclosure', 'SELECT, INSERT');
SELECT grant_to_runtime('alert_rule', 'SELECT, UPDATE');
SELECT grant_to_runtime('security_alert', 'SELECT, INSERT, UPDATE');
