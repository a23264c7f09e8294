-- Clinical documents: a working copy until it is signed, then versions that nobody changes, with their signatures.

-- Whatever changes a template leaves a version behind; documents name the version they were begun from.
ALTER TABLE note_template ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE note_template ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE note_template ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
-- Whether one who may not cosign needs somebody who does.
ALTER TABLE note_template ADD COLUMN needs_cosign boolean NOT NULL DEFAULT true;
CREATE TABLE note_template_version (
    template_id uuid NOT NULL CONSTRAINT note_template_version_template_fk REFERENCES note_template (id),
    version integer NOT NULL CONSTRAINT note_template_version_positive CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    title text NOT NULL,
    type_code text NOT NULL CONSTRAINT note_template_version_type_loinc CHECK (type_code ~ '^[0-9]{1,7}-[0-9]$'),
    body text NOT NULL,
    needs_cosign boolean NOT NULL,
    PRIMARY KEY (template_id, version)
);
CREATE FUNCTION keep_note_template_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO note_template_version (template_id, version, title, type_code, body, needs_cosign)
        VALUES (NEW.id, NEW.version, NEW.title, NEW.type_code, NEW.body, NEW.needs_cosign);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION keep_note_template_version() FROM PUBLIC;
INSERT INTO note_template_version (template_id, version, title, type_code, body, needs_cosign)
    SELECT id, version, title, type_code, body, needs_cosign FROM note_template;
CREATE TRIGGER note_template_bumped BEFORE UPDATE ON note_template FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER note_template_kept AFTER INSERT OR UPDATE ON note_template FOR EACH ROW EXECUTE FUNCTION keep_note_template_version();
CREATE TRIGGER note_template_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON note_template_version
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE clinical_document (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT clinical_document_patient_fk REFERENCES patient (id),
    encounter_id uuid,
    type_code text NOT NULL CONSTRAINT clinical_document_type_loinc CHECK (type_code ~ '^[0-9]{1,7}-[0-9]$'),
    -- What came from elsewhere has no template.
    template_id uuid,
    template_version integer,
    status text NOT NULL CONSTRAINT clinical_document_status_known CHECK (status IN
        ('DRAFT', 'IN_REVIEW', 'SIGNED', 'AMENDED', 'RECEIVED', 'ENTERED_IN_ERROR', 'DISCARDED')),
    author_id uuid CONSTRAINT clinical_document_author_fk REFERENCES user_account (id),
    practitioner_id uuid CONSTRAINT clinical_document_practitioner_fk REFERENCES practitioner (id),
    -- The document that this one is an addendum to.
    addendum_to uuid,
    -- The working copy: changed in place, until it is signed.
    draft bytea,
    -- The session that edits, and until when nobody else does.
    lease_holder uuid,
    lease_until timestamptz,
    CONSTRAINT clinical_document_patient_unique UNIQUE (id, patient_id),
    CONSTRAINT clinical_document_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES encounter (id, patient_id),
    CONSTRAINT clinical_document_addendum_fk FOREIGN KEY (addendum_to, patient_id) REFERENCES clinical_document (id, patient_id),
    CONSTRAINT clinical_document_template_fk FOREIGN KEY (template_id, template_version) REFERENCES note_template_version (template_id, version),
    CONSTRAINT clinical_document_not_its_own_addendum CHECK (addendum_to <> id),
    CONSTRAINT clinical_document_draft_until_signed CHECK ((draft IS NOT NULL) = (status IN ('DRAFT', 'DISCARDED'))),
    CONSTRAINT clinical_document_lease_whole CHECK ((lease_holder IS NULL) = (lease_until IS NULL)),
    CONSTRAINT clinical_document_lease_while_draft CHECK (lease_holder IS NULL OR status = 'DRAFT')
);
CREATE INDEX clinical_document_by_patient ON clinical_document (patient_id, created_at DESC, id DESC);
CREATE INDEX clinical_document_by_encounter ON clinical_document (encounter_id, created_at DESC, id DESC) WHERE encounter_id IS NOT NULL;
CREATE INDEX clinical_document_by_parent ON clinical_document (addendum_to) WHERE addendum_to IS NOT NULL;
CREATE INDEX clinical_document_unsigned ON clinical_document (author_id, id) WHERE status IN ('DRAFT', 'IN_REVIEW');
CREATE TRIGGER clinical_document_version BEFORE UPDATE ON clinical_document FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER clinical_document_transition BEFORE INSERT OR UPDATE ON clinical_document
    FOR EACH ROW EXECUTE FUNCTION enforce_transition('clinical_document');
