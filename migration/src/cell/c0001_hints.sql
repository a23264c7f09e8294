-- What every cell needs besides its clinics: which of them have work waiting, and which recurring work each has.
--
-- The control database has these tables by steps of its own, m0006 and m0007, whose words about them hold here.

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

CREATE TABLE cell.planned (
    tenant text NOT NULL CONSTRAINT planned_tenant_shape CHECK (tenant ~ '^t_[0-9a-z]{26}$'),
    name text NOT NULL CONSTRAINT planned_name_shape CHECK (name ~ '^[A-Z][A-Z_]{2,59}$'),
    PRIMARY KEY (tenant, name)
);

-- The caller's role says whose work it is, as with hints.
CREATE FUNCTION cell.note_planned(planned_names text[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('role') !~ '^t_[0-9a-z]{26}$' THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'only a tenant has work planned';
    END IF;
    INSERT INTO cell.planned (tenant, name) SELECT current_setting('role'), unnest(planned_names) ON CONFLICT DO NOTHING;
    RETURN true;
END $$;

GRANT EXECUTE ON FUNCTION cell.note_planned(text[]) TO PUBLIC;
