-- What every domain stands on: the canary, counters, legal transitions, keys, idempotency, audit.
-- The runner has set search_path to the tenant's schema, and praxis.role to its runtime role.

CREATE TABLE tenant_self (
    tenant_id uuid PRIMARY KEY,
    schema_version integer NOT NULL,
    only_one boolean NOT NULL DEFAULT true CONSTRAINT tenant_self_only_one UNIQUE CHECK (only_one)
);

-- Human-visible numbers come from here: gapless, because they roll back with their transaction.
CREATE TABLE counter (
    name text PRIMARY KEY,
    n bigint NOT NULL
);

CREATE TABLE status_transition (
    machine text NOT NULL,
    from_status text NOT NULL,
    to_status text NOT NULL,
    permission text NOT NULL,
    PRIMARY KEY (machine, from_status, to_status)
);

-- Arguments: the machine, and the name of the status column.
CREATE FUNCTION enforce_transition() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    before text := '';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        before := OLD.status;
        IF before = NEW.status THEN
            RETURN NEW;
        END IF;
    END IF;
    IF NOT EXISTS (SELECT FROM status_transition t WHERE t.machine = TG_ARGV[0] AND t.from_status = before AND t.to_status = NEW.status) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = format('illegal transition of %s from %s to %s', TG_ARGV[0], before, NEW.status);
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION bump_version() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.created_at := OLD.created_at;
    NEW.updated_at := now();
    RETURN NEW;
END $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'append-only';
END $$;

CREATE TABLE phi_key (
    subject uuid NOT NULL,
    version integer NOT NULL CONSTRAINT phi_key_version_positive CHECK (version > 0),
    wrapped bytea NOT NULL,
    commitment bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject, version)
);

CREATE TABLE idempotency_key (
    actor_id uuid NOT NULL,
    operation text NOT NULL,
    key_hash bytea NOT NULL,
    request_hash bytea NOT NULL,
    outcome jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (actor_id, operation, key_hash)
);
CREATE INDEX idempotency_key_by_expiry ON idempotency_key (expires_at);

CREATE TABLE audit_entry (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor_id uuid,
    actor_kind text NOT NULL CONSTRAINT audit_entry_actor_kind_known CHECK (actor_kind IN ('USER', 'SYSTEM', 'OPERATOR')),
    roles text[] NOT NULL,
    session_id uuid,
    facility_id uuid,
    action text NOT NULL,
    object_type text,
    object_id uuid,
    object_version integer,
    patients uuid[] NOT NULL,
    classes text[] NOT NULL,
    purpose text NOT NULL,
    operation_hash text,
    request_id uuid,
    source_address text,
    outcome text NOT NULL CONSTRAINT audit_entry_outcome_known CHECK (outcome IN ('OK', 'DENIED', 'FAILED'))
);
CREATE INDEX audit_entry_by_time ON audit_entry USING brin (at);
CREATE INDEX audit_entry_by_patient ON audit_entry USING gin (patients);
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Rights are given table by table, to the tenant's own runtime role. It owns nothing.
CREATE FUNCTION grant_to_runtime(relation regclass, rights text) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    EXECUTE format('GRANT %s ON %s TO %I', rights, relation, current_setting('praxis.role'));
END $$;
REVOKE EXECUTE ON FUNCTION grant_to_runtime(regclass, text) FROM PUBLIC;

SELECT grant_to_runtime('tenant_self', 'SELECT');
SELECT grant_to_runtime('counter', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('status_transition', 'SELECT');
SELECT grant_to_runtime('phi_key', 'SELECT, INSERT');
SELECT grant_to_runtime('idempotency_key', 'SELECT, INSERT, UPDATE, DELETE');
SELECT grant_to_runtime('audit_entry', 'SELECT, INSERT');
