-- Identities at providers: when they were last used, and which sessions came from them.

ALTER TABLE external_identity ADD COLUMN last_used_at timestamptz;
CREATE INDEX external_identity_by_user ON external_identity (user_id);
SELECT grant_to_runtime('external_identity', 'UPDATE (last_used_at)');

-- The provider at which a session was opened: it ends with the identity. Sessions go on without their provider.
ALTER TABLE session ADD COLUMN identity_provider_id uuid;
ALTER TABLE session ADD CONSTRAINT session_provider_fk FOREIGN KEY (identity_provider_id)
    REFERENCES identity_provider (id) ON DELETE SET NULL NOT VALID;
ALTER TABLE session VALIDATE CONSTRAINT session_provider_fk;
CREATE INDEX session_by_provider ON session (identity_provider_id) WHERE identity_provider_id IS NOT NULL;

-- Those that go on now. Of several providers it may have been another: then it ends all the same.
UPDATE session s SET identity_provider_id = e.provider_id FROM external_identity e
    WHERE e.user_id = s.user_id AND s.ended_at IS NULL AND s.methods && ARRAY['fed', 'fed+mfa'];
