-- Sessions: how they were proved, how long they live, and the tokens they are renewed with.

ALTER TABLE session ADD COLUMN methods text[] NOT NULL DEFAULT '{}';
ALTER TABLE session ADD COLUMN second_factor_at timestamptz;
