-- Batches of the audit log that a rule of alerts could not look at: they are sealed, and looked at again.

CREATE TABLE audit_unwatched (
    kind text NOT NULL,
    -- Places in the log, the last one not included.
    low bigint NOT NULL,
    high bigint NOT NULL,
    CONSTRAINT audit_unwatched_pk PRIMARY KEY (kind, low),
    CONSTRAINT audit_unwatched_order CHECK (0 <= low AND low < high)
);
SELECT grant_to_runtime('audit_unwatched', 'SELECT, INSERT, UPDATE, DELETE');
