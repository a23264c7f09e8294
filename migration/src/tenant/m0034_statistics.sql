-- How many appointments there are, by month, branch and status: kept up in the transaction that writes the rows.
-- lint: allow hidden-locks: the block gives a right and locks nothing
-- lint: allow long-lock: a clinic's appointments are written anew once, to get their month

-- The month in which a visit begins by the clock of its branch, as it was when the visit was given its time. It stands in
-- the row, so that what is counted out is what was counted in, whatever becomes of the zone. A zone that the database does
-- not know, but the server does, counts as UTC: a booking never fails for it.
CREATE FUNCTION month_of(moment timestamptz, zone text) RETURNS date LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN date_trunc('month', moment AT TIME ZONE zone);
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN date_trunc('month', moment AT TIME ZONE 'UTC');
END $$;
-- The generated column runs it as whoever writes the row.
DO $$ BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION month_of(timestamptz, text) TO %I', current_setting('praxis.role'));
END $$;
ALTER TABLE appointment ADD COLUMN month date NOT NULL GENERATED ALWAYS AS (month_of(starts_at, time_zone)) STORED;

-- The number of a month, branch and status is the sum of its entries. Writers add entries, each its own, and wait for
-- nobody. There is no foreign key: a branch whose visits are all gone may go as well.
CREATE TABLE appointment_count (
    facility_id uuid NOT NULL,
    month date NOT NULL,
    status text NOT NULL,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    change integer NOT NULL CONSTRAINT appointment_count_changes CHECK (change <> 0),
    PRIMARY KEY (facility_id, month, status, id)
);

-- Adds an entry. Whoever comes to eight makes one of them all: of all that nobody else is about to, for rows in a transaction
-- that is under way elsewhere are passed by, so that this never waits. A transaction that keeps to an older view of the table
-- can't know what is gone since, and leaves it to others.
CREATE FUNCTION count_appointments(branch uuid, begun date, standing text, more bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF current_setting('transaction_isolation') = 'read committed' AND (SELECT count(*) FROM appointment_count
            WHERE facility_id = branch AND month = begun AND status = standing) >= 8 THEN
        WITH free AS MATERIALIZED (
            SELECT id FROM appointment_count WHERE facility_id = branch AND month = begun AND status = standing
                FOR UPDATE SKIP LOCKED
        ), folded AS (
            DELETE FROM appointment_count c USING free
                WHERE c.facility_id = branch AND c.month = begun AND c.status = standing AND c.id = free.id
                RETURNING c.change
        )
        SELECT more + coalesce(sum(change), 0) INTO more FROM folded;
    END IF;
    IF more <> 0 THEN
        INSERT INTO appointment_count (facility_id, month, status, change) VALUES (branch, begun, standing, more);
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION count_appointments(uuid, date, text, bigint) FROM PUBLIC;

-- Once for each statement, whatever the number of its rows; nothing for a change that moves nothing. The table can't be
-- truncated: what is append-only hangs on it.
CREATE FUNCTION appointments_counted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM count_appointments(facility_id, month, status, count(*)) FROM added GROUP BY facility_id, month, status;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM count_appointments(facility_id, month, status, -count(*)) FROM removed GROUP BY facility_id, month, status;
    ELSE
        PERFORM count_appointments(facility_id, month, status, sum(change)) FROM (
            SELECT facility_id, month, status, 1 AS change FROM added
            UNION ALL SELECT facility_id, month, status, -1 FROM removed
        ) AS moved GROUP BY facility_id, month, status HAVING sum(change) <> 0;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION appointments_counted() FROM PUBLIC;
CREATE TRIGGER appointment_added AFTER INSERT ON appointment
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION appointments_counted();
CREATE TRIGGER appointment_moved AFTER UPDATE ON appointment
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION appointments_counted();
CREATE TRIGGER appointment_removed AFTER DELETE ON appointment
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION appointments_counted();

-- Those that are there already: the table has been this transaction's alone since it got its column.
INSERT INTO appointment_count (facility_id, month, status, change)
    SELECT facility_id, month, status, count(*) FROM appointment GROUP BY facility_id, month, status;
SELECT grant_to_runtime('appointment_count', 'SELECT');
