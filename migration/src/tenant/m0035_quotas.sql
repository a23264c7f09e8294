-- How many accounts and how many bytes of documents a clinic has, and may have. The numbers follow the rows in the
-- transaction that changes these, whoever changes them; the limits are the installation's, copied here by the operator.

CREATE TABLE quota (
    name text PRIMARY KEY CONSTRAINT quota_name_known CHECK (name IN ('SEATS', 'STORAGE')),
    used bigint NOT NULL CONSTRAINT quota_used_not_negative CHECK (used >= 0),
    -- NULL: as many as there are. Less than what is used takes nothing away; it only lets nothing more in.
    most bigint CONSTRAINT quota_most_not_negative CHECK (most >= 0)
);

CREATE FUNCTION refuse_over_quota(what text) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'PX006', CONSTRAINT = 'quota_' || lower(what), MESSAGE = format('no %s left', lower(what));
END $$;
REVOKE EXECUTE ON FUNCTION refuse_over_quota(text) FROM PUBLIC;

-- The row is locked from here to the commit: of two who want the last one, the second waits, and is refused. A count that
-- went wrong never stops anybody from giving back.
CREATE FUNCTION draw_quota(what text, more bigint, refusable boolean) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE quota SET used = greatest(used + more, 0)
        WHERE name = what AND (NOT refusable OR more <= 0 OR most IS NULL OR used + more <= most);
    IF NOT FOUND THEN
        PERFORM refuse_over_quota(what);
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION draw_quota(text, bigint, boolean) FROM PUBLIC;

-- A seat is an account that can sign in.
CREATE FUNCTION seats_drawn() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    more integer := coalesce(NEW.active, false)::integer - coalesce(OLD.active, false)::integer;
BEGIN
    IF more <> 0 THEN
        PERFORM draw_quota('SEATS', more, true);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION seats_drawn() FROM PUBLIC;
CREATE TRIGGER user_account_seats AFTER INSERT OR DELETE OR UPDATE OF active ON user_account
    FOR EACH ROW EXECUTE FUNCTION seats_drawn();

-- What a transaction added to the storage, until its end: only then the one number is changed, so that nobody waits for
-- somebody else's whole transaction. Outside of transactions under way the table is empty.
CREATE TABLE storage_change (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    bytes bigint NOT NULL CONSTRAINT storage_change_changes CHECK (bytes <> 0),
    -- Something new, which can be refused. What was begun can be finished: a note is saved, signed and corrected in a clinic
    -- that is full, too.
    begun boolean NOT NULL
);

CREATE FUNCTION change_storage(more bigint, new boolean) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF more <> 0 THEN
        INSERT INTO storage_change (bytes, begun) VALUES (more, new);
    END IF;
    -- By what is known now, without waiting for anybody: before more is sent.
    IF new AND EXISTS (SELECT FROM quota WHERE name = 'STORAGE' AND most < used + greatest(1, (SELECT sum(bytes) FROM storage_change))) THEN
        PERFORM refuse_over_quota('STORAGE');
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION change_storage(bigint, boolean) FROM PUBLIC;

-- At the commit, once for each transaction; whoever comes later in it finds nothing left.
CREATE FUNCTION storage_drawn() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    more bigint;
    refusable boolean;
BEGIN
    WITH gone AS (DELETE FROM storage_change RETURNING bytes, begun)
    SELECT sum(bytes), bool_or(begun) INTO more, refusable FROM gone;
    IF more IS NOT NULL THEN
        PERFORM draw_quota('STORAGE', more, refusable);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION storage_drawn() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER storage_change_drawn AFTER INSERT ON storage_change
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION storage_drawn();

-- The working copies of documents. An addendum is no new document: it corrects one that is there.
CREATE FUNCTION drafts_counted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM change_storage(coalesce(sum(octet_length(draft)), 0), coalesce(bool_or(addendum_to IS NULL), false)) FROM added;
    ELSE
        PERFORM change_storage((SELECT coalesce(sum(octet_length(draft)), 0) FROM added)
            - (SELECT coalesce(sum(octet_length(draft)), 0) FROM removed), false);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION drafts_counted() FROM PUBLIC;
CREATE TRIGGER clinical_document_begun AFTER INSERT ON clinical_document
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION drafts_counted();
CREATE TRIGGER clinical_document_saved AFTER UPDATE ON clinical_document
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION drafts_counted();

-- Versions: of what was written here they are the end of something begun; what was received is new.
CREATE FUNCTION versions_counted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM change_storage(coalesce(sum(octet_length(body)), 0), coalesce(bool_or(kind = 'RECEIVED'), false)) FROM added;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION versions_counted() FROM PUBLIC;
CREATE TRIGGER document_version_counted AFTER INSERT ON document_version
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION versions_counted();

-- What was imported and has no model here.
CREATE FUNCTION resources_counted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM change_storage(coalesce(sum(octet_length(body)), 0), true) FROM added;
    ELSE
        PERFORM change_storage(-coalesce(sum(octet_length(body)), 0), false) FROM removed;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION resources_counted() FROM PUBLIC;
CREATE TRIGGER fhir_resource_added AFTER INSERT ON fhir_resource
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION resources_counted();
CREATE TRIGGER fhir_resource_removed AFTER DELETE ON fhir_resource
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION resources_counted();

-- Counts anew, where rows came in past the triggers; nobody may be writing meanwhile.
CREATE FUNCTION recount_quotas() RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO quota (name, used) VALUES ('SEATS', 0), ('STORAGE', 0) ON CONFLICT (name) DO NOTHING;
    UPDATE quota SET used = (SELECT count(*) FROM user_account WHERE active) WHERE name = 'SEATS';
    UPDATE quota SET used = (SELECT coalesce(sum(octet_length(draft)), 0) FROM clinical_document)
        + (SELECT coalesce(sum(octet_length(body)), 0) FROM document_version)
        + (SELECT coalesce(sum(octet_length(body)), 0) FROM fhir_resource) WHERE name = 'STORAGE';
END $$;
REVOKE EXECUTE ON FUNCTION recount_quotas() FROM PUBLIC;
-- Those that are there already: the tables have been this transaction's to write since they got their triggers.
SELECT recount_quotas();

SELECT grant_to_runtime('quota', 'SELECT');

-- What a row's version is kept under is the table's name. Where the table is a shard of a Citus cluster, it is called by the
-- shard, with a number behind.
CREATE OR REPLACE FUNCTION keep_chart_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    sealed bytea;
BEGIN
    EXECUTE format('SELECT ($1).%I', TG_ARGV[0]) INTO sealed USING OLD;
    INSERT INTO chart_version (kind, row_id, version, patient_id, known_from, known_until, body, sealed)
        VALUES (regexp_replace(TG_TABLE_NAME, '_[0-9]+$', ''), OLD.id, OLD.version, OLD.patient_id, OLD.updated_at, now(),
            to_jsonb(OLD) - TG_ARGV[0] - 'code_tokens', sealed);
    RETURN NULL;
END $$;
