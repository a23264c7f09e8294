-- The installation's own key, and how servers learn that a tenant's keys were rotated.

CREATE TABLE installation_key (
    only_one boolean PRIMARY KEY DEFAULT true CONSTRAINT installation_key_only_one CHECK (only_one),
    -- What passwords of login roles derive from, wrapped as tenant keys are.
    wrapped bytea NOT NULL,
    wrapper text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A server that holds keys of an older epoch fetches them anew. The table announces every change.
ALTER TABLE tenant ADD COLUMN key_epoch bigint NOT NULL DEFAULT 0;
