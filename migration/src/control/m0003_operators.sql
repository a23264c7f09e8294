-- People who run the installation. They hold no rights inside any clinic.

CREATE TABLE operator (
    id uuid PRIMARY KEY,
    email text NOT NULL CONSTRAINT operator_email_unique UNIQUE CONSTRAINT operator_email_lower CHECK (email = lower(email)),
    display_name text NOT NULL,
    password_hash text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);
