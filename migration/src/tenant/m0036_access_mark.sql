-- One mark for all that says who may do what: it is another one with each change. What a server knows of a session under the
-- mark holds as long as the mark does, however old it is.

CREATE TABLE access_mark (
    only_one boolean PRIMARY KEY DEFAULT true CONSTRAINT access_mark_only_one CHECK (only_one),
    mark uuid NOT NULL
);
-- The same in every clinic until the first change, as the snapshot is.
INSERT INTO access_mark (mark) VALUES ('00000000-0000-0000-0000-000000000000');

-- At the commit, once for each transaction, and the last that it waits for: two changes that have nothing in common wait for
-- each other for no longer than a commit takes.
CREATE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE access_mark SET mark = gen_random_uuid() WHERE xmin <> pg_current_xact_id()::xid;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION access_changed() FROM PUBLIC;

-- A new session was known to nobody yet; that one is used changes nothing.
CREATE CONSTRAINT TRIGGER session_access_changed
    AFTER DELETE OR UPDATE OF token_hash, user_id, kind, expires_at, ended_at, second_factor_at ON session
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER user_account_access_changed
    AFTER DELETE OR UPDATE OF display_name, practitioner_id, active ON user_account
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER membership_access_changed AFTER INSERT OR DELETE OR UPDATE ON membership
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER role_access_changed AFTER DELETE OR UPDATE ON role
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER role_permission_access_changed AFTER INSERT OR DELETE OR UPDATE ON role_permission
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER field_policy_access_changed AFTER INSERT OR DELETE OR UPDATE ON field_policy
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER session_policy_access_changed AFTER INSERT OR DELETE OR UPDATE ON session_policy
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE CONSTRAINT TRIGGER break_glass_access_changed AFTER INSERT OR DELETE OR UPDATE ON break_glass
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION access_changed();

SELECT grant_to_runtime('access_mark', 'SELECT');
