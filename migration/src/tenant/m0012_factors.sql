-- Second factors: authenticator apps, passkeys, recovery codes, and the roles that ask for one.

ALTER TABLE role ADD COLUMN second_factor_required boolean NOT NULL DEFAULT false;

CREATE TABLE totp (
    user_id uuid PRIMARY KEY CONSTRAINT totp_user_fk REFERENCES user_account (id),
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Counts from here on only: whoever never typed a code in may have lost the secret on the way.
    confirmed_at timestamptz,
    -- A code works once: its step has to be later than this one.
    last_step bigint NOT NULL DEFAULT 0
);

CREATE TABLE recovery_code (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT recovery_code_user_fk REFERENCES user_account (id),
    code_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz,
    CONSTRAINT recovery_code_unique UNIQUE (user_id, code_hash)
);

CREATE TABLE passkey (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT passkey_user_fk REFERENCES user_account (id),
    name text NOT NULL,
    -- A browser offers a passkey only to the host that it was made for.
    host text NOT NULL,
    credential_id bytea NOT NULL CONSTRAINT passkey_credential_unique UNIQUE
        CONSTRAINT passkey_credential_length CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL CONSTRAINT passkey_sign_count_range CHECK (sign_count BETWEEN 0 AND 4294967295),
    backup_eligible boolean NOT NULL,
    transports text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    -- When its counter ran backwards: there are two of it, and neither is believed any more.
    cloned_at timestamptz
);
CREATE INDEX passkey_by_user ON passkey (user_id);

-- Wrong codes in a row, and until when no other is looked at.
CREATE TABLE factor_guard (
    user_id uuid PRIMARY KEY CONSTRAINT factor_guard_user_fk REFERENCES user_account (id),
    failures integer NOT NULL DEFAULT 0 CONSTRAINT factor_guard_failures_positive CHECK (failures >= 0),
    closed_until timestamptz
);

-- Challenges that were answered, until they would have expired anyway: none is answered twice.
CREATE TABLE spent_challenge (
    hash bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX spent_challenge_by_expiry ON spent_challenge (expires_at);

SELECT grant_to_runtime('totp', 'SELECT, INSERT, UPDATE, DELETE');
SELECT grant_to_runtime('recovery_code', 'SELECT, INSERT, UPDATE, DELETE');
SELECT grant_to_runtime('passkey', 'SELECT, INSERT, UPDATE, DELETE');
SELECT grant_to_runtime('factor_guard', 'SELECT, INSERT, UPDATE, DELETE');
SELECT grant_to_runtime('spent_challenge', 'SELECT, INSERT, DELETE');
