-- Mail that is to leave the house: written with the change that causes it, sent by a worker.

CREATE TABLE mail_message (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The address is a member of staff's or was given by one; what the mail says is sealed.
    to_address text NOT NULL,
    template text NOT NULL,
    locale text,
    facts bytea NOT NULL,
    dedupe_key text CONSTRAINT mail_message_dedupe_unique UNIQUE,
    status text NOT NULL DEFAULT 'QUEUED' CONSTRAINT mail_message_status_known CHECK (status IN ('QUEUED', 'SENT', 'DEAD')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    last_error text
);
CREATE INDEX mail_message_due ON mail_message (next_attempt_at) WHERE status = 'QUEUED';

SELECT grant_to_runtime('mail_message', 'SELECT, INSERT, UPDATE');
