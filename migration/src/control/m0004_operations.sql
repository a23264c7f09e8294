-- What a clinic may ask for and how fast, where it differs from the installation's settings.

ALTER TABLE tenant ADD COLUMN operation_mode text CONSTRAINT tenant_operation_mode_known CHECK (operation_mode IN ('OPEN', 'APQ', 'REGISTERED'));
ALTER TABLE tenant ADD COLUMN rate_points integer CONSTRAINT tenant_rate_points_positive CHECK (rate_points > 0);
ALTER TABLE tenant ADD COLUMN rate_restore integer CONSTRAINT tenant_rate_restore_positive CHECK (rate_restore > 0);
ALTER TABLE tenant ADD COLUMN actor_rate_points integer CONSTRAINT tenant_actor_rate_points_positive CHECK (actor_rate_points > 0);
ALTER TABLE tenant ADD COLUMN actor_rate_restore integer CONSTRAINT tenant_actor_rate_restore_positive CHECK (actor_rate_restore > 0);

-- Operations registered for all clinics, as `registered_operation` of a tenant holds them for one.
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
    by_get boolean NOT NULL,
    status text NOT NULL DEFAULT 'ACTIVE' CONSTRAINT registered_operation_status_known CHECK (status IN ('ACTIVE', 'RETIRED')),
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CONSTRAINT registered_operation_get_reads CHECK (NOT by_get OR kind = 'QUERY'),
    CONSTRAINT registered_operation_retired_once CHECK ((status = 'RETIRED') = (retired_at IS NOT NULL))
);
CREATE INDEX registered_operation_by_sha256 ON registered_operation (sha256);

CREATE FUNCTION keep_document() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.document_id IS DISTINCT FROM OLD.document_id OR NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.body IS DISTINCT FROM OLD.body THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'the text of a registered operation never changes';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER registered_operation_text BEFORE UPDATE ON registered_operation
    FOR EACH ROW EXECUTE FUNCTION keep_document();
