-- What was migrated, when and how it went: the ledger from which a broken run is resumed.

CREATE TABLE migration (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE migration_run (
    id uuid PRIMARY KEY,
    target_version integer NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    state text NOT NULL DEFAULT 'RUNNING' CONSTRAINT migration_run_state_known CHECK (state IN ('RUNNING', 'DONE', 'PARTIAL', 'FAILED'))
);

CREATE TABLE migration_run_item (
    run_id uuid NOT NULL CONSTRAINT migration_run_item_run_fk REFERENCES migration_run (id),
    tenant_id uuid NOT NULL CONSTRAINT migration_run_item_tenant_fk REFERENCES tenant (id),
    from_version integer NOT NULL,
    state text NOT NULL DEFAULT 'PENDING' CONSTRAINT migration_run_item_state_known CHECK (state IN ('PENDING', 'DONE', 'FAILED')),
    attempts integer NOT NULL DEFAULT 0,
    duration_ms integer,
    error text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, tenant_id)
);
