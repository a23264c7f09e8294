-- Whether a clinic may be written here. One that moves is closed to writers for a moment, and then for good.

CREATE TABLE cell.moved (
    tenant text PRIMARY KEY CONSTRAINT moved_tenant_shape CHECK (tenant ~ '^t_[0-9a-z]{26}$'),
    at timestamptz NOT NULL DEFAULT now()
);

-- The first thing that a transaction does which writes: in one message with its beginning. Whoever moves the clinic takes
-- the lock for itself, so that no writer is under way; those that come meanwhile wait in turn, and then see what came of it.
CREATE FUNCTION cell.enter() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('px-home ' || current_setting('role'), 0));
    -- One that is gone is gone for somebody, too, who was not told in all the time that it took.
    IF EXISTS (SELECT FROM cell.moved m WHERE m.tenant = current_setting('role'))
        OR to_regnamespace(current_setting('role')) IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'PX007', MESSAGE = 'the tenant moves to another cell';
    END IF;
    RETURN true;
END $$;

GRANT EXECUTE ON FUNCTION cell.enter() TO PUBLIC;
