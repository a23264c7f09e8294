-- Who signs in, which roles they hold where, and what a role may do.

CREATE TABLE role (
    id uuid PRIMARY KEY,
    code text NOT NULL CONSTRAINT role_code_unique UNIQUE,
    name text NOT NULL,
    description text NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    template_key text,
    template_hash text,
    customised boolean NOT NULL DEFAULT false
);

CREATE TABLE role_permission (
    role_id uuid NOT NULL CONSTRAINT role_permission_role_fk REFERENCES role (id),
    permission text NOT NULL,
    PRIMARY KEY (role_id, permission)
);

CREATE TABLE field_policy (
    id uuid PRIMARY KEY,
    type_name text NOT NULL,
    field_name text NOT NULL,
    permission text NOT NULL,
    reason text NOT NULL,
    template_key text,
    template_hash text,
    customised boolean NOT NULL DEFAULT false,
    CONSTRAINT field_policy_unique UNIQUE (type_name, field_name, permission)
);

CREATE TABLE user_account (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    email text NOT NULL CONSTRAINT user_account_email_unique UNIQUE CONSTRAINT user_account_email_lower CHECK (email = lower(email)),
    display_name text NOT NULL,
    password_hash text NOT NULL,
    practitioner_id uuid,
    active boolean NOT NULL DEFAULT true
);
CREATE TRIGGER user_account_version BEFORE UPDATE ON user_account FOR EACH ROW EXECUTE FUNCTION bump_version();

CREATE TABLE membership (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT membership_user_fk REFERENCES user_account (id),
    role_id uuid NOT NULL CONSTRAINT membership_role_fk REFERENCES role (id),
    facility_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT membership_unique UNIQUE NULLS NOT DISTINCT (user_id, role_id, facility_id)
);

CREATE TABLE session (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT session_token_unique UNIQUE,
    user_id uuid NOT NULL CONSTRAINT session_user_fk REFERENCES user_account (id),
    kind text NOT NULL CONSTRAINT session_kind_known CHECK (kind IN ('BEARER', 'COOKIE')),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX session_by_user ON session (user_id);

SELECT grant_to_runtime('role', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('role_permission', 'SELECT, INSERT, DELETE');
SELECT grant_to_runtime('field_policy', 'SELECT, INSERT, UPDATE, DELETE');
SELECT grant_to_runtime('user_account', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('membership', 'SELECT, INSERT, DELETE');
SELECT grant_to_runtime('session', 'SELECT, INSERT, UPDATE');
