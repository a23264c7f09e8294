-- Which clinics there are, where they live and how they are reached.

CREATE TABLE installation (
    id text PRIMARY KEY,
    only_one boolean NOT NULL DEFAULT true CONSTRAINT installation_only_one UNIQUE CHECK (only_one),
    -- Where the root key lies on the machine that made the installation; never the key itself.
    root_key_file text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE cell (
    id text PRIMARY KEY,
    dsn_ref text,
    engine text NOT NULL DEFAULT 'postgres' CONSTRAINT cell_engine_known CHECK (engine IN ('postgres', 'citus')),
    role text NOT NULL DEFAULT 'active' CONSTRAINT cell_role_known CHECK (role IN ('active', 'draining', 'sandbox')),
    max_tenants integer NOT NULL DEFAULT 10000 CONSTRAINT cell_max_tenants_positive CHECK (max_tenants > 0)
);
INSERT INTO cell (id) VALUES ('main');

CREATE TABLE tenant (
    id uuid PRIMARY KEY,
    schema_name text NOT NULL CONSTRAINT tenant_schema_name_unique UNIQUE
        CONSTRAINT tenant_schema_name_shape CHECK (schema_name ~ '^t_[0-9a-z]{26}$'),
    slug text NOT NULL CONSTRAINT tenant_slug_unique UNIQUE
        CONSTRAINT tenant_slug_shape CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    display_name text NOT NULL CONSTRAINT tenant_display_name_present CHECK (display_name <> ''),
    region text,
    locale text NOT NULL,
    time_zone text NOT NULL,
    cell_id text NOT NULL CONSTRAINT tenant_cell_fk REFERENCES cell (id),
    login_shard integer NOT NULL CONSTRAINT tenant_login_shard_not_negative CHECK (login_shard >= 0),
    state text NOT NULL DEFAULT 'PROVISIONING' CONSTRAINT tenant_state_known CHECK (state IN
        ('PROVISIONING', 'ACTIVE', 'PAST_DUE', 'SUSPENDED', 'LOCKED', 'OFFBOARDING', 'ARCHIVED', 'SHREDDED')),
    state_since timestamptz NOT NULL DEFAULT now(),
    schema_version integer NOT NULL,
    template text NOT NULL,
    template_version text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    row_version bigint NOT NULL DEFAULT 1
);
CREATE INDEX tenant_by_version ON tenant (schema_version);
CREATE INDEX tenant_by_shard ON tenant (cell_id, login_shard);

CREATE TABLE tenant_domain (
    host text PRIMARY KEY CONSTRAINT tenant_domain_host_shape CHECK (host = lower(host) AND host !~ '[/:[:space:]]'),
    tenant_id uuid NOT NULL CONSTRAINT tenant_domain_tenant_fk REFERENCES tenant (id),
    verified_at timestamptz
);
CREATE INDEX tenant_domain_by_tenant ON tenant_domain (tenant_id);

CREATE TABLE tenant_key (
    tenant_id uuid NOT NULL CONSTRAINT tenant_key_tenant_fk REFERENCES tenant (id),
    version integer NOT NULL CONSTRAINT tenant_key_version_positive CHECK (version > 0),
    wrapped bytea NOT NULL,
    wrapper text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, version)
);

CREATE TABLE tenant_state_transition (
    from_state text NOT NULL,
    to_state text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO tenant_state_transition (from_state, to_state) VALUES
    ('PROVISIONING', 'ACTIVE'),
    ('ACTIVE', 'PAST_DUE'), ('PAST_DUE', 'ACTIVE'),
    ('ACTIVE', 'SUSPENDED'), ('PAST_DUE', 'SUSPENDED'), ('SUSPENDED', 'ACTIVE'),
    ('PAST_DUE', 'LOCKED'), ('SUSPENDED', 'LOCKED'), ('LOCKED', 'ACTIVE'),
    ('ACTIVE', 'OFFBOARDING'), ('SUSPENDED', 'OFFBOARDING'), ('LOCKED', 'OFFBOARDING'), ('OFFBOARDING', 'ACTIVE'),
    ('OFFBOARDING', 'ARCHIVED'), ('ARCHIVED', 'SHREDDED');

CREATE TABLE tenant_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL,
    actor text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX tenant_event_by_tenant ON tenant_event (tenant_id, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = format('%s is append-only', TG_TABLE_NAME);
END $$;
CREATE TRIGGER tenant_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tenant_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION check_tenant_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.schema_name IS DISTINCT FROM OLD.schema_name OR NEW.id IS DISTINCT FROM OLD.id THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'id and schema of a tenant never change';
    END IF;
    IF NEW.state IS DISTINCT FROM OLD.state THEN
        IF NOT EXISTS (SELECT FROM tenant_state_transition t WHERE t.from_state = OLD.state AND t.to_state = NEW.state) THEN
            RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = format('illegal transition of tenant from %s to %s', OLD.state, NEW.state);
        END IF;
        NEW.state_since := now();
    END IF;
    NEW.row_version := OLD.row_version + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER tenant_change BEFORE UPDATE ON tenant FOR EACH ROW EXECUTE FUNCTION check_tenant_change();

-- The directory is held in memory by every server: a change bumps one number and says so.
CREATE TABLE directory_version (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    n bigint NOT NULL
);
INSERT INTO directory_version (n) VALUES (1);

CREATE FUNCTION announce_directory() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE directory_version SET n = n + 1;
    NOTIFY praxis_directory;
    RETURN NULL;
END $$;
CREATE TRIGGER tenant_announced AFTER INSERT OR UPDATE OR DELETE ON tenant
    FOR EACH STATEMENT EXECUTE FUNCTION announce_directory();
CREATE TRIGGER tenant_domain_announced AFTER INSERT OR UPDATE OR DELETE ON tenant_domain
    FOR EACH STATEMENT EXECUTE FUNCTION announce_directory();
CREATE TRIGGER tenant_key_announced AFTER INSERT OR UPDATE OR DELETE ON tenant_key
    FOR EACH STATEMENT EXECUTE FUNCTION announce_directory();