CREATE TRIGGER clinical_document_stays BEFORE DELETE OR TRUNCATE ON clinical_document FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('clinical_document', '', 'DRAFT', 'document:write', ''),
    ('clinical_document', '', 'RECEIVED', 'data:import', ''),
    ('clinical_document', 'DRAFT', 'DRAFT', 'document:write', 'documentSave'),
    ('clinical_document', 'DRAFT', 'DRAFT', 'document:write', 'documentLeaseTake'),
    ('clinical_document', 'DRAFT', 'DRAFT', 'document:write', 'documentLeaseRelease'),
    ('clinical_document', 'DRAFT', 'DISCARDED', 'document:write', 'documentDiscard'),
    ('clinical_document', 'DRAFT', 'IN_REVIEW', 'document:sign', 'documentSign'),
    ('clinical_document', 'DRAFT', 'SIGNED', 'document:sign', 'documentSign'),
    ('clinical_document', 'IN_REVIEW', 'SIGNED', 'document:cosign', 'documentCosign'),
    ('clinical_document', 'IN_REVIEW', 'AMENDED', 'document:cosign', 'documentCosign'),
    ('clinical_document', 'IN_REVIEW', 'IN_REVIEW', 'document:amend', 'documentAmend'),
    ('clinical_document', 'IN_REVIEW', 'AMENDED', 'document:amend', 'documentAmend'),
    ('clinical_document', 'SIGNED', 'IN_REVIEW', 'document:amend', 'documentAmend'),
    ('clinical_document', 'SIGNED', 'AMENDED', 'document:amend', 'documentAmend'),
    ('clinical_document', 'AMENDED', 'IN_REVIEW', 'document:amend', 'documentAmend'),
    ('clinical_document', 'AMENDED', 'AMENDED', 'document:amend', 'documentAmend'),
    ('clinical_document', 'RECEIVED', 'RECEIVED', 'document:amend', 'documentAddendum'),
    ('clinical_document', 'IN_REVIEW', 'IN_REVIEW', 'document:amend', 'documentAddendum'),
    ('clinical_document', 'SIGNED', 'SIGNED', 'document:amend', 'documentAddendum'),
    ('clinical_document', 'AMENDED', 'AMENDED', 'document:amend', 'documentAddendum'),
    ('clinical_document', 'RECEIVED', 'ENTERED_IN_ERROR', 'document:amend', 'documentEnterInError'),
    ('clinical_document', 'IN_REVIEW', 'ENTERED_IN_ERROR', 'document:amend', 'documentEnterInError'),
    ('clinical_document', 'SIGNED', 'ENTERED_IN_ERROR', 'document:amend', 'documentEnterInError'),
    ('clinical_document', 'AMENDED', 'ENTERED_IN_ERROR', 'document:amend', 'documentEnterInError');

