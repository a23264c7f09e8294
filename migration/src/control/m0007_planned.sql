-- Which recurring work each tenant has: one question finds those that lack some, however many tenants there are.
--
-- Written by the tenant's own role in the transaction that writes the work down. A name that a newer build adds is
-- lacked by all of them, once.

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
