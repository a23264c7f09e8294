-- What a clinic may have: NULL for as much as there is. Copied into the clinic's own schema, which counts.

ALTER TABLE tenant ADD COLUMN max_seats integer CONSTRAINT tenant_max_seats_positive CHECK (max_seats > 0);
ALTER TABLE tenant ADD COLUMN max_storage_bytes bigint CONSTRAINT tenant_max_storage_bytes_positive CHECK (max_storage_bytes > 0);
