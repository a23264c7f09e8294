-- Sessions: how they were proved, how long they live, and the tokens they are renewed with.

ALTER TABLE session ADD COLUMN methods text[] NOT NULL DEFAULT '{}';
ALTER TABLE session ADD COLUMN second_factor_at timestamptz;
-- For people to recognise their sessions by.
ALTER TABLE session ADD COLUMN source_address text;
ALTER TABLE session ADD COLUMN user_agent text;
-- Bearers show a signed token that is not stored.
ALTER TABLE session ALTER COLUMN token_hash DROP NOT NULL;
ALTER TABLE session ADD CONSTRAINT session_cookie_has_token CHECK (kind <> 'COOKIE' OR token_hash IS NOT NULL) NOT VALID;
ALTER TABLE session VALIDATE CONSTRAINT session_cookie_has_token;

-- The refresh tokens of a session are a family: one can be used, those before it are spent.
CREATE TABLE refresh_token (
    id uuid PRIMARY KEY,
    session_id uuid NOT NULL CONSTRAINT refresh_token_session_fk REFERENCES session (id),
    generation integer NOT NULL CONSTRAINT refresh_token_generation_positive CHECK (generation > 0),
    token_hash bytea NOT NULL CONSTRAINT refresh_token_unique UNIQUE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    spent_at timestamptz,
    -- Tells the client's own second attempt from a thief's first.
    attempt_hash bytea,
    CONSTRAINT refresh_token_generation_unique UNIQUE (session_id, generation),
    CONSTRAINT refresh_token_attempt_spent CHECK (attempt_hash IS NULL OR spent_at IS NOT NULL)
);
CREATE UNIQUE INDEX refresh_token_one_usable ON refresh_token (session_id) WHERE spent_at IS NULL;

-- One row, made when a clinic first decides for itself.
CREATE TABLE session_policy (
    only_one boolean PRIMARY KEY DEFAULT true CONSTRAINT session_policy_only_one CHECK (only_one),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    idle_minutes integer NOT NULL DEFAULT 15 CONSTRAINT session_policy_idle_range CHECK (idle_minutes BETWEEN 5 AND 60)
);
CREATE TRIGGER session_policy_version BEFORE UPDATE ON session_policy FOR EACH ROW EXECUTE FUNCTION bump_version();

SELECT grant_to_runtime('refresh_token', 'SELECT, INSERT, UPDATE, DELETE');
SELECT grant_to_runtime('session_policy', 'SELECT, INSERT, UPDATE');

-- Where people sign in instead of here, and who they are there. Never by e-mail: an address changes hands.
CREATE TABLE identity_provider (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    name text NOT NULL CONSTRAINT identity_provider_name_present CHECK (name <> ''),
    issuer text NOT NULL CONSTRAINT identity_provider_issuer_unique UNIQUE,
    client_id text NOT NULL CONSTRAINT identity_provider_client_present CHECK (client_id <> ''),
    client_secret bytea,
    scopes text[] NOT NULL DEFAULT '{}',
    -- Values of `acr` by which the provider says that it asked for several factors.
    multi_factor_acr text[] NOT NULL DEFAULT '{}',
    active boolean NOT NULL DEFAULT true
);
CREATE TRIGGER identity_provider_version BEFORE UPDATE ON identity_provider FOR EACH ROW EXECUTE FUNCTION bump_version();

CREATE TABLE external_identity (
    provider_id uuid NOT NULL CONSTRAINT external_identity_provider_fk REFERENCES identity_provider (id),
    subject text NOT NULL CONSTRAINT external_identity_subject_length CHECK (length(subject) BETWEEN 1 AND 255),
    user_id uuid NOT NULL CONSTRAINT external_identity_user_fk REFERENCES user_account (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider_id, subject),
    CONSTRAINT external_identity_one_each UNIQUE (provider_id, user_id)
);

-- Sign-ins that came to their end, until they would have expired anyway: none is finished twice.
CREATE TABLE finished_sign_in (
    state_hash bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX finished_sign_in_by_expiry ON finished_sign_in (expires_at);

SELECT grant_to_runtime('identity_provider', 'SELECT, INSERT, UPDATE, DELETE');
SELECT grant_to_runtime('external_identity', 'SELECT, INSERT, DELETE');
SELECT grant_to_runtime('finished_sign_in', 'SELECT, INSERT, DELETE');
