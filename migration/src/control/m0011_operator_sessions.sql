-- Operators sign in at the control plane, apart from every clinic.

CREATE TABLE operator_session (
    -- SHA-256 of a token of 256 random bits.
    token_hash bytea PRIMARY KEY CONSTRAINT operator_session_hash_length CHECK (length(token_hash) = 32),
    operator_id uuid NOT NULL CONSTRAINT operator_session_operator_fk REFERENCES operator (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX operator_session_by_operator ON operator_session (operator_id);
CREATE INDEX operator_session_by_expiry ON operator_session (expires_at);