-- What was signed, as it was signed. Each version but the first takes the place of the one before it.
CREATE TABLE document_version (
    document_id uuid NOT NULL,
    version integer NOT NULL CONSTRAINT document_version_positive CHECK (version > 0),
    id uuid NOT NULL CONSTRAINT document_version_id_unique UNIQUE,
    supersedes integer CONSTRAINT document_version_supersedes_the_one_before CHECK (supersedes = version - 1),
    -- Set and taken away by trigger alone.
    head boolean NOT NULL DEFAULT true,
    patient_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT document_version_kind_known CHECK (kind IN ('ORIGINAL', 'AMENDMENT', 'RETRACTION', 'RECEIVED')),
    author_id uuid CONSTRAINT document_version_author_fk REFERENCES user_account (id),
    authored_at timestamptz NOT NULL,
    body bytea NOT NULL,
    -- Of the plaintext with its metadata and a salt that is sealed with it.
    sha256 bytea NOT NULL CONSTRAINT document_version_sha256_whole CHECK (octet_length(sha256) = 32),
    PRIMARY KEY (document_id, version),
    CONSTRAINT document_version_document_fk FOREIGN KEY (document_id, patient_id) REFERENCES clinical_document (id, patient_id),
    CONSTRAINT document_version_before_fk FOREIGN KEY (document_id, supersedes) REFERENCES document_version (document_id, version),
    CONSTRAINT document_version_first_has_none_before CHECK ((version = 1) = (supersedes IS NULL)),
    CONSTRAINT document_version_signed_unique UNIQUE (document_id, version, sha256)
);
CREATE UNIQUE INDEX document_version_one_head ON document_version (document_id) WHERE head;
-- The new version becomes the head in the statement that adds it; nobody else moves it.
CREATE FUNCTION move_document_head() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    NEW.head := true;
    UPDATE document_version SET head = false WHERE document_id = NEW.document_id AND version = NEW.supersedes AND head;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION move_document_head() FROM PUBLIC;
CREATE FUNCTION keep_document_version() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF pg_trigger_depth() = 2 AND OLD.head AND NOT NEW.head AND (NEW.document_id, NEW.version, NEW.id, NEW.supersedes, NEW.patient_id, NEW.kind, NEW.author_id, NEW.authored_at, NEW.body, NEW.sha256)
        IS NOT DISTINCT FROM (OLD.document_id, OLD.version, OLD.id, OLD.supersedes, OLD.patient_id, OLD.kind, OLD.author_id, OLD.authored_at, OLD.body, OLD.sha256) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'what was signed stays as it is';
END $$;
CREATE TRIGGER document_version_head BEFORE INSERT ON document_version FOR EACH ROW EXECUTE FUNCTION move_document_head();
CREATE TRIGGER document_version_kept BEFORE UPDATE ON document_version FOR EACH ROW EXECUTE FUNCTION keep_document_version();
CREATE TRIGGER document_version_stays BEFORE DELETE OR TRUNCATE ON document_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE document_signature (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL,
    version integer NOT NULL,
    -- What was signed: a version with another hash can't be meant.
    sha256 bytea NOT NULL,
    signer_id uuid NOT NULL CONSTRAINT document_signature_signer_fk REFERENCES user_account (id),
    practitioner_id uuid CONSTRAINT document_signature_practitioner_fk REFERENCES practitioner (id),
    meaning text NOT NULL CONSTRAINT document_signature_meaning_known CHECK (meaning IN ('AUTHOR', 'COSIGN')),
    -- How the signer had shown who they are.
    second_factor boolean NOT NULL,
    signed_at timestamptz NOT NULL,
    CONSTRAINT document_signature_version_fk FOREIGN KEY (document_id, version, sha256) REFERENCES document_version (document_id, version, sha256),
    -- Nobody signs the same twice, so nobody cosigns what is their own.
    CONSTRAINT document_signature_once UNIQUE (document_id, version, signer_id)
);
CREATE TRIGGER document_signature_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON document_signature
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

SELECT grant_to_runtime('note_template_version', 'SELECT');
-- Whose it is, where and by whom it was begun never changes.
SELECT grant_to_runtime('clinical_document', 'SELECT, INSERT, UPDATE (status, draft, lease_holder, lease_until)');
SELECT grant_to_runtime('document_version', 'SELECT, INSERT (document_id, version, id, supersedes, patient_id, kind, author_id, authored_at, body, sha256)');
SELECT grant_to_runtime('document_signature', 'SELECT, INSERT');
