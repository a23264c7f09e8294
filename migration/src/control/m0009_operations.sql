-- What operators do with one clinic: long work that can be killed and run again, and what keeps a clinic from going.

CREATE TABLE operation (
    id uuid PRIMARY KEY,
    -- No reference: a clinic that is brought back may not be there yet.
    tenant_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT operation_kind_shape CHECK (kind ~ '^[A-Z][A-Z_]{2,39}$'),
    idempotency_key text NOT NULL CONSTRAINT operation_key_shape CHECK (length(idempotency_key) BETWEEN 1 AND 200),
    state text NOT NULL DEFAULT 'PENDING' CONSTRAINT operation_state_known CHECK (state IN
        ('PENDING', 'RUNNING', 'DONE', 'FAILED')),
    step text,
    progress bigint NOT NULL DEFAULT 0 CONSTRAINT operation_progress_not_negative CHECK (progress >= 0),
    attempts integer NOT NULL DEFAULT 0,
    -- Counts, hashes, file names; no PHI.
    detail jsonb NOT NULL DEFAULT '{}',
    error text,
    -- What it was begun with, without secrets: under the same key nothing else can be asked for.
    asked jsonb,
    -- An operator's address, where one asked at the control plane.
    actor text NOT NULL DEFAULT coalesce(nullif(current_setting('praxis.actor', true), ''), session_user),
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT operation_once UNIQUE (tenant_id, kind, idempotency_key),
    CONSTRAINT operation_finished CHECK ((state IN ('DONE', 'FAILED')) = (finished_at IS NOT NULL)),
    CONSTRAINT operation_failed CHECK ((state = 'FAILED') = (error IS NOT NULL))
);
CREATE INDEX operation_by_tenant ON operation (tenant_id, created_at);
CREATE INDEX operation_unfinished ON operation (created_at) WHERE state IN ('PENDING', 'RUNNING');

CREATE TABLE operation_transition (
    from_state text NOT NULL,
    to_state text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO operation_transition (from_state, to_state) VALUES
    ('PENDING', 'RUNNING'), ('PENDING', 'FAILED'),
    ('RUNNING', 'DONE'), ('RUNNING', 'FAILED'),
    ('FAILED', 'RUNNING');

CREATE FUNCTION check_operation_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.tenant_id, NEW.kind, NEW.idempotency_key, NEW.created_at)
        IS DISTINCT FROM (OLD.id, OLD.tenant_id, OLD.kind, OLD.idempotency_key, OLD.created_at)
        OR OLD.asked IS NOT NULL AND NEW.asked IS DISTINCT FROM OLD.asked THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'what an operation is never changes';
    END IF;
    IF NEW.state IS DISTINCT FROM OLD.state THEN
        IF NOT EXISTS (SELECT FROM operation_transition t WHERE t.from_state = OLD.state AND t.to_state = NEW.state) THEN
            RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = format('illegal transition of operation from %s to %s', OLD.state, NEW.state);
        END IF;
    ELSIF OLD.state = 'DONE' THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'an operation that is done never changes';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER operation_change BEFORE UPDATE OR DELETE ON operation
    FOR EACH ROW EXECUTE FUNCTION check_operation_change();

-- A clinic under legal hold keeps its data and its keys, whatever else is decided.
ALTER TABLE tenant ADD COLUMN legal_hold boolean NOT NULL DEFAULT false;
ALTER TABLE tenant ADD COLUMN legal_hold_reason text;
ALTER TABLE tenant ADD CONSTRAINT tenant_legal_hold_reason CHECK (legal_hold = (legal_hold_reason IS NOT NULL));

-- Until then a clinic that leaves can think better of it.
ALTER TABLE tenant ADD COLUMN offboard_after timestamptz;

CREATE FUNCTION check_tenant_leaving() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.state IS NOT DISTINCT FROM OLD.state THEN
        RETURN NEW;
    END IF;
    IF NEW.state IN ('ARCHIVED', 'SHREDDED') THEN
        IF NEW.legal_hold OR OLD.legal_hold THEN
            RAISE EXCEPTION USING ERRCODE = 'PX004', MESSAGE = 'the tenant is under legal hold';
        END IF;
        IF OLD.offboard_after > now() OR NEW.offboard_after > now() THEN
            RAISE EXCEPTION USING ERRCODE = 'PX005', MESSAGE = 'the grace period of the tenant is not over';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tenant_leaving BEFORE UPDATE ON tenant FOR EACH ROW EXECUTE FUNCTION check_tenant_leaving();

-- Without its last key a clinic is gone. Older versions may go at any time.
CREATE FUNCTION check_last_key() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM tenant t WHERE t.id = OLD.tenant_id AND t.state <> 'SHREDDED')
        AND NOT EXISTS (SELECT FROM tenant_key k WHERE k.tenant_id = OLD.tenant_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'only a tenant that is shredded loses its last key';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tenant_key_last AFTER DELETE ON tenant_key FOR EACH ROW EXECUTE FUNCTION check_last_key();

-- And gets none again: whoever puts one back waits for a shredding that is under way, and sees what came of it.
CREATE FUNCTION check_new_key() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    tenant_state text;
BEGIN
    SELECT t.state INTO tenant_state FROM tenant t WHERE t.id = NEW.tenant_id FOR NO KEY UPDATE;
    IF tenant_state = 'SHREDDED' THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'a tenant that is shredded gets no key again';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tenant_key_new BEFORE INSERT ON tenant_key FOR EACH ROW EXECUTE FUNCTION check_new_key();
