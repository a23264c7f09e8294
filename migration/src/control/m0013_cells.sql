-- Every cell has a version of its own, so that it can be brought forward where it is: the number of steps applied to it.
--
-- In the control database the first of them, which makes the tables of hints, was taken by steps before this one.

CREATE TABLE cell.migration (
    version integer PRIMARY KEY CONSTRAINT migration_version_positive CHECK (version > 0),
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO cell.migration (version, name) VALUES (1, 'c0001_hints');
