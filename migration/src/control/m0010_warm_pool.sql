-- Schemas made ahead of need: whole, without content and without a key, each to become one clinic's.
--
-- A row is there from when its role is; the tables follow, and again when the schema is older than the build that looks.
-- Whoever makes a clinic takes the row away in the same transaction.

CREATE TABLE warm_schema (
    -- The clinic's, later: the name of the schema follows from it.
    id uuid PRIMARY KEY,
    schema_name text NOT NULL CONSTRAINT warm_schema_name_unique UNIQUE
        CONSTRAINT warm_schema_name_shape CHECK (schema_name ~ '^t_[0-9a-z]{26}$'),
    cell_id text NOT NULL CONSTRAINT warm_schema_cell_fk REFERENCES cell (id),
    login_shard integer NOT NULL CONSTRAINT warm_schema_login_shard_not_negative CHECK (login_shard >= 0),
    -- None while there is a role and nothing else.
    schema_version integer,
    created_at timestamptz NOT NULL DEFAULT now()
);
