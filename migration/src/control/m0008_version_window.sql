-- Which builds can serve a schema, which servers there are, and what a run of migrations chose.

-- Raised by steps that take something away: an older build does not serve this clinic any more.
ALTER TABLE tenant ADD COLUMN oldest_build integer NOT NULL DEFAULT 0 CONSTRAINT tenant_oldest_build_not_negative CHECK (oldest_build >= 0);

-- Servers say that they are there, so that nothing is taken away while one uses it.
CREATE TABLE server (
    id uuid PRIMARY KEY,
    -- The newest step of a tenant's schema that it knows.
    build integer NOT NULL CONSTRAINT server_build_positive CHECK (build > 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- A server fetches the clinics that changed since it looked: the directory's version is written beside each.
ALTER TABLE tenant ADD COLUMN changed bigint NOT NULL DEFAULT 0;
CREATE INDEX tenant_by_change ON tenant (changed);
-- Its version when something else changed than single clinics: whoever is behind that fetches everything.
ALTER TABLE directory_version ADD COLUMN whole bigint NOT NULL DEFAULT 0;

CREATE FUNCTION date_tenant() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE directory_version SET n = n + 1 RETURNING n INTO NEW.changed;
    NOTIFY praxis_directory;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION announce_directory() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE directory_version SET n = n + 1, whole = n + 1;
    NOTIFY praxis_directory;
    RETURN NULL;
END $$;
DROP TRIGGER tenant_announced ON tenant;
CREATE TRIGGER tenant_announced AFTER DELETE ON tenant FOR EACH STATEMENT EXECUTE FUNCTION announce_directory();
CREATE TRIGGER tenant_dated BEFORE INSERT OR UPDATE ON tenant FOR EACH ROW EXECUTE FUNCTION date_tenant();

-- What was asked for, so that a run can be resumed as it was begun.
ALTER TABLE migration_run ADD COLUMN waves text NOT NULL DEFAULT 'rest';
ALTER TABLE migration_run_item ADD COLUMN wave integer NOT NULL DEFAULT 1 CONSTRAINT migration_run_item_wave_positive CHECK (wave > 0);

-- Each step of each tenant, from which the next run is estimated.
CREATE TABLE migration_run_step (
    run_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    version integer NOT NULL,
    attempts integer NOT NULL CONSTRAINT migration_run_step_attempts_positive CHECK (attempts > 0),
    duration_ms double precision NOT NULL CONSTRAINT migration_run_step_duration_not_negative CHECK (duration_ms >= 0),
    finished_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, tenant_id, version),
    CONSTRAINT migration_run_step_item_fk FOREIGN KEY (run_id, tenant_id) REFERENCES migration_run_item (run_id, tenant_id)
);
