-- Which tenants have work waiting: one question finds it, however many tenants there are.
--
-- A hint is written in the transaction that makes the work, by the tenant's own role, and says from
-- when on to look. Hints are only added and never shared, so that busy transactions do not wait for
-- each other; a worker takes those of some tenants by moving them into the future, and deletes them
-- once it has looked. One that dies leaves them to the next.

CREATE TABLE cell.ready (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL CONSTRAINT ready_tenant_shape CHECK (tenant ~ '^t_[0-9a-z]{26}$'),
    queue text NOT NULL CONSTRAINT ready_queue_shape CHECK (queue ~ '^[a-z]{1,20}$'),
    run_at timestamptz NOT NULL
);
CREATE INDEX ready_due ON cell.ready (queue, run_at);

-- The caller's role says whose work it is: nobody can speak for another tenant.
CREATE FUNCTION cell.wake(wanted_queue text, wanted_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('role') !~ '^t_[0-9a-z]{26}$' THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'only a tenant has work waiting';
    END IF;
    INSERT INTO cell.ready (tenant, queue, run_at) VALUES (current_setting('role'), wanted_queue, wanted_at);
    RETURN true;
END $$;

GRANT USAGE ON SCHEMA cell TO PUBLIC;
GRANT EXECUTE ON FUNCTION cell.wake(text, timestamptz) TO PUBLIC;
