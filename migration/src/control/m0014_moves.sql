-- A clinic that moves to another cell: where to, and how often it moved.

-- Set from the beginning of a move to its end, whoever is at it.
ALTER TABLE tenant ADD COLUMN moving_to text CONSTRAINT tenant_moving_to_fk REFERENCES cell (id);
-- Of two that say where a clinic is, the one that counts more is right.
ALTER TABLE tenant ADD COLUMN moves bigint NOT NULL DEFAULT 0;

CREATE FUNCTION check_tenant_move() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.cell_id IS DISTINCT FROM OLD.cell_id THEN
        NEW.moves := OLD.moves + 1;
    END IF;
    -- Its tables are made anew at the new home as they were when it left.
    IF OLD.moving_to IS NOT NULL AND (NEW.schema_version IS DISTINCT FROM OLD.schema_version
        OR NEW.state IS DISTINCT FROM OLD.state AND NEW.state = 'SHREDDED') THEN
        RAISE EXCEPTION USING ERRCODE = 'PX008', MESSAGE = 'the tenant moves to another cell';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tenant_move BEFORE UPDATE ON tenant FOR EACH ROW EXECUTE FUNCTION check_tenant_move();
