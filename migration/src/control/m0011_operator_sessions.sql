-- Operators sign in at the control plane, apart from every clinic: what they may do, what they did, and what they asked for.

-- Who does something: the operator who is signed in, and else the login on the database.
CREATE FUNCTION actor() RETURNS text LANGUAGE sql STABLE SET search_path FROM CURRENT AS
    $$ SELECT coalesce(nullif(current_setting('praxis.actor', true), ''), session_user::text) $$;

-- Whoever is let in may look. The rest is given by name.
ALTER TABLE operator ADD COLUMN rights text[] NOT NULL DEFAULT '{READ}'
    CONSTRAINT operator_rights_known CHECK (rights <@ ARRAY['READ', 'MANAGE', 'HOLD', 'DESTROY']);

CREATE TABLE operator_session (
    -- SHA-256 of a token of 256 random bits.
    token_hash bytea PRIMARY KEY CONSTRAINT operator_session_hash_length CHECK (length(token_hash) = 32),
    operator_id uuid NOT NULL CONSTRAINT operator_session_operator_fk REFERENCES operator (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    -- When the password was shown last.
    proved_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX operator_session_by_operator ON operator_session (operator_id);
CREATE INDEX operator_session_by_expiry ON operator_session (expires_at);

-- What became of accounts, and who came in from where.
CREATE TABLE operator_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator_id uuid NOT NULL CONSTRAINT operator_event_operator_fk REFERENCES operator (id),
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL CONSTRAINT operator_event_kind_shape CHECK (kind ~ '^[A-Z][A-Z_]{2,39}$'),
    actor text NOT NULL DEFAULT actor(),
    source_address text,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX operator_event_by_operator ON operator_event (operator_id, id);
CREATE TRIGGER operator_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What is asked for at the control plane is done by whoever serves it, also after a restart: then what was asked for stands
-- here. Nothing where whoever asked does it themselves.
ALTER TABLE operation ADD COLUMN input jsonb;
ALTER TABLE operation ALTER COLUMN actor SET DEFAULT actor();

-- Some of it is about no clinic, or about one that is not there yet.
ALTER TABLE operation ALTER COLUMN tenant_id DROP NOT NULL;
ALTER TABLE operation ADD CONSTRAINT operation_tenant
    CHECK (tenant_id IS NOT NULL OR kind IN ('PROVISION', 'POOL_FILL', 'MIGRATE'));
CREATE UNIQUE INDEX operation_of_installation_once ON operation (kind, idempotency_key)
    WHERE kind IN ('PROVISION', 'POOL_FILL', 'MIGRATE');
-- What failed can be asked for again.
INSERT INTO operation_transition (from_state, to_state) VALUES ('FAILED', 'PENDING');

CREATE OR REPLACE FUNCTION check_operation_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.kind, NEW.idempotency_key, NEW.created_at)
        IS DISTINCT FROM (OLD.id, OLD.kind, OLD.idempotency_key, OLD.created_at)
        OR OLD.tenant_id IS NOT NULL AND NEW.tenant_id IS DISTINCT FROM OLD.tenant_id
        OR OLD.asked IS NOT NULL AND NEW.asked IS DISTINCT FROM OLD.asked
        OR OLD.input IS NOT NULL AND NEW.input IS DISTINCT FROM OLD.input THEN
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
