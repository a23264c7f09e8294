-- Registered operations, and the programs that call the API with credentials of their own.

-- A document that may be called by its id. Its text never changes: an id that clients hold means one thing.
CREATE TABLE registered_operation (
    id uuid PRIMARY KEY,
    document_id text NOT NULL CONSTRAINT registered_operation_document_id_unique UNIQUE
        CONSTRAINT registered_operation_document_id_shape CHECK (document_id ~ '^[A-Za-z0-9._:-]{1,200}$'),
    sha256 text NOT NULL CONSTRAINT registered_operation_sha256_shape CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    name text NOT NULL,
    kind text NOT NULL CONSTRAINT registered_operation_kind_known CHECK (kind IN ('QUERY', 'MUTATION')),
    body text NOT NULL,
    cost bigint NOT NULL CONSTRAINT registered_operation_cost_positive CHECK (cost > 0),
    depth integer NOT NULL CONSTRAINT registered_operation_depth_positive CHECK (depth > 0),
    -- May be sent by GET: a query whose variables cannot carry health information.
    by_get boolean NOT NULL,
    status text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT registered_operation_status_known CHECK (status IN ('ACTIVE', 'RETIRED')),
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CONSTRAINT registered_operation_get_reads CHECK (NOT by_get OR kind = 'QUERY'),
    CONSTRAINT registered_operation_retired_once CHECK ((status = 'RETIRED') = (retired_at IS NOT NULL))
);
CREATE INDEX registered_operation_by_sha256 ON registered_operation (sha256);

CREATE TABLE api_client (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    name text NOT NULL CONSTRAINT api_client_name_unique UNIQUE
        CONSTRAINT api_client_name_present CHECK (name <> ''),
    permissions text[] NOT NULL,
    -- Ids of the documents it may call; it may call nothing else.
    operations text[] NOT NULL,
    rate_points integer NOT NULL CONSTRAINT api_client_rate_points_positive CHECK (rate_points > 0),
    rate_restore integer NOT NULL CONSTRAINT api_client_rate_restore_positive CHECK (rate_restore > 0),
    -- Tokens from before are no longer taken: its secret was thrown away without overlap.
    tokens_after timestamptz NOT NULL DEFAULT 'epoch',
    created_by uuid,
    status text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT api_client_status_known CHECK (status IN ('ACTIVE', 'RETIRED'))
);
CREATE TRIGGER api_client_version BEFORE UPDATE ON api_client FOR EACH ROW EXECUTE FUNCTION bump_version();

-- Several at a time while one takes over from another; only keyed hashes are kept.
CREATE TABLE api_client_secret (
    id uuid PRIMARY KEY,
    client_id uuid NOT NULL CONSTRAINT api_client_secret_client_fk REFERENCES api_client (id),
    secret_hash bytea NOT NULL CONSTRAINT api_client_secret_hash_unique UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz
);
CREATE INDEX api_client_secret_by_client ON api_client_secret (client_id);

INSERT INTO status_transition (machine, from_status, to_status, permission) VALUES
    ('registered_operation', '', 'ACTIVE', 'operation:manage'),
    ('registered_operation', 'ACTIVE', 'RETIRED', 'operation:manage'),
    ('registered_operation', 'RETIRED', 'ACTIVE', 'operation:manage'),
    ('api_client', '', 'ACTIVE', 'operation:manage'),
    ('api_client', 'ACTIVE', 'RETIRED', 'operation:manage');
CREATE TRIGGER registered_operation_transition BEFORE INSERT OR UPDATE ON registered_operation
    FOR EACH ROW EXECUTE FUNCTION enforce_transition('registered_operation');
CREATE TRIGGER api_client_transition BEFORE INSERT OR UPDATE ON api_client
    FOR EACH ROW EXECUTE FUNCTION enforce_transition('api_client');

CREATE FUNCTION keep_document() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.document_id IS DISTINCT FROM OLD.document_id OR NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.body IS DISTINCT FROM OLD.body THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'the text of a registered operation never changes';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER registered_operation_text BEFORE UPDATE ON registered_operation
    FOR EACH ROW EXECUTE FUNCTION keep_document();

SELECT grant_to_runtime('registered_operation', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('api_client', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('api_client_secret', 'SELECT, INSERT, UPDATE, DELETE');
