-- Mail that is to leave the house: written with the change that causes it, sent by a worker.

CREATE TABLE mail_message (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The address is a member of staff's or was given by one; what the mail says is sealed.
    to_address text NOT NULL,
    template text NOT NULL,
    locale text,
    -- Forgotten once the mail is sent: links in it let their holder in.
    facts bytea,
    dedupe_key text CONSTRAINT mail_message_dedupe_unique UNIQUE,
    status text NOT NULL DEFAULT 'QUEUED' CONSTRAINT mail_message_status_known CHECK (status IN ('QUEUED', 'SENT', 'DEAD')),
    attempts integer NOT NULL DEFAULT 0,
    -- While a worker is sending it, the end of its lease.
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    last_error text,
    CONSTRAINT mail_message_sent_is_forgotten CHECK ((status = 'SENT') = (facts IS NULL)),
    CONSTRAINT mail_message_sent_has_time CHECK ((status = 'SENT') = (sent_at IS NOT NULL))
);
CREATE INDEX mail_message_due ON mail_message (next_attempt_at) WHERE status = 'QUEUED';
CREATE TRIGGER mail_message_transition BEFORE INSERT OR UPDATE ON mail_message
    FOR EACH ROW EXECUTE FUNCTION enforce_transition('mail_message');

INSERT INTO status_transition (machine, from_status, to_status, permission) VALUES
    ('mail_message', '', 'QUEUED', ''),
    ('mail_message', 'QUEUED', 'SENT', ''),
    ('mail_message', 'QUEUED', 'DEAD', ''),
    ('mail_message', 'DEAD', 'QUEUED', '');

SELECT grant_to_runtime('mail_message', 'SELECT, INSERT, UPDATE');

-- Somebody is asked to join; the account is made when they accept.
CREATE TABLE invitation (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    email text NOT NULL CONSTRAINT invitation_email_lower CHECK (email = lower(email)),
    display_name text NOT NULL,
    role_id uuid NOT NULL CONSTRAINT invitation_role_fk REFERENCES role (id),
    facility_id uuid,
    practitioner_id uuid,
    -- Empty for one by the installation's operator, who may give any role.
    invited_by uuid CONSTRAINT invitation_inviter_fk REFERENCES user_account (id),
    -- Keyed hash of the link's secret.
    token_hash bytea NOT NULL CONSTRAINT invitation_token_unique UNIQUE,
    expires_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'SENT' CONSTRAINT invitation_status_known CHECK (status IN ('SENT', 'ACCEPTED', 'EXPIRED', 'REVOKED')),
    user_id uuid CONSTRAINT invitation_user_fk REFERENCES user_account (id),
    CONSTRAINT invitation_accepted_has_user CHECK ((status = 'ACCEPTED') = (user_id IS NOT NULL))
);
CREATE UNIQUE INDEX invitation_one_open ON invitation (email) WHERE status = 'SENT';
CREATE TRIGGER invitation_transition BEFORE INSERT OR UPDATE ON invitation
    FOR EACH ROW EXECUTE FUNCTION enforce_transition('invitation');
CREATE TRIGGER invitation_version BEFORE UPDATE ON invitation FOR EACH ROW EXECUTE FUNCTION bump_version();

INSERT INTO status_transition (machine, from_status, to_status, permission) VALUES
    ('invitation', '', 'SENT', 'user:manage'),
    ('invitation', 'SENT', 'ACCEPTED', ''),
    ('invitation', 'SENT', 'EXPIRED', ''),
    ('invitation', 'SENT', 'REVOKED', 'user:manage');

SELECT grant_to_runtime('invitation', 'SELECT, INSERT, UPDATE');

-- Links that were mailed to somebody who has an account: good once, and not for long.
CREATE TABLE account_link (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT account_link_user_fk REFERENCES user_account (id),
    purpose text NOT NULL CONSTRAINT account_link_purpose_known CHECK (purpose IN ('PASSWORD_RESET', 'SIGN_IN')),
    token_hash bytea NOT NULL CONSTRAINT account_link_token_unique UNIQUE,
    -- Keyed hash of what the asking device keeps; empty where any device may use the link.
    device_hash bytea,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT account_link_sign_in_is_bound CHECK (purpose <> 'SIGN_IN' OR device_hash IS NOT NULL)
);
CREATE INDEX account_link_by_user ON account_link (user_id, created_at);

SELECT grant_to_runtime('account_link', 'SELECT, INSERT, UPDATE');
