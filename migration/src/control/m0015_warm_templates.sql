-- A schema of the pool may hold a template's rows already: whoever makes a clinic from that template, in that version, has
-- nothing left to write into it.

ALTER TABLE warm_schema ADD COLUMN template text;
ALTER TABLE warm_schema ADD COLUMN template_version text;
ALTER TABLE warm_schema ADD CONSTRAINT warm_schema_template_whole CHECK ((template IS NULL) = (template_version IS NULL));
