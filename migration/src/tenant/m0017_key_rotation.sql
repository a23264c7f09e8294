-- Rotation of data keys: a run gives every subject a new version, then brings what is sealed under it.

CREATE TABLE key_rotation (
    id uuid PRIMARY KEY,
    -- Subjects whose newest key is older than this still need a new one.
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT key_rotation_order CHECK (finished_at >= started_at)
);
-- A second run joins the one that is open.
CREATE UNIQUE INDEX key_rotation_one_open ON key_rotation ((true)) WHERE finished_at IS NULL;

-- When a condition began is sealed with the rest of it: a congenital one would reveal a birth date.
ALTER TABLE condition DROP COLUMN onset_at;
