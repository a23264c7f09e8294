-- What the rows of a chart said before they were changed, so that a chart can be read as it was known at a moment.

-- A row that was never changed has no version here: the row itself is all there ever was. What is sealed is kept as it
-- was sealed, bound to its table and row; tokens are left out, for nothing is searched here.
CREATE TABLE chart_version (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind text NOT NULL,
    row_id uuid NOT NULL,
    version integer NOT NULL,
    patient_id uuid NOT NULL CONSTRAINT chart_version_patient_fk REFERENCES patient (id),
    -- By the clock of the database, at the beginning of the transactions that wrote the version and the next.
    known_from timestamptz NOT NULL,
    known_until timestamptz NOT NULL,
    body jsonb NOT NULL,
    sealed bytea,
    CONSTRAINT chart_version_once UNIQUE (kind, row_id, version)
);
CREATE INDEX chart_version_by_patient ON chart_version (patient_id, kind, known_until);
CREATE TRIGGER chart_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON chart_version
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Written by the database alone, whoever changes the row: nobody can forget it, and nobody can make one up.
CREATE FUNCTION keep_chart_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    sealed bytea;
BEGIN
    EXECUTE format('SELECT ($1).%I', TG_ARGV[0]) INTO sealed USING OLD;
    INSERT INTO chart_version (kind, row_id, version, patient_id, known_from, known_until, body, sealed)
        VALUES (TG_TABLE_NAME, OLD.id, OLD.version, OLD.patient_id, OLD.updated_at, now(),
            to_jsonb(OLD) - TG_ARGV[0] - 'code_tokens', sealed);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION keep_chart_version() FROM PUBLIC;

-- For each table, its rows of a patient as they were known at a moment: in PL/pgSQL, so that a dump may create them
-- before the tables they read. One that is there, but whose version of that moment was overwritten before versions were
-- kept, is left out.
DO $$
DECLARE
    shelf record;
BEGIN
    FOR shelf IN SELECT * FROM (VALUES
        ('condition', 'clinical'), ('allergy', 'clinical'), ('medication_statement', 'clinical'), ('immunization', 'clinical'),
        ('procedure', 'clinical'), ('family_history', 'clinical'), ('social_history', 'clinical'), ('observation', 'result'),
        ('encounter', 'clinical')
    ) AS shelves (name, sealed)
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION keep_chart_version(%L)',
            shelf.name || '_kept', shelf.name, shelf.sealed);
        EXECUTE format($f$
            CREATE FUNCTION %1$I(whose uuid, moment timestamptz) RETURNS SETOF %2$I LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $body$
            BEGIN
                RETURN QUERY SELECT t.* FROM %2$I t
                    WHERE t.patient_id = whose AND t.updated_at <= moment AND NOT EXISTS (SELECT FROM chart_version v
                        WHERE v.kind = %2$L AND v.row_id = t.id AND v.known_until > moment);
                RETURN QUERY SELECT said.* FROM (SELECT DISTINCT ON (v.row_id) v.known_from, v.body, v.sealed FROM chart_version v
                        WHERE v.patient_id = whose AND v.kind = %2$L AND v.known_until > moment
                        ORDER BY v.row_id, v.known_until, v.version) AS known,
                    LATERAL jsonb_populate_record(NULL::%2$I,
                        known.body || jsonb_build_object(%3$L, known.sealed, 'code_tokens', '[]'::jsonb)) AS said
                    WHERE known.known_from <= moment;
            END $body$ $f$, shelf.name || '_as_of', shelf.name, shelf.sealed);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %I(uuid, timestamptz) TO %I', shelf.name || '_as_of', current_setting('praxis.role'));
    END LOOP;
END $$;

-- Documents keep their versions themselves: the one that counted at the moment.
CREATE FUNCTION document_version_as_of(whose uuid, moment timestamptz) RETURNS SETOF document_version LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
BEGIN
    RETURN QUERY SELECT DISTINCT ON (v.document_id) v.* FROM document_version v JOIN clinical_document d ON d.id = v.document_id
        WHERE v.patient_id = whose AND CASE v.kind WHEN 'RECEIVED' THEN d.created_at ELSE v.authored_at END <= moment
        ORDER BY v.document_id, v.version DESC;
END $$;

-- Whether nothing is left out for that reason.
CREATE FUNCTION chart_is_whole(whose uuid, moment timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    shelf text;
    lost boolean;
BEGIN
    FOREACH shelf IN ARRAY ARRAY['condition', 'allergy', 'medication_statement', 'immunization', 'procedure', 'family_history',
        'social_history', 'observation', 'encounter']
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$I t WHERE t.patient_id = $1 AND t.created_at <= $2
            AND NOT EXISTS (SELECT FROM %2$I($1, $2) k WHERE k.id = t.id))', shelf, shelf || '_as_of') INTO lost USING whose, moment;
        IF lost THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $$;

DO $$
BEGIN
    EXECUTE format('GRANT EXECUTE ON FUNCTION document_version_as_of(uuid, timestamptz), chart_is_whole(uuid, timestamptz) TO %I',
        current_setting('praxis.role'));
END $$;
SELECT grant_to_runtime('chart_version', 'SELECT');
