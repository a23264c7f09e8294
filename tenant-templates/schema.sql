-- schema version: 36
-- served from: 36
-- oldest build: 0
CREATE FUNCTION {schema}.month_of(moment timestamp with time zone, zone text) RETURNS date
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO '{schema}'
    AS $$
BEGIN
    RETURN date_trunc('month', moment AT TIME ZONE zone);
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN date_trunc('month', moment AT TIME ZONE 'UTC');
END $$;
CREATE TABLE {schema}.access_mark (
    only_one boolean DEFAULT true NOT NULL,
    mark uuid NOT NULL,
    CONSTRAINT access_mark_only_one CHECK (only_one),
    CONSTRAINT access_mark_pkey PRIMARY KEY (only_one)
);
CREATE TABLE {schema}.alert_rule (
    kind text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    threshold integer NOT NULL,
    window_minutes integer NOT NULL,
    CONSTRAINT alert_rule_kind_known CHECK ((kind = ANY (ARRAY['MASS_READING'::text, 'RESTRICTED_READING'::text, 'OWN_RECORD'::text, 'OWN_FAMILY'::text, 'FAILED_SIGN_INS'::text, 'BREAK_GLASS_USE'::text, 'FORGED_ENTRY'::text]))),
    CONSTRAINT alert_rule_threshold_sensible CHECK (((threshold >= 1) AND (threshold <= 100000))),
    CONSTRAINT alert_rule_window_sensible CHECK (((window_minutes >= 1) AND (window_minutes <= 10080))),
    CONSTRAINT alert_rule_pkey PRIMARY KEY (kind)
);
CREATE TABLE {schema}.api_client (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    permissions text[] NOT NULL,
    operations text[] NOT NULL,
    rate_points integer NOT NULL,
    rate_restore integer NOT NULL,
    tokens_after timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    created_by uuid,
    status text DEFAULT 'ACTIVE'::text NOT NULL,
    CONSTRAINT api_client_name_present CHECK ((name <> ''::text)),
    CONSTRAINT api_client_rate_points_positive CHECK ((rate_points > 0)),
    CONSTRAINT api_client_rate_restore_positive CHECK ((rate_restore > 0)),
    CONSTRAINT api_client_status_known CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'RETIRED'::text]))),
    CONSTRAINT api_client_name_unique UNIQUE (name),
    CONSTRAINT api_client_pkey PRIMARY KEY (id)
);
CREATE TABLE {schema}.api_client_secret (
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT api_client_secret_hash_unique UNIQUE (secret_hash),
    CONSTRAINT api_client_secret_pkey PRIMARY KEY (id),
    CONSTRAINT api_client_secret_client_fk FOREIGN KEY (client_id) REFERENCES {schema}.api_client(id)
);
CREATE TABLE {schema}.appointment_count (
    facility_id uuid NOT NULL,
    month date NOT NULL,
    status text NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    change integer NOT NULL,
    CONSTRAINT appointment_count_changes CHECK ((change <> 0)),
    CONSTRAINT appointment_count_pkey PRIMARY KEY (facility_id, month, status, id)
);
--
CREATE TABLE {schema}.audit_checkpoint (
    size bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    edge bytea NOT NULL,
    line_hash bytea NOT NULL,
    note text NOT NULL,
    CONSTRAINT audit_checkpoint_size_positive CHECK ((size > 0)),
    CONSTRAINT audit_checkpoint_pkey PRIMARY KEY (size)
);
CREATE TABLE {schema}.audit_entry (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_id uuid,
    actor_kind text NOT NULL,
    roles text[] NOT NULL,
    session_id uuid,
    facility_id uuid,
    action text NOT NULL,
    object_type text,
    object_id uuid,
    object_version integer,
    patients uuid[] NOT NULL,
    classes text[] NOT NULL,
    purpose text NOT NULL,
    operation_hash text,
    request_id uuid,
    source_address text,
    outcome text NOT NULL,
    break_glass_id uuid,
    on_behalf_of uuid,
    operation_name text,
    reason text,
    times integer DEFAULT 1 NOT NULL,
    change_hash bytea,
    mac bytea,
    CONSTRAINT audit_entry_actor_kind_known CHECK ((actor_kind = ANY (ARRAY['USER'::text, 'CLIENT'::text, 'SYSTEM'::text, 'OPERATOR'::text]))),
    CONSTRAINT audit_entry_outcome_known CHECK ((outcome = ANY (ARRAY['OK'::text, 'DENIED'::text, 'FAILED'::text]))),
    CONSTRAINT audit_entry_times_positive CHECK ((times > 0)),
    CONSTRAINT audit_entry_pkey PRIMARY KEY (id)
);
CREATE TABLE {schema}.audit_change (
    entry_id uuid NOT NULL,
    subject uuid NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT audit_change_pkey PRIMARY KEY (entry_id),
    CONSTRAINT audit_change_entry_fk FOREIGN KEY (entry_id) REFERENCES {schema}.audit_entry(id)
);
CREATE TABLE {schema}.audit_leaf (
    seq bigint NOT NULL,
    entry_id uuid NOT NULL,
    leaf_hash bytea NOT NULL,
    line_hash bytea NOT NULL,
    genuine boolean NOT NULL,
    CONSTRAINT audit_leaf_seq_not_negative CHECK ((seq >= 0)),
    CONSTRAINT audit_leaf_entry_unique UNIQUE (entry_id),
    CONSTRAINT audit_leaf_pkey PRIMARY KEY (seq),
    CONSTRAINT audit_leaf_entry_fk FOREIGN KEY (entry_id) REFERENCES {schema}.audit_entry(id)
);
CREATE TABLE {schema}.audit_node (
    level smallint NOT NULL,
    "position" bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_node_pkey PRIMARY KEY (level, "position")
);
CREATE TABLE {schema}.audit_pending (
    entry_id uuid NOT NULL,
    CONSTRAINT audit_pending_pkey PRIMARY KEY (entry_id)
);
--
CREATE TABLE {schema}.audit_sealer (
    only_one boolean DEFAULT true NOT NULL,
    CONSTRAINT audit_sealer_only_one CHECK (only_one),
    CONSTRAINT audit_sealer_pkey PRIMARY KEY (only_one)
);
CREATE TABLE {schema}.audit_unwatched (
    kind text NOT NULL,
    low bigint NOT NULL,
    high bigint NOT NULL,
    CONSTRAINT audit_unwatched_order CHECK (((0 <= low) AND (low < high))),
    CONSTRAINT audit_unwatched_pk PRIMARY KEY (kind, low)
);
CREATE TABLE {schema}.counter (
    name text NOT NULL,
    n bigint NOT NULL,
    CONSTRAINT counter_pkey PRIMARY KEY (name)
);
CREATE TABLE {schema}.facility (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    time_zone text NOT NULL,
    phone text,
    address_lines text[] DEFAULT '{}'::text[] NOT NULL,
    active boolean DEFAULT true NOT NULL,
    CONSTRAINT facility_code_unique UNIQUE (code),
    CONSTRAINT facility_pkey PRIMARY KEY (id)
);
CREATE TABLE {schema}.device (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    facility_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    capacity integer DEFAULT 1 NOT NULL,
    overbook_limit integer DEFAULT 0 NOT NULL,
    active boolean DEFAULT true NOT NULL,
    CONSTRAINT device_capacity_sensible CHECK (((capacity >= 1) AND (capacity <= 100))),
    CONSTRAINT device_kind_shape CHECK ((kind ~ '^[A-Z][A-Z0-9_]{0,39}$'::text)),
    CONSTRAINT device_overbook_limit_sensible CHECK (((overbook_limit >= 0) AND (overbook_limit <= 20))),
    CONSTRAINT device_name_unique UNIQUE (facility_id, name),
    CONSTRAINT device_pkey PRIMARY KEY (id),
    CONSTRAINT device_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id)
);
CREATE TABLE {schema}.field_policy (
    id uuid NOT NULL,
    type_name text NOT NULL,
    field_name text NOT NULL,
    permission text NOT NULL,
    reason text NOT NULL,
    template_key text,
    template_hash text,
    customised boolean DEFAULT false NOT NULL,
    condition text DEFAULT ''::text NOT NULL,
    CONSTRAINT field_policy_condition_known CHECK ((condition = ANY (ARRAY[''::text, 'OWN'::text, 'CARE_TEAM'::text, 'FACILITY'::text, 'IN_CARE'::text]))),
    CONSTRAINT field_policy_pkey PRIMARY KEY (id),
    CONSTRAINT field_policy_unique UNIQUE (type_name, field_name, permission)
);
--
CREATE TABLE {schema}.finished_sign_in (
    state_hash bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT finished_sign_in_pkey PRIMARY KEY (state_hash)
);
CREATE TABLE {schema}.idempotency_key (
    actor_id uuid NOT NULL,
    operation text NOT NULL,
    key_hash bytea NOT NULL,
    request_hash bytea NOT NULL,
    outcome jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_key_pkey PRIMARY KEY (actor_id, operation, key_hash)
);
CREATE TABLE {schema}.identity_provider (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    issuer text NOT NULL,
    client_id text NOT NULL,
    client_secret bytea,
    scopes text[] DEFAULT '{}'::text[] NOT NULL,
    multi_factor_acr text[] DEFAULT '{}'::text[] NOT NULL,
    active boolean DEFAULT true NOT NULL,
    CONSTRAINT identity_provider_client_present CHECK ((client_id <> ''::text)),
    CONSTRAINT identity_provider_name_present CHECK ((name <> ''::text)),
    CONSTRAINT identity_provider_issuer_unique UNIQUE (issuer),
    CONSTRAINT identity_provider_pkey PRIMARY KEY (id)
);
CREATE TABLE {schema}.import_source (
    resource_type text NOT NULL,
    source_token bytea NOT NULL,
    local_id uuid NOT NULL,
    CONSTRAINT import_source_pkey PRIMARY KEY (resource_type, source_token)
);
CREATE TABLE {schema}.key_rotation (
    id uuid NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT key_rotation_order CHECK ((finished_at >= started_at)),
    CONSTRAINT key_rotation_pkey PRIMARY KEY (id)
);
CREATE TABLE {schema}.mail_message (
    id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    to_address text NOT NULL,
    template text NOT NULL,
    locale text,
    facts bytea,
    dedupe_key text,
    status text DEFAULT 'QUEUED'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    last_error text,
    CONSTRAINT mail_message_sent_has_time CHECK (((status = 'SENT'::text) = (sent_at IS NOT NULL))),
    CONSTRAINT mail_message_sent_is_forgotten CHECK (((status = 'SENT'::text) = (facts IS NULL))),
    CONSTRAINT mail_message_status_known CHECK ((status = ANY (ARRAY['QUEUED'::text, 'SENT'::text, 'DEAD'::text]))),
    CONSTRAINT mail_message_dedupe_unique UNIQUE (dedupe_key),
    CONSTRAINT mail_message_pkey PRIMARY KEY (id)
);
--
CREATE TABLE {schema}.note_template (
    id uuid NOT NULL,
    title text NOT NULL,
    type_code text NOT NULL,
    body text NOT NULL,
    retired boolean DEFAULT false NOT NULL,
    template_key text,
    template_hash text,
    customised boolean DEFAULT false NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    needs_cosign boolean DEFAULT true NOT NULL,
    CONSTRAINT note_template_pkey PRIMARY KEY (id)
);
CREATE TABLE {schema}.note_template_version (
    template_id uuid NOT NULL,
    version integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    title text NOT NULL,
    type_code text NOT NULL,
    body text NOT NULL,
    needs_cosign boolean NOT NULL,
    CONSTRAINT note_template_version_positive CHECK ((version > 0)),
    CONSTRAINT note_template_version_type_loinc CHECK ((type_code ~ '^[0-9]{1,7}-[0-9]$'::text)),
    CONSTRAINT note_template_version_pkey PRIMARY KEY (template_id, version),
    CONSTRAINT note_template_version_template_fk FOREIGN KEY (template_id) REFERENCES {schema}.note_template(id)
);
CREATE TABLE {schema}.notification_preference (
    recipient_id uuid NOT NULL,
    topic text NOT NULL,
    channel text NOT NULL,
    enabled boolean NOT NULL,
    CONSTRAINT notification_preference_channel_known CHECK ((channel = ANY (ARRAY['IN_APP'::text, 'EMAIL'::text, 'SMS'::text, 'PUSH'::text]))),
    CONSTRAINT notification_preference_pkey PRIMARY KEY (recipient_id, topic, channel)
);
CREATE TABLE {schema}.notification_profile (
    recipient_id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    locale text,
    time_zone text,
    quiet_from time without time zone,
    quiet_until time without time zone,
    CONSTRAINT notification_profile_quiet_whole CHECK (((quiet_from IS NULL) = (quiet_until IS NULL))),
    CONSTRAINT notification_profile_pkey PRIMARY KEY (recipient_id)
);
CREATE TABLE {schema}.notification_template (
    id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by uuid,
    topic text NOT NULL,
    channel text NOT NULL,
    locale text NOT NULL,
    version integer NOT NULL,
    subject text,
    body text NOT NULL,
    CONSTRAINT notification_template_channel_known CHECK ((channel = ANY (ARRAY['IN_APP'::text, 'EMAIL'::text, 'SMS'::text, 'PUSH'::text]))),
    CONSTRAINT notification_template_mail_has_subject CHECK (((channel = 'EMAIL'::text) = (subject IS NOT NULL))),
    CONSTRAINT notification_template_version_positive CHECK ((version > 0)),
    CONSTRAINT notification_template_pkey PRIMARY KEY (id),
    CONSTRAINT notification_template_version_unique UNIQUE (topic, channel, locale, version)
);
CREATE TABLE {schema}.organization (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    kind text,
    phone text,
    address_lines text[] DEFAULT '{}'::text[] NOT NULL,
    active boolean DEFAULT true NOT NULL,
    CONSTRAINT organization_pkey PRIMARY KEY (id)
);
--
CREATE TABLE {schema}.organization_identifier (
    system text NOT NULL,
    value text NOT NULL,
    organization_id uuid NOT NULL,
    CONSTRAINT organization_identifier_pkey PRIMARY KEY (system, value),
    CONSTRAINT organization_identifier_organization_fk FOREIGN KEY (organization_id) REFERENCES {schema}.organization(id)
);
CREATE TABLE {schema}.patient (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    status text NOT NULL,
    administrative_sex text NOT NULL,
    record_number bytea NOT NULL,
    identity bytea NOT NULL,
    contact bytea NOT NULL,
    identifiers bytea NOT NULL,
    CONSTRAINT patient_administrative_sex_known CHECK ((administrative_sex = ANY (ARRAY['FEMALE'::text, 'MALE'::text, 'OTHER'::text, 'UNKNOWN'::text]))),
    CONSTRAINT patient_status_known CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'INACTIVE'::text, 'DECEASED'::text, 'MERGED'::text, 'ERASED'::text]))),
    CONSTRAINT patient_pkey PRIMARY KEY (id)
);
CREATE TABLE {schema}.channel_consent (
    id uuid NOT NULL,
    patient_id uuid NOT NULL,
    channel text NOT NULL,
    contact_token bytea NOT NULL,
    given_at timestamp with time zone NOT NULL,
    recorded_by uuid,
    withdrawn_at timestamp with time zone,
    withdrawn_by uuid,
    CONSTRAINT channel_consent_channel_known CHECK ((channel = ANY (ARRAY['EMAIL'::text, 'SMS'::text]))),
    CONSTRAINT channel_consent_pkey PRIMARY KEY (id),
    CONSTRAINT channel_consent_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id)
);
CREATE TABLE {schema}.chart_version (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    row_id uuid NOT NULL,
    version integer NOT NULL,
    patient_id uuid NOT NULL,
    known_from timestamp with time zone NOT NULL,
    known_until timestamp with time zone NOT NULL,
    body jsonb NOT NULL,
    sealed bytea,
    CONSTRAINT chart_version_once UNIQUE (kind, row_id, version),
    CONSTRAINT chart_version_pkey PRIMARY KEY (id),
    CONSTRAINT chart_version_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id)
);
CREATE TABLE {schema}.disclosure (
    id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    disclosed_at timestamp with time zone NOT NULL,
    purpose text NOT NULL,
    details bytea NOT NULL,
    recorded_by uuid,
    CONSTRAINT disclosure_in_the_past CHECK ((disclosed_at <= (created_at + '00:01:00'::interval))),
    CONSTRAINT disclosure_purpose_known CHECK ((purpose = ANY (ARRAY['TREATMENT'::text, 'PAYMENT'::text, 'OPERATIONS'::text, 'AUTHORIZATION'::text, 'PUBLIC_HEALTH'::text, 'ABUSE_REPORT'::text, 'OVERSIGHT'::text, 'JUDICIAL'::text, 'LAW_ENFORCEMENT'::text, 'DECEDENT'::text, 'RESEARCH'::text, 'THREAT_TO_SAFETY'::text, 'GOVERNMENT'::text, 'WORKERS_COMPENSATION'::text, 'BREACH'::text, 'OTHER'::text]))),
    CONSTRAINT disclosure_pkey PRIMARY KEY (id),
    CONSTRAINT disclosure_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id)
);
CREATE TABLE {schema}.fhir_resource (
    id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    resource_type text NOT NULL,
    patient_id uuid,
    mapped_id uuid,
    body bytea NOT NULL,
    CONSTRAINT fhir_resource_pkey PRIMARY KEY (id),
    CONSTRAINT fhir_resource_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id)
);
--
CREATE TABLE {schema}.patient_facility (
    patient_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT patient_facility_pkey PRIMARY KEY (patient_id, facility_id),
    CONSTRAINT patient_facility_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id),
    CONSTRAINT patient_facility_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id)
);
CREATE TABLE {schema}.patient_token (
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    token bytea NOT NULL,
    CONSTRAINT patient_token_kind_known CHECK ((kind = ANY (ARRAY['MRN'::text, 'NATIONAL_ID'::text, 'IDENTIFIER'::text, 'EMAIL'::text, 'PHONE'::text, 'BIRTH_DATE'::text, 'DUPLICATE'::text]))),
    CONSTRAINT patient_token_pkey PRIMARY KEY (patient_id, kind, token),
    CONSTRAINT patient_token_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id)
);
CREATE TABLE {schema}.phi_key (
    subject uuid NOT NULL,
    version integer NOT NULL,
    wrapped bytea NOT NULL,
    commitment bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT phi_key_version_positive CHECK ((version > 0)),
    CONSTRAINT phi_key_pkey PRIMARY KEY (subject, version)
);
CREATE TABLE {schema}.queue_token (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    facility_id uuid NOT NULL,
    queue text NOT NULL,
    day date NOT NULL,
    number integer NOT NULL,
    patient_id uuid,
    status text NOT NULL,
    desk text,
    called_at timestamp with time zone,
    served_at timestamp with time zone,
    CONSTRAINT queue_token_desk_short CHECK ((length(desk) <= 40)),
    CONSTRAINT queue_token_number_positive CHECK ((number > 0)),
    CONSTRAINT queue_token_queue_shape CHECK ((queue ~ '^[A-Z][A-Z0-9_]{0,19}$'::text)),
    CONSTRAINT queue_token_status_known CHECK ((status = ANY (ARRAY['WAITING'::text, 'CALLED'::text, 'SERVED'::text, 'SKIPPED'::text]))),
    CONSTRAINT queue_token_number_unique UNIQUE (facility_id, queue, day, number),
    CONSTRAINT queue_token_pkey PRIMARY KEY (id),
    CONSTRAINT queue_token_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id),
    CONSTRAINT queue_token_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id)
);
CREATE TABLE {schema}.quota (
    name text NOT NULL,
    used bigint NOT NULL,
    most bigint,
    CONSTRAINT quota_most_not_negative CHECK ((most >= 0)),
    CONSTRAINT quota_name_known CHECK ((name = ANY (ARRAY['SEATS'::text, 'STORAGE'::text]))),
    CONSTRAINT quota_used_not_negative CHECK ((used >= 0)),
    CONSTRAINT quota_pkey PRIMARY KEY (name)
);
CREATE TABLE {schema}.registered_operation (
    id uuid NOT NULL,
    document_id text NOT NULL,
    sha256 text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    cost bigint NOT NULL,
    depth integer NOT NULL,
    by_get boolean NOT NULL,
    status text DEFAULT 'ACTIVE'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    retired_at timestamp with time zone,
    CONSTRAINT registered_operation_cost_positive CHECK ((cost > 0)),
    CONSTRAINT registered_operation_depth_positive CHECK ((depth > 0)),
    CONSTRAINT registered_operation_document_id_shape CHECK ((document_id ~ '^[A-Za-z0-9._:-]{1,200}$'::text)),
    CONSTRAINT registered_operation_get_reads CHECK (((NOT by_get) OR (kind = 'QUERY'::text))),
    CONSTRAINT registered_operation_kind_known CHECK ((kind = ANY (ARRAY['QUERY'::text, 'MUTATION'::text]))),
    CONSTRAINT registered_operation_retired_once CHECK (((status = 'RETIRED'::text) = (retired_at IS NOT NULL))),
    CONSTRAINT registered_operation_sha256_shape CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT registered_operation_status_known CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'RETIRED'::text]))),
    CONSTRAINT registered_operation_document_id_unique UNIQUE (document_id),
    CONSTRAINT registered_operation_pkey PRIMARY KEY (id)
);
--
CREATE TABLE {schema}.related_person (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    active boolean DEFAULT true NOT NULL,
    guardian boolean DEFAULT false NOT NULL,
    emergency_contact boolean DEFAULT false NOT NULL,
    details bytea NOT NULL,
    CONSTRAINT related_person_pkey PRIMARY KEY (id),
    CONSTRAINT related_person_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id)
);
CREATE TABLE {schema}.role (
    id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    retired boolean DEFAULT false NOT NULL,
    template_key text,
    template_hash text,
    customised boolean DEFAULT false NOT NULL,
    second_factor_required boolean DEFAULT false NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT role_code_unique UNIQUE (code),
    CONSTRAINT role_pkey PRIMARY KEY (id)
);
CREATE TABLE {schema}.role_permission (
    role_id uuid NOT NULL,
    permission text NOT NULL,
    condition text DEFAULT ''::text NOT NULL,
    CONSTRAINT role_permission_condition_known CHECK ((condition = ANY (ARRAY[''::text, 'OWN'::text, 'CARE_TEAM'::text, 'FACILITY'::text, 'IN_CARE'::text]))),
    CONSTRAINT role_permission_pkey PRIMARY KEY (role_id, permission),
    CONSTRAINT role_permission_role_fk FOREIGN KEY (role_id) REFERENCES {schema}.role(id)
);
CREATE TABLE {schema}.room (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    facility_id uuid NOT NULL,
    name text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    capacity integer DEFAULT 1 NOT NULL,
    overbook_limit integer DEFAULT 0 NOT NULL,
    CONSTRAINT room_capacity_sensible CHECK (((capacity >= 1) AND (capacity <= 100))),
    CONSTRAINT room_overbook_limit_sensible CHECK (((overbook_limit >= 0) AND (overbook_limit <= 20))),
    CONSTRAINT room_name_unique UNIQUE (facility_id, name),
    CONSTRAINT room_pkey PRIMARY KEY (id),
    CONSTRAINT room_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id)
);
CREATE TABLE {schema}.security_alert (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    actor_id uuid,
    patient_id uuid,
    entry_id uuid,
    seen integer NOT NULL,
    threshold integer NOT NULL,
    window_minutes integer NOT NULL,
    dedupe_key text NOT NULL,
    closed_at timestamp with time zone,
    closed_by uuid,
    close_reason text,
    CONSTRAINT security_alert_close_reason_known CHECK ((close_reason = ANY (ARRAY['JUSTIFIED'::text, 'FALSE_ALARM'::text, 'CONFIRMED'::text, 'DUPLICATE'::text]))),
    CONSTRAINT security_alert_closed_with_reason CHECK (((status = 'CLOSED'::text) = ((closed_at IS NOT NULL) AND (close_reason IS NOT NULL)))),
    CONSTRAINT security_alert_seen_positive CHECK ((seen > 0)),
    CONSTRAINT security_alert_status_known CHECK ((status = ANY (ARRAY['OPEN'::text, 'CLOSED'::text]))),
    CONSTRAINT security_alert_dedupe_unique UNIQUE (dedupe_key),
    CONSTRAINT security_alert_pkey PRIMARY KEY (id),
    CONSTRAINT security_alert_entry_fk FOREIGN KEY (entry_id) REFERENCES {schema}.audit_entry(id),
    CONSTRAINT security_alert_kind_fk FOREIGN KEY (kind) REFERENCES {schema}.alert_rule(kind),
    CONSTRAINT security_alert_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id)
);
CREATE TABLE {schema}.sensitivity_label (
    object_id uuid NOT NULL,
    object_type text NOT NULL,
    patient_id uuid NOT NULL,
    level text NOT NULL,
    labelled_by uuid,
    labelled_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT sensitivity_label_level_known CHECK ((level = ANY (ARRAY['N'::text, 'R'::text, 'V'::text]))),
    CONSTRAINT sensitivity_label_object_type_known CHECK ((object_type = ANY (ARRAY['PATIENT'::text, 'APPOINTMENT'::text, 'ENCOUNTER'::text, 'OBSERVATION'::text, 'CONDITION'::text, 'CLINICAL_DOCUMENT'::text, 'ALLERGY'::text, 'MEDICATION_STATEMENT'::text, 'IMMUNIZATION'::text, 'PROCEDURE'::text, 'FAMILY_HISTORY'::text, 'SOCIAL_HISTORY'::text, 'TASK'::text]))),
    CONSTRAINT sensitivity_label_pkey PRIMARY KEY (object_id),
    CONSTRAINT sensitivity_label_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id)
);
--
CREATE TABLE {schema}.session_policy (
    only_one boolean DEFAULT true NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    idle_minutes integer DEFAULT 15 NOT NULL,
    CONSTRAINT session_policy_idle_range CHECK (((idle_minutes >= 5) AND (idle_minutes <= 60))),
    CONSTRAINT session_policy_only_one CHECK (only_one),
    CONSTRAINT session_policy_pkey PRIMARY KEY (only_one)
);
CREATE TABLE {schema}.specialty (
    id uuid NOT NULL,
    code text NOT NULL,
    display text NOT NULL,
    retired boolean DEFAULT false NOT NULL,
    template_key text,
    template_hash text,
    customised boolean DEFAULT false NOT NULL,
    CONSTRAINT specialty_code_unique UNIQUE (code),
    CONSTRAINT specialty_pkey PRIMARY KEY (id)
);
CREATE TABLE {schema}.practitioner (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    family text NOT NULL,
    given text[] DEFAULT '{}'::text[] NOT NULL,
    prefix text,
    specialty_id uuid,
    active boolean DEFAULT true NOT NULL,
    bookable boolean DEFAULT false NOT NULL,
    capacity integer DEFAULT 1 NOT NULL,
    overbook_limit integer DEFAULT 1 NOT NULL,
    CONSTRAINT practitioner_capacity_sensible CHECK (((capacity >= 1) AND (capacity <= 100))),
    CONSTRAINT practitioner_overbook_limit_sensible CHECK (((overbook_limit >= 0) AND (overbook_limit <= 20))),
    CONSTRAINT practitioner_pkey PRIMARY KEY (id),
    CONSTRAINT practitioner_specialty_fk FOREIGN KEY (specialty_id) REFERENCES {schema}.specialty(id)
);
CREATE TABLE {schema}.appointment_series (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    rule text NOT NULL,
    starts_local timestamp without time zone NOT NULL,
    time_zone text NOT NULL,
    status text NOT NULL,
    replaces uuid,
    skipped timestamp with time zone[] DEFAULT '{}'::timestamp with time zone[] NOT NULL,
    booked_by uuid,
    CONSTRAINT appointment_series_rule_short CHECK ((length(rule) <= 200)),
    CONSTRAINT appointment_series_status_known CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'CANCELLED'::text, 'REPLACED'::text]))),
    CONSTRAINT appointment_series_pkey PRIMARY KEY (id),
    CONSTRAINT appointment_series_replaced_once UNIQUE (replaces),
    CONSTRAINT appointment_series_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id),
    CONSTRAINT appointment_series_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT appointment_series_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id),
    CONSTRAINT appointment_series_replaces_fk FOREIGN KEY (replaces) REFERENCES {schema}.appointment_series(id)
);
CREATE TABLE {schema}.availability_exception (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    facility_id uuid NOT NULL,
    practitioner_id uuid,
    room_id uuid,
    device_id uuid,
    kind text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    starts_local time without time zone,
    ends_local time without time zone,
    time_zone text NOT NULL,
    CONSTRAINT availability_exception_days_order CHECK (((last_day >= first_day) AND ((last_day - first_day) <= 366))),
    CONSTRAINT availability_exception_extra_of CHECK (((kind = 'CLOSED'::text) OR ((practitioner_id IS NOT NULL) AND (starts_local IS NOT NULL)))),
    CONSTRAINT availability_exception_kind_known CHECK ((kind = ANY (ARRAY['CLOSED'::text, 'EXTRA'::text]))),
    CONSTRAINT availability_exception_one_resource CHECK ((num_nonnulls(practitioner_id, room_id, device_id) <= 1)),
    CONSTRAINT availability_exception_times_both CHECK (((starts_local IS NULL) = (ends_local IS NULL))),
    CONSTRAINT availability_exception_times_order CHECK ((ends_local > starts_local)),
    CONSTRAINT availability_exception_pkey PRIMARY KEY (id),
    CONSTRAINT availability_exception_device_fk FOREIGN KEY (device_id) REFERENCES {schema}.device(id),
    CONSTRAINT availability_exception_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id),
    CONSTRAINT availability_exception_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id),
    CONSTRAINT availability_exception_room_fk FOREIGN KEY (room_id) REFERENCES {schema}.room(id)
);
CREATE TABLE {schema}.availability_rule (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    practitioner_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    weekday smallint NOT NULL,
    starts_local time without time zone NOT NULL,
    ends_local time without time zone NOT NULL,
    time_zone text NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    CONSTRAINT availability_rule_order CHECK ((ends_local > starts_local)),
    CONSTRAINT availability_rule_validity_order CHECK ((valid_until >= valid_from)),
    CONSTRAINT availability_rule_weekday_iso CHECK (((weekday >= 1) AND (weekday <= 7))),
    CONSTRAINT availability_rule_pkey PRIMARY KEY (id),
    CONSTRAINT availability_rule_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id),
    CONSTRAINT availability_rule_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id)
);
--
CREATE TABLE {schema}.calendar_feed (
    token_hash bytea NOT NULL,
    practitioner_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid,
    revoked_at timestamp with time zone,
    CONSTRAINT calendar_feed_pkey PRIMARY KEY (token_hash),
    CONSTRAINT calendar_feed_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.practitioner_identifier (
    system text NOT NULL,
    value text NOT NULL,
    practitioner_id uuid NOT NULL,
    CONSTRAINT practitioner_identifier_pkey PRIMARY KEY (system, value),
    CONSTRAINT practitioner_identifier_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.spent_challenge (
    hash bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT spent_challenge_pkey PRIMARY KEY (hash)
);
CREATE TABLE {schema}.status_transition (
    machine text NOT NULL,
    from_status text NOT NULL,
    to_status text NOT NULL,
    permission text NOT NULL,
    action text DEFAULT ''::text NOT NULL,
    CONSTRAINT status_transition_pkey PRIMARY KEY (machine, from_status, to_status, action)
);
CREATE TABLE {schema}.storage_change (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    bytes bigint NOT NULL,
    begun boolean NOT NULL,
    CONSTRAINT storage_change_changes CHECK ((bytes <> 0)),
    CONSTRAINT storage_change_pkey PRIMARY KEY (id)
);
CREATE TABLE {schema}.suppression (
    id uuid NOT NULL,
    channel text NOT NULL,
    contact_token bytea NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    lifted_at timestamp with time zone,
    CONSTRAINT suppression_channel_known CHECK ((channel = ANY (ARRAY['EMAIL'::text, 'SMS'::text]))),
    CONSTRAINT suppression_reason_known CHECK ((reason = ANY (ARRAY['STOP'::text, 'BOUNCE'::text, 'COMPLAINT'::text]))),
    CONSTRAINT suppression_pkey PRIMARY KEY (id)
);
--
CREATE TABLE {schema}.tenant_self (
    tenant_id uuid NOT NULL,
    schema_version integer NOT NULL,
    only_one boolean DEFAULT true NOT NULL,
    CONSTRAINT tenant_self_only_one_check CHECK (only_one),
    CONSTRAINT tenant_self_only_one UNIQUE (only_one),
    CONSTRAINT tenant_self_pkey PRIMARY KEY (tenant_id)
);
CREATE TABLE {schema}.user_account (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    email text NOT NULL,
    display_name text NOT NULL,
    password_hash text NOT NULL,
    practitioner_id uuid,
    active boolean DEFAULT true NOT NULL,
    CONSTRAINT user_account_email_lower CHECK ((email = lower(email))),
    CONSTRAINT user_account_email_unique UNIQUE (email),
    CONSTRAINT user_account_pkey PRIMARY KEY (id),
    CONSTRAINT user_account_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.account_link (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    purpose text NOT NULL,
    token_hash bytea NOT NULL,
    device_hash bytea,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT account_link_purpose_known CHECK ((purpose = ANY (ARRAY['PASSWORD_RESET'::text, 'SIGN_IN'::text]))),
    CONSTRAINT account_link_sign_in_is_bound CHECK (((purpose <> 'SIGN_IN'::text) OR (device_hash IS NOT NULL))),
    CONSTRAINT account_link_pkey PRIMARY KEY (id),
    CONSTRAINT account_link_token_unique UNIQUE (token_hash),
    CONSTRAINT account_link_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.break_glass (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    user_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    category text NOT NULL,
    classes text[] NOT NULL,
    statement bytea NOT NULL,
    status text NOT NULL,
    declared_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    review_due_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by uuid,
    overdue_told_at timestamp with time zone,
    reviewed_at timestamp with time zone,
    reviewed_by uuid,
    finding bytea,
    CONSTRAINT break_glass_category_known CHECK ((category = ANY (ARRAY['THREAT_TO_LIFE'::text, 'URGENT_CARE'::text, 'UNABLE_TO_CONSENT'::text, 'COVERING_CLINICIAN'::text, 'OTHER'::text]))),
    CONSTRAINT break_glass_classes_known CHECK (((cardinality(classes) > 0) AND (classes <@ ARRAY['IDENTITY'::text, 'CONTACT'::text, 'IDENTIFIERS'::text, 'VISITS'::text, 'CLINICAL'::text]))),
    CONSTRAINT break_glass_ended_once CHECK ((((status <> 'ENDED'::text) OR (ended_at IS NOT NULL)) AND ((ended_at IS NULL) = (ended_by IS NULL)))),
    CONSTRAINT break_glass_review_within CHECK (((review_due_at - declared_at) <= '72:00:00'::interval)),
    CONSTRAINT break_glass_reviewed_by_another CHECK ((reviewed_by <> user_id)),
    CONSTRAINT break_glass_reviewed_whole CHECK ((((status = ANY (ARRAY['JUSTIFIED'::text, 'UNJUSTIFIED'::text])) = (reviewed_at IS NOT NULL)) AND ((reviewed_at IS NULL) = (reviewed_by IS NULL)) AND ((reviewed_at IS NULL) = (finding IS NULL)))),
    CONSTRAINT break_glass_status_known CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'ENDED'::text, 'EXPIRED'::text, 'JUSTIFIED'::text, 'UNJUSTIFIED'::text]))),
    CONSTRAINT break_glass_time_box CHECK ((((expires_at - declared_at) > '00:00:00'::interval) AND ((expires_at - declared_at) <= '04:00:00'::interval))),
    CONSTRAINT break_glass_pkey PRIMARY KEY (id),
    CONSTRAINT break_glass_ended_by_fk FOREIGN KEY (ended_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT break_glass_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT break_glass_reviewed_by_fk FOREIGN KEY (reviewed_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT break_glass_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.care_team_member (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    practitioner_id uuid,
    user_id uuid,
    role text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone,
    added_by uuid,
    CONSTRAINT care_team_member_one CHECK ((num_nonnulls(practitioner_id, user_id) = 1)),
    CONSTRAINT care_team_member_order CHECK ((ends_at >= starts_at)),
    CONSTRAINT care_team_member_role_known CHECK ((role = ANY (ARRAY['PRIMARY_CARE'::text, 'ATTENDING'::text, 'CONSULTANT'::text, 'NURSE'::text, 'THERAPIST'::text, 'CASE_MANAGER'::text, 'OTHER'::text]))),
    CONSTRAINT care_team_member_pkey PRIMARY KEY (id),
    CONSTRAINT care_team_member_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT care_team_member_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id),
    CONSTRAINT care_team_member_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.consent_directive (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    decision text NOT NULL,
    class text NOT NULL,
    scope text NOT NULL,
    facility_id uuid,
    role_code text,
    user_id uuid,
    rank smallint GENERATED ALWAYS AS (
CASE scope
    WHEN 'USER'::text THEN 3
    WHEN 'ROLE'::text THEN 2
    WHEN 'FACILITY'::text THEN 1
    ELSE 0
END) STORED NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone,
    recorded_by uuid,
    revoked_at timestamp with time zone,
    revoked_by uuid,
    CONSTRAINT consent_directive_class_known CHECK ((class = ANY (ARRAY['ALL'::text, 'IDENTITY'::text, 'CONTACT'::text, 'IDENTIFIERS'::text, 'VISITS'::text, 'CLINICAL'::text]))),
    CONSTRAINT consent_directive_decision_known CHECK ((decision = ANY (ARRAY['PERMIT'::text, 'DENY'::text]))),
    CONSTRAINT consent_directive_order CHECK ((ends_at > starts_at)),
    CONSTRAINT consent_directive_scope_known CHECK ((scope = ANY (ARRAY['ANYONE'::text, 'FACILITY'::text, 'ROLE'::text, 'USER'::text]))),
    CONSTRAINT consent_directive_whom CHECK ((((scope = 'FACILITY'::text) = (facility_id IS NOT NULL)) AND ((scope = 'ROLE'::text) = (role_code IS NOT NULL)) AND ((scope = 'USER'::text) = (user_id IS NOT NULL)))),
    CONSTRAINT consent_directive_pkey PRIMARY KEY (id),
    CONSTRAINT consent_directive_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id),
    CONSTRAINT consent_directive_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT consent_directive_role_fk FOREIGN KEY (role_code) REFERENCES {schema}.role(code),
    CONSTRAINT consent_directive_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
--
CREATE TABLE {schema}.external_identity (
    provider_id uuid NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_used_at timestamp with time zone,
    CONSTRAINT external_identity_subject_length CHECK (((length(subject) >= 1) AND (length(subject) <= 255))),
    CONSTRAINT external_identity_one_each UNIQUE (provider_id, user_id),
    CONSTRAINT external_identity_pkey PRIMARY KEY (provider_id, subject),
    CONSTRAINT external_identity_provider_fk FOREIGN KEY (provider_id) REFERENCES {schema}.identity_provider(id),
    CONSTRAINT external_identity_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.factor_guard (
    user_id uuid NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    closed_until timestamp with time zone,
    CONSTRAINT factor_guard_failures_positive CHECK ((failures >= 0)),
    CONSTRAINT factor_guard_pkey PRIMARY KEY (user_id),
    CONSTRAINT factor_guard_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.invitation (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    email text NOT NULL,
    display_name text NOT NULL,
    role_id uuid NOT NULL,
    facility_id uuid,
    practitioner_id uuid,
    invited_by uuid,
    token_hash bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    status text DEFAULT 'SENT'::text NOT NULL,
    user_id uuid,
    CONSTRAINT invitation_accepted_has_user CHECK (((status = 'ACCEPTED'::text) = (user_id IS NOT NULL))),
    CONSTRAINT invitation_email_lower CHECK ((email = lower(email))),
    CONSTRAINT invitation_status_known CHECK ((status = ANY (ARRAY['SENT'::text, 'ACCEPTED'::text, 'EXPIRED'::text, 'REVOKED'::text]))),
    CONSTRAINT invitation_pkey PRIMARY KEY (id),
    CONSTRAINT invitation_token_unique UNIQUE (token_hash),
    CONSTRAINT invitation_inviter_fk FOREIGN KEY (invited_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT invitation_role_fk FOREIGN KEY (role_id) REFERENCES {schema}.role(id),
    CONSTRAINT invitation_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.membership (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    role_id uuid NOT NULL,
    facility_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT membership_pkey PRIMARY KEY (id),
    CONSTRAINT membership_unique UNIQUE NULLS NOT DISTINCT (user_id, role_id, facility_id),
    CONSTRAINT membership_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id),
    CONSTRAINT membership_role_fk FOREIGN KEY (role_id) REFERENCES {schema}.role(id),
    CONSTRAINT membership_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.notification (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    topic text NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    about_at timestamp with time zone,
    user_id uuid,
    patient_id uuid,
    channel text NOT NULL,
    dedupe_key text NOT NULL,
    status text DEFAULT 'SCHEDULED'::text NOT NULL,
    scheduled_for timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    delivered_at timestamp with time zone,
    read_at timestamp with time zone,
    reason text,
    last_attempt integer DEFAULT 20 NOT NULL,
    CONSTRAINT notification_channel_known CHECK ((channel = ANY (ARRAY['IN_APP'::text, 'EMAIL'::text, 'SMS'::text, 'PUSH'::text]))),
    CONSTRAINT notification_delivered_has_time CHECK (((status <> 'DELIVERED'::text) OR (delivered_at IS NOT NULL))),
    CONSTRAINT notification_in_app_is_for_users CHECK (((channel <> 'IN_APP'::text) OR (user_id IS NOT NULL))),
    CONSTRAINT notification_one_recipient CHECK (((user_id IS NULL) <> (patient_id IS NULL))),
    CONSTRAINT notification_read_in_app CHECK (((read_at IS NULL) OR (channel = 'IN_APP'::text))),
    CONSTRAINT notification_sent_has_time CHECK (((status <> 'SENT'::text) OR (sent_at IS NOT NULL))),
    CONSTRAINT notification_status_known CHECK ((status = ANY (ARRAY['SCHEDULED'::text, 'SENDING'::text, 'SENT'::text, 'DELIVERED'::text, 'FAILED'::text, 'DEAD'::text, 'CANCELLED'::text, 'SUPPRESSED'::text]))),
    CONSTRAINT notification_subject_known CHECK ((subject_kind = ANY (ARRAY['APPOINTMENT'::text, 'TASK'::text, 'ALERT'::text, 'DOCUMENT'::text]))),
    CONSTRAINT notification_topic_known CHECK ((topic = ANY (ARRAY['APPOINTMENT_BOOKED'::text, 'APPOINTMENT_MOVED'::text, 'APPOINTMENT_CANCELLED'::text, 'APPOINTMENT_REMINDER'::text, 'APPOINTMENT_OFFERED'::text, 'TASK_ASSIGNED'::text, 'TASK_ESCALATED'::text, 'ALERT_RAISED'::text, 'DOCUMENT_TO_COSIGN'::text]))),
    CONSTRAINT notification_dedupe_unique UNIQUE (dedupe_key),
    CONSTRAINT notification_pkey PRIMARY KEY (id),
    CONSTRAINT notification_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT notification_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.delivery_attempt (
    notification_id uuid NOT NULL,
    attempt integer NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    provider text NOT NULL,
    outcome text NOT NULL,
    provider_message_id text,
    error text,
    CONSTRAINT delivery_attempt_outcome_known CHECK ((outcome = ANY (ARRAY['SENT'::text, 'FAILED'::text, 'DEAD'::text]))),
    CONSTRAINT delivery_attempt_positive CHECK ((attempt > 0)),
    CONSTRAINT delivery_attempt_pkey PRIMARY KEY (notification_id, attempt),
    CONSTRAINT delivery_attempt_notification_fk FOREIGN KEY (notification_id) REFERENCES {schema}.notification(id)
);
--
CREATE TABLE {schema}.delivery_report (
    provider text NOT NULL,
    provider_message_id text NOT NULL,
    report text NOT NULL,
    notification_id uuid,
    reported_at timestamp with time zone NOT NULL,
    error text,
    CONSTRAINT delivery_report_pkey PRIMARY KEY (provider, provider_message_id, report),
    CONSTRAINT delivery_report_notification_fk FOREIGN KEY (notification_id) REFERENCES {schema}.notification(id)
);
CREATE TABLE {schema}.passkey (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    host text NOT NULL,
    credential_id bytea NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    backup_eligible boolean NOT NULL,
    transports text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_used_at timestamp with time zone,
    cloned_at timestamp with time zone,
    CONSTRAINT passkey_credential_length CHECK (((octet_length(credential_id) >= 1) AND (octet_length(credential_id) <= 1023))),
    CONSTRAINT passkey_sign_count_range CHECK (((sign_count >= 0) AND (sign_count <= '4294967295'::bigint))),
    CONSTRAINT passkey_credential_unique UNIQUE (credential_id),
    CONSTRAINT passkey_pkey PRIMARY KEY (id),
    CONSTRAINT passkey_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.push_device (
    id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    address bytea NOT NULL,
    address_hash bytea NOT NULL,
    removed_at timestamp with time zone,
    CONSTRAINT push_device_pkey PRIMARY KEY (id),
    CONSTRAINT push_device_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.recovery_code (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT recovery_code_pkey PRIMARY KEY (id),
    CONSTRAINT recovery_code_unique UNIQUE (user_id, code_hash),
    CONSTRAINT recovery_code_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.rule (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    code text NOT NULL,
    edition integer NOT NULL,
    title text NOT NULL,
    cause text NOT NULL,
    condition text NOT NULL,
    actions jsonb NOT NULL,
    severity text NOT NULL,
    evidence text,
    status text NOT NULL,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone,
    author_id uuid,
    approved_by uuid,
    approved_at timestamp with time zone,
    template_key text,
    template_hash text,
    CONSTRAINT rule_actions_listed CHECK (((jsonb_typeof(actions) = 'array'::text) AND ((jsonb_array_length(actions) >= 1) AND (jsonb_array_length(actions) <= 8)))),
    CONSTRAINT rule_active_is_approved CHECK (((status <> 'ACTIVE'::text) OR (approved_by IS NOT NULL) OR (template_key IS NOT NULL))),
    CONSTRAINT rule_approved_by_another CHECK ((approved_by <> author_id)),
    CONSTRAINT rule_cause_known CHECK ((cause = ANY (ARRAY['VITALS_RECORDED'::text, 'ENCOUNTER_CLOSING'::text]))),
    CONSTRAINT rule_code_shape CHECK ((code ~ '^[a-z][a-z0-9-]{1,59}$'::text)),
    CONSTRAINT rule_condition_bounded CHECK (((length(condition) >= 1) AND (length(condition) <= 1000))),
    CONSTRAINT rule_edition_positive CHECK ((edition > 0)),
    CONSTRAINT rule_order CHECK ((ends_at > starts_at)),
    CONSTRAINT rule_severity_known CHECK ((severity = ANY (ARRAY['INFO'::text, 'WARNING'::text, 'CRITICAL'::text, 'CONTRAINDICATED'::text]))),
    CONSTRAINT rule_status_known CHECK ((status = ANY (ARRAY['DRAFT'::text, 'TESTED'::text, 'ACTIVE'::text, 'RETIRED'::text]))),
    CONSTRAINT rule_edition_unique UNIQUE (code, edition),
    CONSTRAINT rule_pkey PRIMARY KEY (id),
    CONSTRAINT rule_approved_by_fk FOREIGN KEY (approved_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT rule_author_fk FOREIGN KEY (author_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.rule_test_case (
    rule_id uuid NOT NULL,
    name text NOT NULL,
    facts jsonb NOT NULL,
    fires boolean NOT NULL,
    CONSTRAINT rule_test_case_facts_named CHECK ((jsonb_typeof(facts) = 'object'::text)),
    CONSTRAINT rule_test_case_pkey PRIMARY KEY (rule_id, name),
    CONSTRAINT rule_test_case_rule_fk FOREIGN KEY (rule_id) REFERENCES {schema}.rule(id)
);
--
CREATE TABLE {schema}.session (
    id uuid NOT NULL,
    token_hash bytea,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    methods text[] DEFAULT '{}'::text[] NOT NULL,
    second_factor_at timestamp with time zone,
    source_address text,
    user_agent text,
    identity_provider_id uuid,
    CONSTRAINT session_cookie_has_token CHECK (((kind <> 'COOKIE'::text) OR (token_hash IS NOT NULL))),
    CONSTRAINT session_kind_known CHECK ((kind = ANY (ARRAY['BEARER'::text, 'COOKIE'::text]))),
    CONSTRAINT session_pkey PRIMARY KEY (id),
    CONSTRAINT session_token_unique UNIQUE (token_hash),
    CONSTRAINT session_provider_fk FOREIGN KEY (identity_provider_id) REFERENCES {schema}.identity_provider(id) ON DELETE SET NULL,
    CONSTRAINT session_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.refresh_token (
    id uuid NOT NULL,
    session_id uuid NOT NULL,
    generation integer NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    spent_at timestamp with time zone,
    attempt_hash bytea,
    CONSTRAINT refresh_token_attempt_spent CHECK (((attempt_hash IS NULL) OR (spent_at IS NOT NULL))),
    CONSTRAINT refresh_token_generation_positive CHECK ((generation > 0)),
    CONSTRAINT refresh_token_generation_unique UNIQUE (session_id, generation),
    CONSTRAINT refresh_token_pkey PRIMARY KEY (id),
    CONSTRAINT refresh_token_unique UNIQUE (token_hash),
    CONSTRAINT refresh_token_session_fk FOREIGN KEY (session_id) REFERENCES {schema}.session(id)
);
CREATE TABLE {schema}.totp (
    user_id uuid NOT NULL,
    secret bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    confirmed_at timestamp with time zone,
    last_step bigint DEFAULT 0 NOT NULL,
    CONSTRAINT totp_pkey PRIMARY KEY (user_id),
    CONSTRAINT totp_user_fk FOREIGN KEY (user_id) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.visit_policy (
    class text NOT NULL,
    needs_vitals boolean NOT NULL,
    reopen_days integer NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    needs_signed_note boolean DEFAULT false NOT NULL,
    CONSTRAINT visit_policy_class_known CHECK ((class = ANY (ARRAY['AMBULATORY'::text, 'INPATIENT'::text, 'EMERGENCY'::text, 'HOME'::text, 'VIRTUAL'::text, 'OTHER'::text]))),
    CONSTRAINT visit_policy_reopen_sensible CHECK (((reopen_days >= 0) AND (reopen_days <= 365))),
    CONSTRAINT visit_policy_pkey PRIMARY KEY (class)
);
CREATE TABLE {schema}.visit_type (
    id uuid NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    modality text NOT NULL,
    duration_minutes integer NOT NULL,
    buffer_before_minutes integer DEFAULT 0 NOT NULL,
    buffer_after_minutes integer DEFAULT 0 NOT NULL,
    retired boolean DEFAULT false NOT NULL,
    template_key text,
    template_hash text,
    customised boolean DEFAULT false NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    lead_minutes integer DEFAULT 0 NOT NULL,
    cutoff_minutes integer DEFAULT 0 NOT NULL,
    needs_room boolean DEFAULT false NOT NULL,
    device_kinds text[] DEFAULT '{}'::text[] NOT NULL,
    reminder_minutes integer[] DEFAULT '{1440}'::integer[] NOT NULL,
    CONSTRAINT visit_type_buffer_after_sensible CHECK (((buffer_after_minutes >= 0) AND (buffer_after_minutes <= 240))),
    CONSTRAINT visit_type_buffer_before_sensible CHECK (((buffer_before_minutes >= 0) AND (buffer_before_minutes <= 240))),
    CONSTRAINT visit_type_cutoff_sensible CHECK (((cutoff_minutes >= 0) AND (cutoff_minutes <= 129600))),
    CONSTRAINT visit_type_device_kinds_few CHECK ((cardinality(device_kinds) <= 5)),
    CONSTRAINT visit_type_duration_sensible CHECK (((duration_minutes >= 1) AND (duration_minutes <= 1440))),
    CONSTRAINT visit_type_lead_sensible CHECK (((lead_minutes >= 0) AND (lead_minutes <= 129600))),
    CONSTRAINT visit_type_modality_known CHECK ((modality = ANY (ARRAY['IN_PERSON'::text, 'VIDEO'::text, 'PHONE'::text]))),
    CONSTRAINT visit_type_reminders_few CHECK (((cardinality(reminder_minutes) <= 5) AND (0 < ALL (reminder_minutes)))),
    CONSTRAINT visit_type_key_unique UNIQUE (key),
    CONSTRAINT visit_type_pkey PRIMARY KEY (id)
);
CREATE TABLE {schema}.workflow_definition (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    code text NOT NULL,
    edition integer NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    defined_by uuid,
    CONSTRAINT workflow_definition_code_shape CHECK ((code ~ '^[a-z][a-z0-9_]{0,39}$'::text)),
    CONSTRAINT workflow_definition_edition_positive CHECK ((edition > 0)),
    CONSTRAINT workflow_definition_status_known CHECK ((status = ANY (ARRAY['DRAFT'::text, 'ACTIVE'::text, 'RETIRED'::text]))),
    CONSTRAINT workflow_definition_edition_unique UNIQUE (code, edition),
    CONSTRAINT workflow_definition_pkey PRIMARY KEY (id),
    CONSTRAINT workflow_definition_defined_by_fk FOREIGN KEY (defined_by) REFERENCES {schema}.user_account(id)
);
--
CREATE TABLE {schema}.workflow_step (
    definition_id uuid NOT NULL,
    key text NOT NULL,
    "position" integer NOT NULL,
    task_code text NOT NULL,
    role_code text NOT NULL,
    priority text NOT NULL,
    due_minutes integer,
    guard text,
    follows text[] NOT NULL,
    CONSTRAINT workflow_step_due_positive CHECK ((due_minutes > 0)),
    CONSTRAINT workflow_step_key_shape CHECK ((key ~ '^[a-z][a-z0-9_]{0,39}$'::text)),
    CONSTRAINT workflow_step_priority_known CHECK ((priority = ANY (ARRAY['ROUTINE'::text, 'URGENT'::text, 'ASAP'::text, 'STAT'::text]))),
    CONSTRAINT workflow_step_task_code_shape CHECK ((task_code ~ '^[A-Z][A-Z0-9_]{1,39}$'::text)),
    CONSTRAINT workflow_step_pkey PRIMARY KEY (definition_id, key),
    CONSTRAINT workflow_step_definition_fk FOREIGN KEY (definition_id) REFERENCES {schema}.workflow_definition(id),
    CONSTRAINT workflow_step_role_fk FOREIGN KEY (role_code) REFERENCES {schema}.role(code)
);
CREATE TABLE {schema}.allergy (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid,
    recorder_id uuid,
    recorded_by uuid,
    recorded_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    clinical bytea NOT NULL,
    code_tokens bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    none_known boolean DEFAULT false NOT NULL,
    CONSTRAINT allergy_status_known CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'INACTIVE'::text, 'RESOLVED'::text, 'REFUTED'::text, 'ENTERED_IN_ERROR'::text]))),
    CONSTRAINT allergy_none_known_excludes EXCLUDE USING gist (patient_id WITH =, ((none_known)::integer) WITH <>) WHERE ((status = 'ACTIVE'::text)),
    CONSTRAINT allergy_pkey PRIMARY KEY (id),
    CONSTRAINT allergy_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT allergy_recorded_by_fk FOREIGN KEY (recorded_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT allergy_recorder_fk FOREIGN KEY (recorder_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.appointment (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    room_id uuid,
    visit_type_id uuid,
    modality text NOT NULL,
    status text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    time_zone text NOT NULL,
    note bytea,
    cancel_code text,
    booked_by uuid,
    hold_expires_at timestamp with time zone,
    series_id uuid,
    waitlist_entry_id uuid,
    overbooked boolean DEFAULT false NOT NULL,
    cancelled_late boolean DEFAULT false NOT NULL,
    month date GENERATED ALWAYS AS ({schema}.month_of(starts_at, time_zone)) STORED NOT NULL,
    CONSTRAINT appointment_modality_known CHECK ((modality = ANY (ARRAY['IN_PERSON'::text, 'VIDEO'::text, 'PHONE'::text]))),
    CONSTRAINT appointment_order CHECK ((ends_at > starts_at)),
    CONSTRAINT appointment_pending_expires CHECK (((status <> 'PENDING'::text) OR (hold_expires_at IS NOT NULL))),
    CONSTRAINT appointment_status_known CHECK ((status = ANY (ARRAY['PENDING'::text, 'BOOKED'::text, 'CONFIRMED'::text, 'ARRIVED'::text, 'CHECKED_IN'::text, 'IN_ROOM'::text, 'IN_PROGRESS'::text, 'COMPLETED'::text, 'CANCELLED'::text, 'NO_SHOW'::text, 'EXPIRED'::text, 'ENTERED_IN_ERROR'::text]))),
    CONSTRAINT appointment_patient_unique UNIQUE (id, patient_id),
    CONSTRAINT appointment_pkey PRIMARY KEY (id),
    CONSTRAINT appointment_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id),
    CONSTRAINT appointment_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT appointment_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id),
    CONSTRAINT appointment_room_fk FOREIGN KEY (room_id) REFERENCES {schema}.room(id),
    CONSTRAINT appointment_series_fk FOREIGN KEY (series_id) REFERENCES {schema}.appointment_series(id),
    CONSTRAINT appointment_visit_type_fk FOREIGN KEY (visit_type_id) REFERENCES {schema}.visit_type(id)
);
CREATE TABLE {schema}.appointment_resource (
    appointment_id uuid NOT NULL,
    resource_id uuid NOT NULL,
    kind text NOT NULL,
    busy_from timestamp with time zone NOT NULL,
    busy_until timestamp with time zone NOT NULL,
    blocking boolean DEFAULT true NOT NULL,
    lane integer DEFAULT 0 NOT NULL,
    CONSTRAINT appointment_resource_kind_known CHECK ((kind = ANY (ARRAY['PRACTITIONER'::text, 'ROOM'::text, 'DEVICE'::text]))),
    CONSTRAINT appointment_resource_order CHECK ((busy_until > busy_from)),
    CONSTRAINT appointment_no_overlap EXCLUDE USING gist (resource_id WITH =, tstzrange(busy_from, busy_until, '[)'::text) WITH &&, lane WITH =) WHERE (blocking),
    CONSTRAINT appointment_resource_pkey PRIMARY KEY (appointment_id, resource_id),
    CONSTRAINT appointment_resource_appointment_fk FOREIGN KEY (appointment_id) REFERENCES {schema}.appointment(id)
);
CREATE TABLE {schema}.encounter (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    practitioner_id uuid,
    facility_id uuid,
    organization_id uuid,
    appointment_id uuid,
    class text NOT NULL,
    status text NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    clinical bytea,
    code_tokens bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    planned_for timestamp with time zone,
    closed_at timestamp with time zone,
    CONSTRAINT encounter_class_known CHECK ((class = ANY (ARRAY['AMBULATORY'::text, 'INPATIENT'::text, 'EMERGENCY'::text, 'HOME'::text, 'VIRTUAL'::text, 'OTHER'::text]))),
    CONSTRAINT encounter_order CHECK ((ended_at >= started_at)),
    CONSTRAINT encounter_status_known CHECK ((status = ANY (ARRAY['PLANNED'::text, 'ARRIVED'::text, 'TRIAGED'::text, 'IN_PROGRESS'::text, 'ON_HOLD'::text, 'CLOSED'::text, 'CANCELLED'::text]))),
    CONSTRAINT encounter_patient_unique UNIQUE (id, patient_id),
    CONSTRAINT encounter_pkey PRIMARY KEY (id),
    CONSTRAINT encounter_appointment_fk FOREIGN KEY (appointment_id, patient_id) REFERENCES {schema}.appointment(id, patient_id),
    CONSTRAINT encounter_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id),
    CONSTRAINT encounter_organization_fk FOREIGN KEY (organization_id) REFERENCES {schema}.organization(id),
    CONSTRAINT encounter_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT encounter_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.clinical_document (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid,
    type_code text NOT NULL,
    template_id uuid,
    template_version integer,
    status text NOT NULL,
    author_id uuid,
    practitioner_id uuid,
    addendum_to uuid,
    draft bytea,
    lease_holder uuid,
    lease_until timestamp with time zone,
    CONSTRAINT clinical_document_draft_until_signed CHECK (((draft IS NOT NULL) = (status = ANY (ARRAY['DRAFT'::text, 'DISCARDED'::text])))),
    CONSTRAINT clinical_document_lease_while_draft CHECK (((lease_holder IS NULL) OR (status = 'DRAFT'::text))),
    CONSTRAINT clinical_document_lease_whole CHECK (((lease_holder IS NULL) = (lease_until IS NULL))),
    CONSTRAINT clinical_document_not_its_own_addendum CHECK ((addendum_to <> id)),
    CONSTRAINT clinical_document_status_known CHECK ((status = ANY (ARRAY['DRAFT'::text, 'IN_REVIEW'::text, 'SIGNED'::text, 'AMENDED'::text, 'RECEIVED'::text, 'ENTERED_IN_ERROR'::text, 'DISCARDED'::text]))),
    CONSTRAINT clinical_document_type_loinc CHECK ((type_code ~ '^[0-9]{1,7}-[0-9]$'::text)),
    CONSTRAINT clinical_document_patient_unique UNIQUE (id, patient_id),
    CONSTRAINT clinical_document_pkey PRIMARY KEY (id),
    CONSTRAINT clinical_document_addendum_fk FOREIGN KEY (addendum_to, patient_id) REFERENCES {schema}.clinical_document(id, patient_id),
    CONSTRAINT clinical_document_author_fk FOREIGN KEY (author_id) REFERENCES {schema}.user_account(id),
    CONSTRAINT clinical_document_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT clinical_document_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT clinical_document_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id),
    CONSTRAINT clinical_document_template_fk FOREIGN KEY (template_id, template_version) REFERENCES {schema}.note_template_version(template_id, version)
);
--
CREATE TABLE {schema}.condition (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid,
    recorder_id uuid,
    category text NOT NULL,
    clinical_status text,
    verification_status text NOT NULL,
    recorded_at timestamp with time zone,
    abated_at timestamp with time zone,
    clinical bytea NOT NULL,
    code_tokens bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    CONSTRAINT condition_category_known CHECK ((category = ANY (ARRAY['PROBLEM_LIST_ITEM'::text, 'ENCOUNTER_DIAGNOSIS'::text, 'HEALTH_CONCERN'::text]))),
    CONSTRAINT condition_clinical_status_known CHECK ((clinical_status = ANY (ARRAY['ACTIVE'::text, 'RECURRENCE'::text, 'RELAPSE'::text, 'INACTIVE'::text, 'REMISSION'::text, 'RESOLVED'::text]))),
    CONSTRAINT condition_verification_status_known CHECK ((verification_status = ANY (ARRAY['UNCONFIRMED'::text, 'PROVISIONAL'::text, 'DIFFERENTIAL'::text, 'CONFIRMED'::text, 'REFUTED'::text, 'ENTERED_IN_ERROR'::text]))),
    CONSTRAINT condition_patient_unique UNIQUE (id, patient_id),
    CONSTRAINT condition_pkey PRIMARY KEY (id),
    CONSTRAINT condition_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT condition_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT condition_recorder_fk FOREIGN KEY (recorder_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.document_version (
    document_id uuid NOT NULL,
    version integer NOT NULL,
    id uuid NOT NULL,
    supersedes integer,
    head boolean DEFAULT true NOT NULL,
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    author_id uuid,
    authored_at timestamp with time zone NOT NULL,
    body bytea NOT NULL,
    sha256 bytea NOT NULL,
    CONSTRAINT document_version_first_has_none_before CHECK (((version = 1) = (supersedes IS NULL))),
    CONSTRAINT document_version_kind_known CHECK ((kind = ANY (ARRAY['ORIGINAL'::text, 'AMENDMENT'::text, 'RETRACTION'::text, 'RECEIVED'::text]))),
    CONSTRAINT document_version_positive CHECK ((version > 0)),
    CONSTRAINT document_version_sha256_whole CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT document_version_supersedes_the_one_before CHECK ((supersedes = (version - 1))),
    CONSTRAINT document_version_id_unique UNIQUE (id),
    CONSTRAINT document_version_pkey PRIMARY KEY (document_id, version),
    CONSTRAINT document_version_signed_unique UNIQUE (document_id, version, sha256),
    CONSTRAINT document_version_author_fk FOREIGN KEY (author_id) REFERENCES {schema}.user_account(id),
    CONSTRAINT document_version_before_fk FOREIGN KEY (document_id, supersedes) REFERENCES {schema}.document_version(document_id, version),
    CONSTRAINT document_version_document_fk FOREIGN KEY (document_id, patient_id) REFERENCES {schema}.clinical_document(id, patient_id)
);
CREATE TABLE {schema}.document_signature (
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    version integer NOT NULL,
    sha256 bytea NOT NULL,
    signer_id uuid NOT NULL,
    practitioner_id uuid,
    meaning text NOT NULL,
    second_factor boolean NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    CONSTRAINT document_signature_meaning_known CHECK ((meaning = ANY (ARRAY['AUTHOR'::text, 'COSIGN'::text]))),
    CONSTRAINT document_signature_once UNIQUE (document_id, version, signer_id),
    CONSTRAINT document_signature_pkey PRIMARY KEY (id),
    CONSTRAINT document_signature_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id),
    CONSTRAINT document_signature_signer_fk FOREIGN KEY (signer_id) REFERENCES {schema}.user_account(id),
    CONSTRAINT document_signature_version_fk FOREIGN KEY (document_id, version, sha256) REFERENCES {schema}.document_version(document_id, version, sha256)
);
CREATE TABLE {schema}.encounter_closing (
    encounter_id uuid NOT NULL,
    encounter_version integer NOT NULL,
    closed_at timestamp with time zone NOT NULL,
    closed_by uuid,
    missing text[] NOT NULL,
    CONSTRAINT encounter_closing_pkey PRIMARY KEY (encounter_id, encounter_version),
    CONSTRAINT encounter_closing_encounter_fk FOREIGN KEY (encounter_id) REFERENCES {schema}.encounter(id)
);
CREATE TABLE {schema}.encounter_diagnosis (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    encounter_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    condition_id uuid NOT NULL,
    status text NOT NULL,
    rank integer NOT NULL,
    use text NOT NULL,
    code_token bytea NOT NULL,
    CONSTRAINT encounter_diagnosis_rank_sensible CHECK (((rank >= 1) AND (rank <= 50))),
    CONSTRAINT encounter_diagnosis_status_known CHECK ((status = ANY (ARRAY['RECORDED'::text, 'WITHDRAWN'::text]))),
    CONSTRAINT encounter_diagnosis_use_known CHECK ((use = ANY (ARRAY['AD'::text, 'DD'::text, 'CC'::text, 'CM'::text, 'PRE_OP'::text, 'POST_OP'::text, 'BILLING'::text]))),
    CONSTRAINT encounter_diagnosis_pkey PRIMARY KEY (id),
    CONSTRAINT encounter_diagnosis_condition_fk FOREIGN KEY (condition_id, patient_id) REFERENCES {schema}.condition(id, patient_id),
    CONSTRAINT encounter_diagnosis_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id)
);
CREATE TABLE {schema}.encounter_note (
    id uuid NOT NULL,
    encounter_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    recorded_by uuid,
    body bytea NOT NULL,
    document_id uuid,
    document_version integer,
    CONSTRAINT encounter_note_document_whole CHECK (((document_id IS NULL) = (document_version IS NULL))),
    CONSTRAINT encounter_note_kind_known CHECK ((kind = ANY (ARRAY['ASSESSMENT'::text, 'PLAN'::text, 'HOLD'::text, 'CANCELLATION'::text, 'REOPENING'::text, 'OVERRIDE'::text]))),
    CONSTRAINT encounter_note_version_positive CHECK ((version > 0)),
    CONSTRAINT encounter_note_pkey PRIMARY KEY (id),
    CONSTRAINT encounter_note_version_unique UNIQUE (encounter_id, kind, version),
    CONSTRAINT encounter_note_document_fk FOREIGN KEY (document_id, patient_id) REFERENCES {schema}.clinical_document(id, patient_id),
    CONSTRAINT encounter_note_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT encounter_note_version_fk FOREIGN KEY (document_id, document_version) REFERENCES {schema}.document_version(document_id, version)
);
--
CREATE TABLE {schema}.encounter_participant (
    encounter_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    role text NOT NULL,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone,
    CONSTRAINT encounter_participant_order CHECK ((ends_at >= starts_at)),
    CONSTRAINT encounter_participant_pkey PRIMARY KEY (encounter_id, practitioner_id, role),
    CONSTRAINT encounter_participant_encounter_fk FOREIGN KEY (encounter_id) REFERENCES {schema}.encounter(id),
    CONSTRAINT encounter_participant_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.event (
    id uuid NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_id uuid,
    patient_id uuid,
    encounter_id uuid,
    encounter_seq integer,
    subject_id uuid NOT NULL,
    body jsonb NOT NULL,
    "position" bigint,
    CONSTRAINT event_encounter_seq_positive CHECK ((encounter_seq > 0)),
    CONSTRAINT event_encounter_whole CHECK (((encounter_id IS NULL) OR ((patient_id IS NOT NULL) AND (encounter_seq IS NOT NULL)))),
    CONSTRAINT event_kind_shape CHECK ((kind ~ '^[A-Z][A-Z_]{2,59}$'::text)),
    CONSTRAINT event_encounter_seq_unique UNIQUE (encounter_id, encounter_seq),
    CONSTRAINT event_pkey PRIMARY KEY (id),
    CONSTRAINT event_position_unique UNIQUE ("position"),
    CONSTRAINT event_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT event_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id)
);
CREATE TABLE {schema}.family_history (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid,
    recorder_id uuid,
    recorded_by uuid,
    recorded_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    clinical bytea NOT NULL,
    code_tokens bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    CONSTRAINT family_history_status_known CHECK ((status = ANY (ARRAY['CURRENT'::text, 'ENTERED_IN_ERROR'::text]))),
    CONSTRAINT family_history_pkey PRIMARY KEY (id),
    CONSTRAINT family_history_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT family_history_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT family_history_recorded_by_fk FOREIGN KEY (recorded_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT family_history_recorder_fk FOREIGN KEY (recorder_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.immunization (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid,
    recorder_id uuid,
    recorded_by uuid,
    recorded_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    clinical bytea NOT NULL,
    code_tokens bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    CONSTRAINT immunization_status_known CHECK ((status = ANY (ARRAY['COMPLETED'::text, 'NOT_DONE'::text, 'ENTERED_IN_ERROR'::text]))),
    CONSTRAINT immunization_pkey PRIMARY KEY (id),
    CONSTRAINT immunization_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT immunization_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT immunization_recorded_by_fk FOREIGN KEY (recorded_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT immunization_recorder_fk FOREIGN KEY (recorder_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.job (
    id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    name text NOT NULL,
    event_id uuid,
    payload jsonb,
    dedupe_key text,
    status text NOT NULL,
    run_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    finished_at timestamp with time zone,
    last_error text,
    CONSTRAINT job_attempts_not_negative CHECK ((attempts >= 0)),
    CONSTRAINT job_finished_has_time CHECK (((status = ANY (ARRAY['QUEUED'::text, 'RUNNING'::text])) = (finished_at IS NULL))),
    CONSTRAINT job_name_shape CHECK ((name ~ '^[A-Z][A-Z_]{2,59}$'::text)),
    CONSTRAINT job_reaction_or_work CHECK (((event_id IS NULL) = (dedupe_key IS NOT NULL))),
    CONSTRAINT job_status_known CHECK ((status = ANY (ARRAY['QUEUED'::text, 'RUNNING'::text, 'DONE'::text, 'DEAD'::text, 'DISCARDED'::text]))),
    CONSTRAINT job_once_for_a_key UNIQUE (name, dedupe_key),
    CONSTRAINT job_once_for_an_event UNIQUE (event_id, name),
    CONSTRAINT job_pkey PRIMARY KEY (id),
    CONSTRAINT job_event_fk FOREIGN KEY (event_id) REFERENCES {schema}.event(id)
);
CREATE TABLE {schema}.medication_statement (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid,
    recorder_id uuid,
    recorded_by uuid,
    recorded_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    clinical bytea NOT NULL,
    code_tokens bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    CONSTRAINT medication_statement_status_known CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'ON_HOLD'::text, 'COMPLETED'::text, 'STOPPED'::text, 'NOT_TAKEN'::text, 'UNKNOWN'::text, 'ENTERED_IN_ERROR'::text]))),
    CONSTRAINT medication_statement_pkey PRIMARY KEY (id),
    CONSTRAINT medication_statement_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT medication_statement_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT medication_statement_recorded_by_fk FOREIGN KEY (recorded_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT medication_statement_recorder_fk FOREIGN KEY (recorder_id) REFERENCES {schema}.practitioner(id)
);
--
CREATE TABLE {schema}.observation (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid,
    performer_id uuid,
    category text NOT NULL,
    status text NOT NULL,
    effective_at timestamp with time zone,
    issued_at timestamp with time zone,
    result bytea NOT NULL,
    code_tokens bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    taken_together uuid,
    CONSTRAINT observation_category_known CHECK ((category = ANY (ARRAY['VITAL_SIGNS'::text, 'LABORATORY'::text, 'SURVEY'::text, 'SOCIAL_HISTORY'::text, 'EXAM'::text, 'IMAGING'::text, 'PROCEDURE'::text, 'THERAPY'::text, 'ACTIVITY'::text, 'OTHER'::text]))),
    CONSTRAINT observation_status_known CHECK ((status = ANY (ARRAY['REGISTERED'::text, 'PRELIMINARY'::text, 'FINAL'::text, 'AMENDED'::text, 'CORRECTED'::text, 'CANCELLED'::text, 'ENTERED_IN_ERROR'::text, 'UNKNOWN'::text]))),
    CONSTRAINT observation_pkey PRIMARY KEY (id),
    CONSTRAINT observation_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT observation_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT observation_performer_fk FOREIGN KEY (performer_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.procedure (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid,
    recorder_id uuid,
    recorded_by uuid,
    recorded_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    clinical bytea NOT NULL,
    code_tokens bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    CONSTRAINT procedure_status_known CHECK ((status = ANY (ARRAY['IN_PROGRESS'::text, 'COMPLETED'::text, 'STOPPED'::text, 'NOT_DONE'::text, 'UNKNOWN'::text, 'ENTERED_IN_ERROR'::text]))),
    CONSTRAINT procedure_pkey PRIMARY KEY (id),
    CONSTRAINT procedure_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT procedure_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT procedure_recorded_by_fk FOREIGN KEY (recorded_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT procedure_recorder_fk FOREIGN KEY (recorder_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.rule_evaluation (
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    rule_id uuid NOT NULL,
    cause_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid NOT NULL,
    result text NOT NULL,
    reason text,
    inputs_hash bytea NOT NULL,
    explanation bytea NOT NULL,
    practitioner_id uuid,
    measured uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    CONSTRAINT rule_evaluation_reason_known CHECK ((reason = ANY (ARRAY['MISSING_FACTS'::text, 'ERROR'::text, 'BUDGET'::text]))),
    CONSTRAINT rule_evaluation_result_known CHECK ((result = ANY (ARRAY['FIRED'::text, 'NOT_FIRED'::text, 'NOT_CHECKED'::text]))),
    CONSTRAINT rule_evaluation_unchecked_has_reason CHECK (((result = 'NOT_CHECKED'::text) = (reason IS NOT NULL))),
    CONSTRAINT rule_evaluation_once UNIQUE (rule_id, cause_id),
    CONSTRAINT rule_evaluation_patient_unique UNIQUE (id, patient_id),
    CONSTRAINT rule_evaluation_pkey PRIMARY KEY (id),
    CONSTRAINT rule_evaluation_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT rule_evaluation_rule_fk FOREIGN KEY (rule_id) REFERENCES {schema}.rule(id)
);
CREATE TABLE {schema}.alert (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid,
    rule_id uuid NOT NULL,
    evaluation_id uuid NOT NULL,
    severity text NOT NULL,
    status text NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    acknowledged_at timestamp with time zone,
    acknowledged_by uuid,
    closed_at timestamp with time zone,
    closed_by uuid,
    override_reason text,
    words bytea,
    practitioner_id uuid,
    CONSTRAINT alert_acknowledged_whole CHECK ((((acknowledged_at IS NULL) = (acknowledged_by IS NULL)) AND ((status <> ALL (ARRAY['ACKNOWLEDGED'::text, 'RESOLVED'::text])) OR (acknowledged_at IS NOT NULL)))),
    CONSTRAINT alert_closed_whole CHECK ((((status = ANY (ARRAY['RESOLVED'::text, 'OVERRIDDEN'::text, 'EXPIRED'::text])) = (closed_at IS NOT NULL)) AND ((status <> ALL (ARRAY['RESOLVED'::text, 'OVERRIDDEN'::text])) OR (closed_by IS NOT NULL)))),
    CONSTRAINT alert_overridden_has_reason CHECK (((status = 'OVERRIDDEN'::text) = (override_reason IS NOT NULL))),
    CONSTRAINT alert_override_reason_known CHECK ((override_reason = ANY (ARRAY['BENEFIT_OUTWEIGHS_RISK'::text, 'ALREADY_ADDRESSED'::text, 'NOT_APPLICABLE'::text, 'PATIENT_PREFERENCE'::text, 'INACCURATE_DATA'::text, 'OTHER'::text]))),
    CONSTRAINT alert_severity_known CHECK ((severity = ANY (ARRAY['INFO'::text, 'WARNING'::text, 'CRITICAL'::text, 'CONTRAINDICATED'::text]))),
    CONSTRAINT alert_status_known CHECK ((status = ANY (ARRAY['OPEN'::text, 'ACKNOWLEDGED'::text, 'RESOLVED'::text, 'OVERRIDDEN'::text, 'EXPIRED'::text]))),
    CONSTRAINT alert_once UNIQUE (evaluation_id),
    CONSTRAINT alert_pkey PRIMARY KEY (id),
    CONSTRAINT alert_acknowledged_by_fk FOREIGN KEY (acknowledged_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT alert_closed_by_fk FOREIGN KEY (closed_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT alert_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT alert_evaluation_fk FOREIGN KEY (evaluation_id, patient_id) REFERENCES {schema}.rule_evaluation(id, patient_id),
    CONSTRAINT alert_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT alert_rule_fk FOREIGN KEY (rule_id) REFERENCES {schema}.rule(id)
);
CREATE TABLE {schema}.social_history (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    encounter_id uuid,
    recorder_id uuid,
    recorded_by uuid,
    recorded_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    clinical bytea NOT NULL,
    code_tokens bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    CONSTRAINT social_history_status_known CHECK ((status = ANY (ARRAY['CURRENT'::text, 'SUPERSEDED'::text, 'ENTERED_IN_ERROR'::text]))),
    CONSTRAINT social_history_pkey PRIMARY KEY (id),
    CONSTRAINT social_history_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT social_history_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT social_history_recorded_by_fk FOREIGN KEY (recorded_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT social_history_recorder_fk FOREIGN KEY (recorder_id) REFERENCES {schema}.practitioner(id)
);
CREATE TABLE {schema}.waitlist_entry (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid NOT NULL,
    practitioner_id uuid,
    facility_id uuid,
    visit_type_id uuid,
    modality text NOT NULL,
    duration_minutes integer NOT NULL,
    earliest timestamp with time zone NOT NULL,
    latest timestamp with time zone NOT NULL,
    priority text NOT NULL,
    status text NOT NULL,
    appointment_id uuid,
    added_by uuid,
    CONSTRAINT waitlist_entry_duration_sensible CHECK (((duration_minutes >= 5) AND (duration_minutes <= 480))),
    CONSTRAINT waitlist_entry_modality_known CHECK ((modality = ANY (ARRAY['IN_PERSON'::text, 'VIDEO'::text, 'PHONE'::text]))),
    CONSTRAINT waitlist_entry_offer CHECK (((status = ANY (ARRAY['OFFERED'::text, 'BOOKED'::text])) = (appointment_id IS NOT NULL))),
    CONSTRAINT waitlist_entry_priority_known CHECK ((priority = ANY (ARRAY['URGENT'::text, 'SOON'::text, 'ROUTINE'::text]))),
    CONSTRAINT waitlist_entry_status_known CHECK ((status = ANY (ARRAY['WAITING'::text, 'OFFERED'::text, 'BOOKED'::text, 'REMOVED'::text]))),
    CONSTRAINT waitlist_entry_window CHECK ((latest > earliest)),
    CONSTRAINT waitlist_entry_pkey PRIMARY KEY (id),
    CONSTRAINT waitlist_entry_appointment_fk FOREIGN KEY (appointment_id) REFERENCES {schema}.appointment(id),
    CONSTRAINT waitlist_entry_facility_fk FOREIGN KEY (facility_id) REFERENCES {schema}.facility(id),
    CONSTRAINT waitlist_entry_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT waitlist_entry_practitioner_fk FOREIGN KEY (practitioner_id) REFERENCES {schema}.practitioner(id),
    CONSTRAINT waitlist_entry_visit_type_fk FOREIGN KEY (visit_type_id) REFERENCES {schema}.visit_type(id)
);
--
CREATE TABLE {schema}.workflow_instance (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    definition_id uuid NOT NULL,
    patient_id uuid,
    encounter_id uuid,
    status text NOT NULL,
    started_by uuid,
    ended_at timestamp with time zone,
    CONSTRAINT workflow_instance_encounter_has_patient CHECK (((encounter_id IS NULL) OR (patient_id IS NOT NULL))),
    CONSTRAINT workflow_instance_ended CHECK (((status = 'RUNNING'::text) = (ended_at IS NULL))),
    CONSTRAINT workflow_instance_status_known CHECK ((status = ANY (ARRAY['RUNNING'::text, 'COMPLETED'::text, 'FAILED'::text, 'CANCELLED'::text]))),
    CONSTRAINT workflow_instance_pkey PRIMARY KEY (id),
    CONSTRAINT workflow_instance_definition_fk FOREIGN KEY (definition_id) REFERENCES {schema}.workflow_definition(id),
    CONSTRAINT workflow_instance_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT workflow_instance_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT workflow_instance_started_by_fk FOREIGN KEY (started_by) REFERENCES {schema}.user_account(id)
);
CREATE TABLE {schema}.task (
    id uuid NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    patient_id uuid,
    encounter_id uuid,
    focus_kind text,
    focus_id uuid,
    code text NOT NULL,
    priority text NOT NULL,
    status text NOT NULL,
    owner_id uuid,
    role_code text,
    requested_by uuid,
    due_at timestamp with time zone,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    outcome text,
    words bytea,
    instance_id uuid,
    step text,
    focus_patient_id uuid GENERATED ALWAYS AS (
CASE focus_kind
    WHEN 'pat'::text THEN focus_id
    ELSE NULL::uuid
END) STORED,
    focus_appointment_id uuid GENERATED ALWAYS AS (
CASE focus_kind
    WHEN 'apt'::text THEN focus_id
    ELSE NULL::uuid
END) STORED,
    focus_encounter_id uuid GENERATED ALWAYS AS (
CASE focus_kind
    WHEN 'enc'::text THEN focus_id
    ELSE NULL::uuid
END) STORED,
    CONSTRAINT task_code_shape CHECK ((code ~ '^[A-Z][A-Z0-9_]{1,39}$'::text)),
    CONSTRAINT task_encounter_has_patient CHECK (((encounter_id IS NULL) OR (patient_id IS NOT NULL))),
    CONSTRAINT task_ended CHECK (((status = ANY (ARRAY['COMPLETED'::text, 'FAILED'::text, 'REJECTED'::text, 'CANCELLED'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT task_ended_with_outcome CHECK (((status = ANY (ARRAY['COMPLETED'::text, 'FAILED'::text])) = (outcome IS NOT NULL))),
    CONSTRAINT task_focus_has_patient CHECK (((focus_kind IS NULL) OR (patient_id IS NOT NULL))),
    CONSTRAINT task_focus_patient_agrees CHECK ((focus_patient_id = patient_id)),
    CONSTRAINT task_focus_whole CHECK (((focus_kind IS NULL) = (focus_id IS NULL))),
    CONSTRAINT task_outcome_known CHECK ((outcome = ANY (ARRAY['DONE'::text, 'PARTLY_DONE'::text, 'NOT_NEEDED'::text, 'NOT_POSSIBLE'::text]))),
    CONSTRAINT task_priority_known CHECK ((priority = ANY (ARRAY['ROUTINE'::text, 'URGENT'::text, 'ASAP'::text, 'STAT'::text]))),
    CONSTRAINT task_status_known CHECK ((status = ANY (ARRAY['REQUESTED'::text, 'ACCEPTED'::text, 'IN_PROGRESS'::text, 'ON_HOLD'::text, 'COMPLETED'::text, 'FAILED'::text, 'REJECTED'::text, 'CANCELLED'::text]))),
    CONSTRAINT task_step_whole CHECK (((instance_id IS NULL) = (step IS NULL))),
    CONSTRAINT task_taken_has_owner CHECK (((status <> ALL (ARRAY['ACCEPTED'::text, 'IN_PROGRESS'::text, 'ON_HOLD'::text, 'COMPLETED'::text, 'FAILED'::text])) OR (owner_id IS NOT NULL))),
    CONSTRAINT task_pkey PRIMARY KEY (id),
    CONSTRAINT task_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT task_focus_appointment_fk FOREIGN KEY (focus_appointment_id, patient_id) REFERENCES {schema}.appointment(id, patient_id),
    CONSTRAINT task_focus_encounter_fk FOREIGN KEY (focus_encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id),
    CONSTRAINT task_instance_fk FOREIGN KEY (instance_id) REFERENCES {schema}.workflow_instance(id),
    CONSTRAINT task_owner_fk FOREIGN KEY (owner_id) REFERENCES {schema}.user_account(id),
    CONSTRAINT task_patient_fk FOREIGN KEY (patient_id) REFERENCES {schema}.patient(id),
    CONSTRAINT task_requested_by_fk FOREIGN KEY (requested_by) REFERENCES {schema}.user_account(id),
    CONSTRAINT task_role_fk FOREIGN KEY (role_code) REFERENCES {schema}.role(code)
);
CREATE TABLE {schema}.task_escalation (
    task_id uuid NOT NULL,
    level smallint NOT NULL,
    at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    CONSTRAINT task_escalation_level_known CHECK (((level >= 1) AND (level <= 3))),
    CONSTRAINT task_escalation_pkey PRIMARY KEY (task_id, level),
    CONSTRAINT task_escalation_task_fk FOREIGN KEY (task_id) REFERENCES {schema}.task(id)
);
CREATE FUNCTION {schema}.access_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
BEGIN
    UPDATE access_mark SET mark = gen_random_uuid() WHERE xmin <> pg_current_xact_id()::xid;
    RETURN NULL;
END $$;
CREATE FUNCTION {schema}.allergy_as_of(whose uuid, moment timestamp with time zone) RETURNS SETOF {schema}.allergy
    LANGUAGE plpgsql STABLE
    SET search_path TO '{schema}'
    AS $$
            BEGIN
                RETURN QUERY SELECT t.* FROM allergy t
                    WHERE t.patient_id = whose AND t.updated_at <= moment AND NOT EXISTS (SELECT FROM chart_version v
                        WHERE v.kind = 'allergy' AND v.row_id = t.id AND v.known_until > moment);
                RETURN QUERY SELECT said.* FROM (SELECT DISTINCT ON (v.row_id) v.known_from, v.body, v.sealed FROM chart_version v
                        WHERE v.patient_id = whose AND v.kind = 'allergy' AND v.known_until > moment
                        ORDER BY v.row_id, v.known_until, v.version) AS known,
                    LATERAL jsonb_populate_record(NULL::allergy,
                        known.body || jsonb_build_object('clinical', known.sealed, 'code_tokens', '[]'::jsonb)) AS said
                    WHERE known.known_from <= moment;
            END $$;
CREATE FUNCTION {schema}.appointments_counted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM count_appointments(facility_id, month, status, count(*)) FROM added GROUP BY facility_id, month, status;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM count_appointments(facility_id, month, status, -count(*)) FROM removed GROUP BY facility_id, month, status;
    ELSE
        PERFORM count_appointments(facility_id, month, status, sum(change)) FROM (
            SELECT facility_id, month, status, 1 AS change FROM added
            UNION ALL SELECT facility_id, month, status, -1 FROM removed
        ) AS moved GROUP BY facility_id, month, status HAVING sum(change) <> 0;
    END IF;
    RETURN NULL;
END $$;
--
CREATE FUNCTION {schema}.audit_entry_is_sealed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
BEGIN
    DELETE FROM audit_pending p USING added a WHERE p.entry_id = a.entry_id;
    RETURN NULL;
END $$;
CREATE FUNCTION {schema}.audit_entry_waits() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
BEGIN
    INSERT INTO audit_pending (entry_id) SELECT id FROM added;
    RETURN NULL;
END $$;
CREATE FUNCTION {schema}.bump_version() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.created_at := OLD.created_at;
    NEW.updated_at := now();
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.change_storage(more bigint, new boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF more <> 0 THEN
        INSERT INTO storage_change (bytes, begun) VALUES (more, new);
    END IF;
    -- By what is known now, without waiting for anybody: before more is sent.
    IF new AND EXISTS (SELECT FROM quota WHERE name = 'STORAGE' AND most < used + greatest(1, (SELECT sum(bytes) FROM storage_change))) THEN
        PERFORM refuse_over_quota('STORAGE');
    END IF;
END $$;
CREATE FUNCTION {schema}.chart_is_whole(whose uuid, moment timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO '{schema}'
    AS $_$
DECLARE
    shelf text;
    lost boolean;
BEGIN
    FOREACH shelf IN ARRAY ARRAY['condition', 'allergy', 'medication_statement', 'immunization', 'procedure', 'family_history',
        'social_history', 'observation', 'encounter']
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$I t WHERE t.patient_id = $1 AND t.created_at <= $2
            AND NOT EXISTS (SELECT FROM %2$I($1, $2) k WHERE k.id = t.id))', shelf, shelf || '_as_of') INTO lost USING whose, moment;
        IF lost THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END $_$;
CREATE FUNCTION {schema}.condition_as_of(whose uuid, moment timestamp with time zone) RETURNS SETOF {schema}.condition
    LANGUAGE plpgsql STABLE
    SET search_path TO '{schema}'
    AS $$
            BEGIN
                RETURN QUERY SELECT t.* FROM condition t
                    WHERE t.patient_id = whose AND t.updated_at <= moment AND NOT EXISTS (SELECT FROM chart_version v
                        WHERE v.kind = 'condition' AND v.row_id = t.id AND v.known_until > moment);
                RETURN QUERY SELECT said.* FROM (SELECT DISTINCT ON (v.row_id) v.known_from, v.body, v.sealed FROM chart_version v
                        WHERE v.patient_id = whose AND v.kind = 'condition' AND v.known_until > moment
                        ORDER BY v.row_id, v.known_until, v.version) AS known,
                    LATERAL jsonb_populate_record(NULL::condition,
                        known.body || jsonb_build_object('clinical', known.sealed, 'code_tokens', '[]'::jsonb)) AS said
                    WHERE known.known_from <= moment;
            END $$;
--
CREATE FUNCTION {schema}.count_appointments(branch uuid, begun date, standing text, more bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF current_setting('transaction_isolation') = 'read committed' AND (SELECT count(*) FROM appointment_count
            WHERE facility_id = branch AND month = begun AND status = standing) >= 8 THEN
        WITH free AS MATERIALIZED (
            SELECT id FROM appointment_count WHERE facility_id = branch AND month = begun AND status = standing
                FOR UPDATE SKIP LOCKED
        ), folded AS (
            DELETE FROM appointment_count c USING free
                WHERE c.facility_id = branch AND c.month = begun AND c.status = standing AND c.id = free.id
                RETURNING c.change
        )
        SELECT more + coalesce(sum(change), 0) INTO more FROM folded;
    END IF;
    IF more <> 0 THEN
        INSERT INTO appointment_count (facility_id, month, status, change) VALUES (branch, begun, standing, more);
    END IF;
END $$;
CREATE FUNCTION {schema}.document_version_as_of(whose uuid, moment timestamp with time zone) RETURNS SETOF {schema}.document_version
    LANGUAGE plpgsql STABLE
    SET search_path TO '{schema}'
    AS $$
BEGIN
    RETURN QUERY SELECT DISTINCT ON (v.document_id) v.* FROM document_version v JOIN clinical_document d ON d.id = v.document_id
        WHERE v.patient_id = whose AND CASE v.kind WHEN 'RECEIVED' THEN d.created_at ELSE v.authored_at END <= moment
        ORDER BY v.document_id, v.version DESC;
END $$;
CREATE FUNCTION {schema}.drafts_counted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM change_storage(coalesce(sum(octet_length(draft)), 0), coalesce(bool_or(addendum_to IS NULL), false)) FROM added;
    ELSE
        PERFORM change_storage((SELECT coalesce(sum(octet_length(draft)), 0) FROM added)
            - (SELECT coalesce(sum(octet_length(draft)), 0) FROM removed), false);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION {schema}.draw_quota(what text, more bigint, refusable boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    UPDATE quota SET used = greatest(used + more, 0)
        WHERE name = what AND (NOT refusable OR more <= 0 OR most IS NULL OR used + more <= most);
    IF NOT FOUND THEN
        PERFORM refuse_over_quota(what);
    END IF;
END $$;
CREATE FUNCTION {schema}.encounter_as_of(whose uuid, moment timestamp with time zone) RETURNS SETOF {schema}.encounter
    LANGUAGE plpgsql STABLE
    SET search_path TO '{schema}'
    AS $$
            BEGIN
                RETURN QUERY SELECT t.* FROM encounter t
                    WHERE t.patient_id = whose AND t.updated_at <= moment AND NOT EXISTS (SELECT FROM chart_version v
                        WHERE v.kind = 'encounter' AND v.row_id = t.id AND v.known_until > moment);
                RETURN QUERY SELECT said.* FROM (SELECT DISTINCT ON (v.row_id) v.known_from, v.body, v.sealed FROM chart_version v
                        WHERE v.patient_id = whose AND v.kind = 'encounter' AND v.known_until > moment
                        ORDER BY v.row_id, v.known_until, v.version) AS known,
                    LATERAL jsonb_populate_record(NULL::encounter,
                        known.body || jsonb_build_object('clinical', known.sealed, 'code_tokens', '[]'::jsonb)) AS said
                    WHERE known.known_from <= moment;
            END $$;
CREATE FUNCTION {schema}.enforce_lane() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
DECLARE
    most integer;
    beyond integer;
BEGIN
    IF NOT NEW.blocking THEN
        RETURN NEW;
    END IF;
    CASE NEW.kind
        WHEN 'PRACTITIONER' THEN SELECT capacity, overbook_limit INTO most, beyond FROM practitioner WHERE id = NEW.resource_id;
        WHEN 'ROOM' THEN SELECT capacity, overbook_limit INTO most, beyond FROM room WHERE id = NEW.resource_id;
        WHEN 'DEVICE' THEN SELECT capacity, overbook_limit INTO most, beyond FROM device WHERE id = NEW.resource_id;
    END CASE;
    IF most IS NULL OR NEW.lane >= most OR NEW.lane < -beyond THEN
        RAISE EXCEPTION USING ERRCODE = 'PX020', MESSAGE = format('%s has no lane %s', lower(NEW.kind), NEW.lane);
    END IF;
    RETURN NEW;
END $$;
--
CREATE FUNCTION {schema}.enforce_problem_step() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF OLD.verification_status = 'ENTERED_IN_ERROR' THEN
        RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = 'what was a mistake stays one';
    END IF;
    IF NEW.clinical_status IS DISTINCT FROM OLD.clinical_status AND NOT EXISTS (SELECT FROM status_transition t
        WHERE t.machine = 'problem' AND t.from_status = coalesce(OLD.clinical_status, 'ACTIVE') AND t.to_status = NEW.clinical_status) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = format('illegal transition of problem from %s to %s', OLD.clinical_status, NEW.clinical_status);
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.enforce_transition() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
DECLARE
    before text := '';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        before := OLD.status;
        IF before = NEW.status THEN
            RETURN NEW;
        END IF;
    END IF;
    IF NOT EXISTS (SELECT FROM status_transition t WHERE t.machine = TG_ARGV[0] AND t.from_status = before AND t.to_status = NEW.status) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX001', MESSAGE = format('illegal transition of %s from %s to %s', TG_ARGV[0], before, NEW.status);
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.family_history_as_of(whose uuid, moment timestamp with time zone) RETURNS SETOF {schema}.family_history
    LANGUAGE plpgsql STABLE
    SET search_path TO '{schema}'
    AS $$
            BEGIN
                RETURN QUERY SELECT t.* FROM family_history t
                    WHERE t.patient_id = whose AND t.updated_at <= moment AND NOT EXISTS (SELECT FROM chart_version v
                        WHERE v.kind = 'family_history' AND v.row_id = t.id AND v.known_until > moment);
                RETURN QUERY SELECT said.* FROM (SELECT DISTINCT ON (v.row_id) v.known_from, v.body, v.sealed FROM chart_version v
                        WHERE v.patient_id = whose AND v.kind = 'family_history' AND v.known_until > moment
                        ORDER BY v.row_id, v.known_until, v.version) AS known,
                    LATERAL jsonb_populate_record(NULL::family_history,
                        known.body || jsonb_build_object('clinical', known.sealed, 'code_tokens', '[]'::jsonb)) AS said
                    WHERE known.known_from <= moment;
            END $$;
CREATE FUNCTION {schema}.give_rule_finding() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    SELECT e.practitioner_id INTO NEW.practitioner_id FROM encounter e WHERE e.id = NEW.encounter_id;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.grant_to_runtime(relation regclass, rights text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    EXECUTE format('GRANT %s ON %s TO %I', rights, relation, current_setting('praxis.role'));
END $$;
CREATE FUNCTION {schema}.hand_over_rule_findings() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    UPDATE alert a SET practitioner_id = NEW.practitioner_id
        WHERE a.encounter_id = NEW.id AND a.status IN ('OPEN', 'ACKNOWLEDGED')
            AND a.practitioner_id IS DISTINCT FROM NEW.practitioner_id;
    UPDATE rule_evaluation v SET practitioner_id = NEW.practitioner_id
        WHERE v.encounter_id = NEW.id AND v.practitioner_id IS DISTINCT FROM NEW.practitioner_id;
    RETURN NULL;
END $$;
--
CREATE FUNCTION {schema}.hold_close_gate() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
DECLARE
    said text[];
    needs_vitals boolean;
    needs_signed_note boolean;
BEGIN
    SELECT c.missing INTO said FROM encounter_closing c
        WHERE c.encounter_id = NEW.id AND c.encounter_version = OLD.version;
    IF said IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'PX021', MESSAGE = 'closed past the gate';
    END IF;
    IF cardinality(said) > 0 THEN
        IF NOT EXISTS (SELECT FROM encounter_note n WHERE n.encounter_id = NEW.id AND n.kind = 'OVERRIDE') THEN
            RAISE EXCEPTION USING ERRCODE = 'PX021', MESSAGE = 'closed in spite of the gate, and nobody said why';
        END IF;
        RETURN NEW;
    END IF;
    SELECT p.needs_vitals, p.needs_signed_note INTO needs_vitals, needs_signed_note FROM visit_policy p WHERE p.class = NEW.class;
    IF NOT EXISTS (SELECT FROM encounter_diagnosis d WHERE d.encounter_id = NEW.id AND d.rank = 1 AND d.status = 'RECORDED')
        OR NOT EXISTS (SELECT FROM encounter_note n WHERE n.encounter_id = NEW.id AND n.kind = 'ASSESSMENT')
        OR NOT EXISTS (SELECT FROM encounter_note n WHERE n.encounter_id = NEW.id AND n.kind = 'PLAN')
        OR EXISTS (SELECT FROM clinical_document d WHERE d.encounter_id = NEW.id AND d.status IN ('DRAFT', 'IN_REVIEW'))
        OR EXISTS (SELECT FROM alert a WHERE a.encounter_id = NEW.id AND a.status = 'OPEN' AND a.severity <> 'INFO')
        OR needs_vitals AND NOT EXISTS (SELECT FROM observation o
            WHERE o.encounter_id = NEW.id AND o.taken_together IS NOT NULL AND o.status <> 'ENTERED_IN_ERROR')
        OR needs_signed_note AND NOT EXISTS (SELECT FROM clinical_document d
            JOIN document_version v ON v.document_id = d.id AND v.head
            JOIN document_signature s ON s.document_id = v.document_id AND s.version = v.version
            WHERE d.encounter_id = NEW.id AND d.addendum_to IS NULL AND d.status IN ('SIGNED', 'AMENDED')
                AND (NEW.practitioner_id IS NULL OR s.practitioner_id = NEW.practitioner_id)) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX021', MESSAGE = 'something is missing';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.immunization_as_of(whose uuid, moment timestamp with time zone) RETURNS SETOF {schema}.immunization
    LANGUAGE plpgsql STABLE
    SET search_path TO '{schema}'
    AS $$
            BEGIN
                RETURN QUERY SELECT t.* FROM immunization t
                    WHERE t.patient_id = whose AND t.updated_at <= moment AND NOT EXISTS (SELECT FROM chart_version v
                        WHERE v.kind = 'immunization' AND v.row_id = t.id AND v.known_until > moment);
                RETURN QUERY SELECT said.* FROM (SELECT DISTINCT ON (v.row_id) v.known_from, v.body, v.sealed FROM chart_version v
                        WHERE v.patient_id = whose AND v.kind = 'immunization' AND v.known_until > moment
                        ORDER BY v.row_id, v.known_until, v.version) AS known,
                    LATERAL jsonb_populate_record(NULL::immunization,
                        known.body || jsonb_build_object('clinical', known.sealed, 'code_tokens', '[]'::jsonb)) AS said
                    WHERE known.known_from <= moment;
            END $$;
CREATE FUNCTION {schema}.keep_break_glass_as_it_was() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF OLD.reviewed_at IS NOT NULL OR (OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.ended_by) IS DISTINCT FROM (OLD.ended_at, OLD.ended_by)) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'what has ended or was reviewed stays as it is';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.keep_chart_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $_$
DECLARE
    sealed bytea;
BEGIN
    EXECUTE format('SELECT ($1).%I', TG_ARGV[0]) INTO sealed USING OLD;
    INSERT INTO chart_version (kind, row_id, version, patient_id, known_from, known_until, body, sealed)
        VALUES (regexp_replace(TG_TABLE_NAME, '_[0-9]+$', ''), OLD.id, OLD.version, OLD.patient_id, OLD.updated_at, now(),
            to_jsonb(OLD) - TG_ARGV[0] - 'code_tokens', sealed);
    RETURN NULL;
END $_$;
CREATE FUNCTION {schema}.keep_document() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF NEW.document_id IS DISTINCT FROM OLD.document_id OR NEW.sha256 IS DISTINCT FROM OLD.sha256 OR NEW.body IS DISTINCT FROM OLD.body THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'the text of a registered operation never changes';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.keep_document_version() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF pg_trigger_depth() = 2 AND OLD.head AND NOT NEW.head AND (NEW.document_id, NEW.version, NEW.id, NEW.supersedes, NEW.patient_id, NEW.kind, NEW.author_id, NEW.authored_at, NEW.body, NEW.sha256)
        IS NOT DISTINCT FROM (OLD.document_id, OLD.version, OLD.id, OLD.supersedes, OLD.patient_id, OLD.kind, OLD.author_id, OLD.authored_at, OLD.body, OLD.sha256) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'what was signed stays as it is';
END $$;
--
CREATE FUNCTION {schema}.keep_encounter_note() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF to_jsonb(NEW) - 'body' <> to_jsonb(OLD) - 'body' THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'append-only';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.keep_event() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF OLD.position IS NOT NULL OR NEW.position IS NULL OR to_jsonb(NEW) - 'position' <> to_jsonb(OLD) - 'position' THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'append-only';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.keep_note_template_version() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
BEGIN
    INSERT INTO note_template_version (template_id, version, title, type_code, body, needs_cosign)
        VALUES (NEW.id, NEW.version, NEW.title, NEW.type_code, NEW.body, NEW.needs_cosign);
    RETURN NULL;
END $$;
CREATE FUNCTION {schema}.keep_rule() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF (NEW.id, NEW.code, NEW.edition, NEW.title, NEW.cause, NEW.condition, NEW.actions, NEW.severity, NEW.evidence, NEW.starts_at, NEW.author_id)
        IS DISTINCT FROM (OLD.id, OLD.code, OLD.edition, OLD.title, OLD.cause, OLD.condition, OLD.actions, OLD.severity, OLD.evidence, OLD.starts_at, OLD.author_id)
        OR (OLD.approved_at IS NOT NULL AND (NEW.approved_at, NEW.approved_by) IS DISTINCT FROM (OLD.approved_at, OLD.approved_by)) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'an edition of a rule stays as it is';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.keep_rule_tests() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF TG_OP <> 'INSERT' OR NOT EXISTS (SELECT FROM rule r WHERE r.id = NEW.rule_id AND r.status = 'DRAFT') THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'the cases of a rule stay as they are';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.keep_workflow_steps() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
DECLARE
    definition uuid := CASE TG_OP WHEN 'INSERT' THEN NEW.definition_id ELSE OLD.definition_id END;
BEGIN
    IF NOT EXISTS (SELECT FROM workflow_definition d WHERE d.id = definition AND d.status = 'DRAFT') THEN
        RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'only a draft is changed';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
--
CREATE FUNCTION {schema}.know_patient_at_facility() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF NEW.facility_id IS NOT NULL THEN
        INSERT INTO patient_facility (patient_id, facility_id) VALUES (NEW.patient_id, NEW.facility_id) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION {schema}.medication_statement_as_of(whose uuid, moment timestamp with time zone) RETURNS SETOF {schema}.medication_statement
    LANGUAGE plpgsql STABLE
    SET search_path TO '{schema}'
    AS $$
            BEGIN
                RETURN QUERY SELECT t.* FROM medication_statement t
                    WHERE t.patient_id = whose AND t.updated_at <= moment AND NOT EXISTS (SELECT FROM chart_version v
                        WHERE v.kind = 'medication_statement' AND v.row_id = t.id AND v.known_until > moment);
                RETURN QUERY SELECT said.* FROM (SELECT DISTINCT ON (v.row_id) v.known_from, v.body, v.sealed FROM chart_version v
                        WHERE v.patient_id = whose AND v.kind = 'medication_statement' AND v.known_until > moment
                        ORDER BY v.row_id, v.known_until, v.version) AS known,
                    LATERAL jsonb_populate_record(NULL::medication_statement,
                        known.body || jsonb_build_object('clinical', known.sealed, 'code_tokens', '[]'::jsonb)) AS said
                    WHERE known.known_from <= moment;
            END $$;
CREATE FUNCTION {schema}.move_document_head() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
BEGIN
    NEW.head := true;
    UPDATE document_version SET head = false WHERE document_id = NEW.document_id AND version = NEW.supersedes AND head;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.number_event() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    NEW.position := NULL;
    NEW.encounter_seq := NULL;
    IF NEW.encounter_id IS NOT NULL THEN
        PERFORM FROM encounter e WHERE e.id = NEW.encounter_id FOR NO KEY UPDATE;
        SELECT coalesce(max(e.encounter_seq), 0) + 1 INTO NEW.encounter_seq FROM event e WHERE e.encounter_id = NEW.encounter_id;
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.observation_as_of(whose uuid, moment timestamp with time zone) RETURNS SETOF {schema}.observation
    LANGUAGE plpgsql STABLE
    SET search_path TO '{schema}'
    AS $$
            BEGIN
                RETURN QUERY SELECT t.* FROM observation t
                    WHERE t.patient_id = whose AND t.updated_at <= moment AND NOT EXISTS (SELECT FROM chart_version v
                        WHERE v.kind = 'observation' AND v.row_id = t.id AND v.known_until > moment);
                RETURN QUERY SELECT said.* FROM (SELECT DISTINCT ON (v.row_id) v.known_from, v.body, v.sealed FROM chart_version v
                        WHERE v.patient_id = whose AND v.kind = 'observation' AND v.known_until > moment
                        ORDER BY v.row_id, v.known_until, v.version) AS known,
                    LATERAL jsonb_populate_record(NULL::observation,
                        known.body || jsonb_build_object('result', known.sealed, 'code_tokens', '[]'::jsonb)) AS said
                    WHERE known.known_from <= moment;
            END $$;
CREATE FUNCTION {schema}.order_events() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
DECLARE
    behind bigint;
    placed integer;
BEGIN
    IF NOT EXISTS (SELECT FROM event WHERE position IS NULL) THEN
        RETURN 0;
    END IF;
    SELECT n INTO STRICT behind FROM counter WHERE name = 'event' FOR UPDATE;
    WITH chosen AS (
        SELECT w.id, row_number() OVER (ORDER BY w.id) AS nth
        FROM (SELECT id FROM event WHERE position IS NULL ORDER BY id LIMIT 1000) w)
    UPDATE event e SET position = behind + chosen.nth FROM chosen WHERE e.id = chosen.id;
    GET DIAGNOSTICS placed = ROW_COUNT;
    UPDATE counter SET n = behind + placed WHERE name = 'event';
    RETURN placed;
END $$;
--
CREATE FUNCTION {schema}.procedure_as_of(whose uuid, moment timestamp with time zone) RETURNS SETOF {schema}.procedure
    LANGUAGE plpgsql STABLE
    SET search_path TO '{schema}'
    AS $$
            BEGIN
                RETURN QUERY SELECT t.* FROM procedure t
                    WHERE t.patient_id = whose AND t.updated_at <= moment AND NOT EXISTS (SELECT FROM chart_version v
                        WHERE v.kind = 'procedure' AND v.row_id = t.id AND v.known_until > moment);
                RETURN QUERY SELECT said.* FROM (SELECT DISTINCT ON (v.row_id) v.known_from, v.body, v.sealed FROM chart_version v
                        WHERE v.patient_id = whose AND v.kind = 'procedure' AND v.known_until > moment
                        ORDER BY v.row_id, v.known_until, v.version) AS known,
                    LATERAL jsonb_populate_record(NULL::procedure,
                        known.body || jsonb_build_object('clinical', known.sealed, 'code_tokens', '[]'::jsonb)) AS said
                    WHERE known.known_from <= moment;
            END $$;
CREATE FUNCTION {schema}.recount_quotas() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    INSERT INTO quota (name, used) VALUES ('SEATS', 0), ('STORAGE', 0) ON CONFLICT (name) DO NOTHING;
    UPDATE quota SET used = (SELECT count(*) FROM user_account WHERE active) WHERE name = 'SEATS';
    UPDATE quota SET used = (SELECT coalesce(sum(octet_length(draft)), 0) FROM clinical_document)
        + (SELECT coalesce(sum(octet_length(body)), 0) FROM document_version)
        + (SELECT coalesce(sum(octet_length(body)), 0) FROM fhir_resource) WHERE name = 'STORAGE';
END $$;
CREATE FUNCTION {schema}.refuse_break_glass_while_overdue() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF EXISTS (SELECT FROM break_glass b WHERE b.user_id = NEW.user_id AND b.reviewed_at IS NULL
        AND (b.review_due_at <= NEW.declared_at OR b.created_at + interval '72 hours' <= now())) THEN
        RAISE EXCEPTION USING ERRCODE = 'PX014', MESSAGE = 'a review is overdue';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'PX003', MESSAGE = 'append-only';
END $$;
CREATE FUNCTION {schema}.refuse_foreign_focus() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
DECLARE
    owner uuid;
BEGIN
    CASE NEW.focus_kind
        WHEN 'obs' THEN SELECT patient_id INTO owner FROM observation WHERE id = NEW.focus_id;
        WHEN 'con' THEN SELECT patient_id INTO owner FROM condition WHERE id = NEW.focus_id;
        ELSE RETURN NEW;
    END CASE;
    IF owner IS DISTINCT FROM NEW.patient_id THEN
        RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'task_focus_agrees', MESSAGE = 'the focus is not this patient''s';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.refuse_foreign_label() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $_$
DECLARE
    owner uuid;
BEGIN
    IF NEW.object_type = 'PATIENT' THEN
        owner := NEW.object_id;
    ELSE
        EXECUTE format('SELECT patient_id FROM %I WHERE id = $1', lower(NEW.object_type)) INTO owner USING NEW.object_id;
    END IF;
    IF owner IS DISTINCT FROM NEW.patient_id THEN
        RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'sensitivity_label_object', MESSAGE = 'the object is not this patient''s';
    END IF;
    RETURN NEW;
END $_$;
--
CREATE FUNCTION {schema}.refuse_over_quota(what text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'PX006', CONSTRAINT = 'quota_' || lower(what), MESSAGE = format('no %s left', lower(what));
END $$;
CREATE FUNCTION {schema}.require_rule_tests() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF NEW.status = 'ACTIVE' AND (
        NOT EXISTS (SELECT FROM rule_test_case c WHERE c.rule_id = NEW.id AND c.fires)
        OR NOT EXISTS (SELECT FROM rule_test_case c WHERE c.rule_id = NEW.id AND NOT c.fires)) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'rule_active_is_tested', MESSAGE = 'a rule needs a case in which it fires and one in which it does not';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION {schema}.resources_counted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM change_storage(coalesce(sum(octet_length(body)), 0), true) FROM added;
    ELSE
        PERFORM change_storage(-coalesce(sum(octet_length(body)), 0), false) FROM removed;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION {schema}.seats_drawn() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
DECLARE
    more integer := coalesce(NEW.active, false)::integer - coalesce(OLD.active, false)::integer;
BEGIN
    IF more <> 0 THEN
        PERFORM draw_quota('SEATS', more, true);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION {schema}.social_history_as_of(whose uuid, moment timestamp with time zone) RETURNS SETOF {schema}.social_history
    LANGUAGE plpgsql STABLE
    SET search_path TO '{schema}'
    AS $$
            BEGIN
                RETURN QUERY SELECT t.* FROM social_history t
                    WHERE t.patient_id = whose AND t.updated_at <= moment AND NOT EXISTS (SELECT FROM chart_version v
                        WHERE v.kind = 'social_history' AND v.row_id = t.id AND v.known_until > moment);
                RETURN QUERY SELECT said.* FROM (SELECT DISTINCT ON (v.row_id) v.known_from, v.body, v.sealed FROM chart_version v
                        WHERE v.patient_id = whose AND v.kind = 'social_history' AND v.known_until > moment
                        ORDER BY v.row_id, v.known_until, v.version) AS known,
                    LATERAL jsonb_populate_record(NULL::social_history,
                        known.body || jsonb_build_object('clinical', known.sealed, 'code_tokens', '[]'::jsonb)) AS said
                    WHERE known.known_from <= moment;
            END $$;
CREATE FUNCTION {schema}.storage_drawn() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
DECLARE
    more bigint;
    refusable boolean;
BEGIN
    WITH gone AS (DELETE FROM storage_change RETURNING bytes, begun)
    SELECT sum(bytes), bool_or(begun) INTO more, refusable FROM gone;
    IF more IS NOT NULL THEN
        PERFORM draw_quota('STORAGE', more, refusable);
    END IF;
    RETURN NULL;
END $$;
--
CREATE FUNCTION {schema}.versions_counted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '{schema}'
    AS $$
BEGIN
    PERFORM change_storage(coalesce(sum(octet_length(body)), 0), coalesce(bool_or(kind = 'RECEIVED'), false)) FROM added;
    RETURN NULL;
END $$;
INSERT INTO {schema}.access_mark VALUES
	(true, '00000000-0000-0000-0000-000000000000');
INSERT INTO {schema}.alert_rule VALUES
	('MASS_READING', true, 100, 60),
	('RESTRICTED_READING', true, 1, 1440),
	('OWN_RECORD', true, 1, 1440),
	('OWN_FAMILY', true, 1, 1440),
	('FAILED_SIGN_INS', true, 20, 10),
	('BREAK_GLASS_USE', true, 3, 1440),
	('FORGED_ENTRY', true, 1, 1440);
INSERT INTO {schema}.audit_sealer VALUES
	(true);
INSERT INTO {schema}.counter VALUES
	('event', 0);
INSERT INTO {schema}.quota VALUES
	('SEATS', 0, NULL),
	('STORAGE', 0, NULL);
--
INSERT INTO {schema}.status_transition VALUES
	('patient', '', 'ACTIVE', 'patient:create', ''),
	('patient', '', 'INACTIVE', 'patient:create', ''),
	('patient', '', 'DECEASED', 'patient:create', ''),
	('appointment', '', 'BOOKED', 'appointment:book', ''),
	('encounter', '', 'ARRIVED', '', ''),
	('encounter', '', 'TRIAGED', '', ''),
	('encounter', '', 'IN_PROGRESS', '', ''),
	('encounter', '', 'ON_HOLD', '', ''),
	('encounter', '', 'CLOSED', '', ''),
	('encounter', '', 'CANCELLED', '', ''),
	('mail_message', '', 'QUEUED', '', ''),
	('mail_message', 'QUEUED', 'SENT', '', ''),
	('mail_message', 'QUEUED', 'DEAD', '', ''),
	('mail_message', 'DEAD', 'QUEUED', '', ''),
	('invitation', '', 'SENT', 'user:manage', ''),
	('invitation', 'SENT', 'ACCEPTED', '', ''),
	('invitation', 'SENT', 'EXPIRED', '', ''),
	('break_glass', '', 'ACTIVE', 'break-glass:use', ''),
	('break_glass', 'ACTIVE', 'EXPIRED', 'system', ''),
	('registered_operation', '', 'ACTIVE', 'operation:manage', ''),
	('registered_operation', 'ACTIVE', 'RETIRED', 'operation:manage', ''),
	('registered_operation', 'RETIRED', 'ACTIVE', 'operation:manage', ''),
	('api_client', '', 'ACTIVE', 'operation:manage', ''),
	('security_alert', '', 'OPEN', 'system', ''),
	('job', '', 'QUEUED', '', ''),
	('job', 'QUEUED', 'RUNNING', '', ''),
	('job', 'RUNNING', 'QUEUED', '', ''),
	('job', 'RUNNING', 'DONE', '', ''),
	('job', 'RUNNING', 'DEAD', '', ''),
	('job', 'DEAD', 'QUEUED', 'settings:manage', ''),
	('job', 'QUEUED', 'DISCARDED', 'settings:manage', ''),
	('job', 'DEAD', 'DISCARDED', 'settings:manage', ''),
	('appointment', '', 'PENDING', 'appointment:book', ''),
	('appointment', 'PENDING', 'BOOKED', 'appointment:book', 'appointmentHoldConfirm'),
	('appointment', 'PENDING', 'CANCELLED', 'appointment:cancel', 'appointmentCancel'),
	('appointment', 'PENDING', 'EXPIRED', 'system', ''),
	('appointment', 'BOOKED', 'ARRIVED', 'appointment:book', 'appointmentArrive'),
	('appointment', 'CONFIRMED', 'ARRIVED', 'appointment:book', 'appointmentArrive'),
	('appointment', 'ARRIVED', 'CANCELLED', 'appointment:cancel', 'appointmentCancel'),
	('appointment', 'CHECKED_IN', 'IN_ROOM', 'appointment:book', 'appointmentRoom'),
	('appointment', 'NO_SHOW', 'BOOKED', 'appointment:no-show', 'appointmentUndoNoShow'),
	('appointment_series', '', 'ACTIVE', 'appointment:book', ''),
	('appointment_series', 'ACTIVE', 'CANCELLED', 'appointment:cancel', 'appointmentSeriesCancel'),
	('appointment_series', 'ACTIVE', 'REPLACED', 'appointment:reschedule', 'appointmentSeriesReplace'),
	('waitlist_entry', '', 'WAITING', 'waiting-list:manage', ''),
	('waitlist_entry', 'WAITING', 'OFFERED', 'system', ''),
	('waitlist_entry', 'OFFERED', 'WAITING', 'waiting-list:manage', 'waitlistOfferDecline'),
	('waitlist_entry', 'OFFERED', 'BOOKED', 'waiting-list:manage', 'waitlistOfferAccept'),
	('waitlist_entry', 'WAITING', 'REMOVED', 'waiting-list:manage', 'waitlistEntryRemove'),
	('waitlist_entry', 'OFFERED', 'REMOVED', 'waiting-list:manage', 'waitlistEntryRemove'),
	('appointment', 'BOOKED', 'ENTERED_IN_ERROR', 'appointment:cancel', 'appointmentEnterInError'),
	('appointment', 'CONFIRMED', 'ENTERED_IN_ERROR', 'appointment:cancel', 'appointmentEnterInError'),
	('appointment', 'ARRIVED', 'ENTERED_IN_ERROR', 'appointment:cancel', 'appointmentEnterInError'),
	('appointment', 'CHECKED_IN', 'ENTERED_IN_ERROR', 'appointment:cancel', 'appointmentEnterInError'),
	('appointment', 'IN_ROOM', 'ENTERED_IN_ERROR', 'appointment:cancel', 'appointmentEnterInError'),
	('appointment', 'COMPLETED', 'ENTERED_IN_ERROR', 'appointment:cancel', 'appointmentEnterInError'),
	('appointment', 'CANCELLED', 'ENTERED_IN_ERROR', 'appointment:cancel', 'appointmentEnterInError'),
	('appointment', 'NO_SHOW', 'ENTERED_IN_ERROR', 'appointment:cancel', 'appointmentEnterInError'),
	('appointment', 'PENDING', 'PENDING', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'ARRIVED', 'ARRIVED', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'IN_ROOM', 'IN_ROOM', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'EXPIRED', 'EXPIRED', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'ENTERED_IN_ERROR', 'ENTERED_IN_ERROR', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'BOOKED', 'CONFIRMED', 'appointment:book', 'appointmentConfirm'),
	('appointment', 'BOOKED', 'CHECKED_IN', 'appointment:book', 'appointmentCheckIn'),
	('appointment', 'CONFIRMED', 'CHECKED_IN', 'appointment:book', 'appointmentCheckIn'),
	('appointment', 'ARRIVED', 'CHECKED_IN', 'appointment:book', 'appointmentCheckIn'),
	('appointment', 'CHECKED_IN', 'IN_PROGRESS', 'appointment:book', 'appointmentStart'),
	('appointment', 'IN_ROOM', 'IN_PROGRESS', 'appointment:book', 'appointmentStart'),
	('appointment', 'IN_PROGRESS', 'COMPLETED', 'appointment:book', 'appointmentComplete'),
	('queue_token', '', 'WAITING', 'queue:manage', ''),
	('queue_token', 'WAITING', 'CALLED', 'queue:manage', 'queueTokenCall'),
	('queue_token', 'CALLED', 'SERVED', 'queue:manage', 'queueTokenServe'),
	('queue_token', 'CALLED', 'SKIPPED', 'queue:manage', 'queueTokenSkip'),
	('queue_token', 'WAITING', 'SKIPPED', 'queue:manage', 'queueTokenSkip'),
	('queue_token', 'SKIPPED', 'CALLED', 'queue:manage', 'queueTokenCall'),
	('patient', 'ACTIVE', 'INACTIVE', 'patient:deactivate', 'patientDeactivate'),
	('patient', 'INACTIVE', 'ACTIVE', 'patient:deactivate', 'patientReactivate'),
	('patient', 'ACTIVE', 'DECEASED', 'patient:record-death', 'patientRecordDeath'),
	('patient', 'INACTIVE', 'DECEASED', 'patient:record-death', 'patientRecordDeath'),
	('appointment', 'BOOKED', 'CANCELLED', 'appointment:cancel', 'appointmentCancel'),
	('appointment', 'CONFIRMED', 'CANCELLED', 'appointment:cancel', 'appointmentCancel'),
	('appointment', 'BOOKED', 'NO_SHOW', 'appointment:no-show', 'appointmentMarkNoShow'),
	('appointment', 'CONFIRMED', 'NO_SHOW', 'appointment:no-show', 'appointmentMarkNoShow'),
	('invitation', 'SENT', 'REVOKED', 'user:manage', 'invitationRevoke'),
	('break_glass', 'ACTIVE', 'ENDED', 'break-glass:use', 'breakGlassEnd'),
	('break_glass', 'ENDED', 'JUSTIFIED', 'break-glass:review', 'breakGlassReview'),
	('break_glass', 'ENDED', 'UNJUSTIFIED', 'break-glass:review', 'breakGlassReview'),
	('break_glass', 'EXPIRED', 'JUSTIFIED', 'break-glass:review', 'breakGlassReview'),
	('break_glass', 'EXPIRED', 'UNJUSTIFIED', 'break-glass:review', 'breakGlassReview'),
	('api_client', 'ACTIVE', 'RETIRED', 'operation:manage', 'apiClientRetire'),
	('security_alert', 'OPEN', 'CLOSED', 'security-alert:close', 'securityAlertClose'),
	('patient', 'ACTIVE', 'ACTIVE', 'patient:update', 'patientUpdate'),
	('patient', 'INACTIVE', 'INACTIVE', 'patient:update', 'patientUpdate'),
	('patient', 'DECEASED', 'DECEASED', 'patient:update', 'patientUpdate'),
	('patient', 'ACTIVE', 'ACTIVE', 'patient:update', 'relatedPersonAdd'),
	('patient', 'INACTIVE', 'INACTIVE', 'patient:update', 'relatedPersonAdd'),
	('patient', 'DECEASED', 'DECEASED', 'patient:update', 'relatedPersonAdd'),
	('patient', 'ACTIVE', 'ACTIVE', 'appointment:book', 'appointmentBook'),
	('patient', 'ACTIVE', 'ACTIVE', 'care-team:manage', 'careTeamAdd'),
	('patient', 'INACTIVE', 'INACTIVE', 'care-team:manage', 'careTeamAdd'),
	('patient', 'DECEASED', 'DECEASED', 'care-team:manage', 'careTeamAdd'),
	('patient', 'MERGED', 'MERGED', 'care-team:manage', 'careTeamAdd'),
	('patient', 'ERASED', 'ERASED', 'care-team:manage', 'careTeamAdd'),
	('patient', 'ACTIVE', 'ACTIVE', 'consent:record', 'consentRecord'),
	('patient', 'INACTIVE', 'INACTIVE', 'consent:record', 'consentRecord'),
	('patient', 'DECEASED', 'DECEASED', 'consent:record', 'consentRecord'),
	('patient', 'MERGED', 'MERGED', 'consent:record', 'consentRecord'),
	('patient', 'ERASED', 'ERASED', 'consent:record', 'consentRecord'),
	('patient', 'ACTIVE', 'ACTIVE', 'sensitivity:label', 'confidentialitySet'),
	('patient', 'INACTIVE', 'INACTIVE', 'sensitivity:label', 'confidentialitySet'),
	('patient', 'DECEASED', 'DECEASED', 'sensitivity:label', 'confidentialitySet'),
	('patient', 'MERGED', 'MERGED', 'sensitivity:label', 'confidentialitySet'),
	('patient', 'ERASED', 'ERASED', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'BOOKED', 'BOOKED', 'appointment:reschedule', 'appointmentReschedule'),
	('appointment', 'CONFIRMED', 'CONFIRMED', 'appointment:reschedule', 'appointmentReschedule'),
	('appointment', 'BOOKED', 'BOOKED', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'CONFIRMED', 'CONFIRMED', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'CHECKED_IN', 'CHECKED_IN', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'IN_PROGRESS', 'IN_PROGRESS', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'COMPLETED', 'COMPLETED', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'CANCELLED', 'CANCELLED', 'sensitivity:label', 'confidentialitySet'),
	('appointment', 'NO_SHOW', 'NO_SHOW', 'sensitivity:label', 'confidentialitySet'),
	('invitation', 'SENT', 'SENT', 'user:manage', 'invitationResend'),
	('api_client', 'ACTIVE', 'ACTIVE', 'operation:manage', 'apiClientRotateSecret'),
	('observation', '', 'REGISTERED', '', ''),
	('observation', '', 'PRELIMINARY', '', ''),
	('observation', '', 'FINAL', 'vitals:record', ''),
	('observation', '', 'AMENDED', '', ''),
	('observation', '', 'CORRECTED', '', ''),
	('observation', '', 'CANCELLED', '', ''),
	('observation', '', 'ENTERED_IN_ERROR', '', ''),
	('observation', '', 'UNKNOWN', '', ''),
	('observation', 'REGISTERED', 'PRELIMINARY', '', ''),
	('observation', 'REGISTERED', 'FINAL', '', ''),
	('observation', 'REGISTERED', 'CANCELLED', '', ''),
	('observation', 'PRELIMINARY', 'FINAL', '', ''),
	('observation', 'PRELIMINARY', 'CANCELLED', '', ''),
	('observation', 'FINAL', 'AMENDED', '', ''),
	('observation', 'FINAL', 'CORRECTED', '', ''),
	('observation', 'AMENDED', 'CORRECTED', '', ''),
	('encounter', '', 'PLANNED', 'encounter:create', 'encounterCreate'),
	('encounter', 'PLANNED', 'ARRIVED', 'encounter:check-in', 'encounterCheckIn'),
	('encounter', 'ARRIVED', 'TRIAGED', 'encounter:triage', 'encounterTriage'),
	('encounter', 'ARRIVED', 'IN_PROGRESS', 'encounter:consult', 'encounterStart'),
	('encounter', 'TRIAGED', 'IN_PROGRESS', 'encounter:consult', 'encounterStart'),
	('encounter', 'IN_PROGRESS', 'ON_HOLD', 'encounter:consult', 'encounterHold'),
	('encounter', 'ON_HOLD', 'IN_PROGRESS', 'encounter:consult', 'encounterResume'),
	('encounter', 'IN_PROGRESS', 'CLOSED', 'encounter:close', 'encounterClose'),
	('encounter', 'CLOSED', 'IN_PROGRESS', 'encounter:reopen', 'encounterReopen'),
	('encounter', 'PLANNED', 'CANCELLED', 'encounter:cancel', 'encounterCancel'),
	('encounter', 'ARRIVED', 'CANCELLED', 'encounter:cancel', 'encounterCancel'),
	('encounter', 'TRIAGED', 'CANCELLED', 'encounter:cancel', 'encounterCancel'),
	('encounter', 'ARRIVED', 'ARRIVED', 'vitals:record', 'vitalsRecord'),
	('encounter', 'TRIAGED', 'TRIAGED', 'vitals:record', 'vitalsRecord'),
	('encounter', 'IN_PROGRESS', 'IN_PROGRESS', 'vitals:record', 'vitalsRecord'),
	('encounter', 'ON_HOLD', 'ON_HOLD', 'vitals:record', 'vitalsRecord'),
	('encounter', 'IN_PROGRESS', 'IN_PROGRESS', 'encounter:consult', 'assessmentRecord'),
	('encounter', 'IN_PROGRESS', 'IN_PROGRESS', 'encounter:consult', 'planRecord'),
	('encounter', 'PLANNED', 'PLANNED', 'encounter:consult', 'encounterParticipantAdd'),
	('encounter', 'ARRIVED', 'ARRIVED', 'encounter:consult', 'encounterParticipantAdd'),
	('encounter', 'TRIAGED', 'TRIAGED', 'encounter:consult', 'encounterParticipantAdd'),
	('encounter', 'IN_PROGRESS', 'IN_PROGRESS', 'encounter:consult', 'encounterParticipantAdd'),
	('encounter', 'ON_HOLD', 'ON_HOLD', 'encounter:consult', 'encounterParticipantAdd'),
	('encounter', 'PLANNED', 'PLANNED', 'encounter:consult', 'encounterParticipantEnd'),
	('encounter', 'ARRIVED', 'ARRIVED', 'encounter:consult', 'encounterParticipantEnd'),
	('encounter', 'TRIAGED', 'TRIAGED', 'encounter:consult', 'encounterParticipantEnd'),
	('encounter', 'IN_PROGRESS', 'IN_PROGRESS', 'encounter:consult', 'encounterParticipantEnd'),
	('encounter', 'ON_HOLD', 'ON_HOLD', 'encounter:consult', 'encounterParticipantEnd'),
	('encounter', 'PLANNED', 'PLANNED', 'sensitivity:label', 'confidentialitySet'),
	('encounter', 'ARRIVED', 'ARRIVED', 'sensitivity:label', 'confidentialitySet'),
	('encounter', 'TRIAGED', 'TRIAGED', 'sensitivity:label', 'confidentialitySet'),
	('encounter', 'IN_PROGRESS', 'IN_PROGRESS', 'sensitivity:label', 'confidentialitySet'),
	('encounter', 'ON_HOLD', 'ON_HOLD', 'sensitivity:label', 'confidentialitySet'),
	('encounter', 'CLOSED', 'CLOSED', 'sensitivity:label', 'confidentialitySet'),
	('encounter', 'CANCELLED', 'CANCELLED', 'sensitivity:label', 'confidentialitySet'),
	('encounter_diagnosis', '', 'RECORDED', 'encounter:consult', ''),
	('encounter_diagnosis', 'RECORDED', 'WITHDRAWN', 'encounter:consult', ''),
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
	('clinical_document', 'AMENDED', 'ENTERED_IN_ERROR', 'document:amend', 'documentEnterInError'),
	('allergy', '', 'ACTIVE', 'data:import', ''),
	('allergy', '', 'INACTIVE', 'data:import', ''),
	('allergy', '', 'RESOLVED', 'data:import', ''),
	('allergy', '', 'REFUTED', 'data:import', ''),
	('allergy', '', 'ENTERED_IN_ERROR', 'data:import', ''),
	('medication_statement', '', 'ACTIVE', 'data:import', ''),
	('medication_statement', '', 'ON_HOLD', 'data:import', ''),
	('medication_statement', '', 'COMPLETED', 'data:import', ''),
	('medication_statement', '', 'STOPPED', 'data:import', ''),
	('medication_statement', '', 'NOT_TAKEN', 'data:import', ''),
	('medication_statement', '', 'UNKNOWN', 'data:import', ''),
	('medication_statement', '', 'ENTERED_IN_ERROR', 'data:import', ''),
	('immunization', '', 'COMPLETED', 'data:import', ''),
	('immunization', '', 'NOT_DONE', 'data:import', ''),
	('immunization', '', 'ENTERED_IN_ERROR', 'data:import', ''),
	('procedure', '', 'IN_PROGRESS', 'data:import', ''),
	('procedure', '', 'COMPLETED', 'data:import', ''),
	('procedure', '', 'STOPPED', 'data:import', ''),
	('procedure', '', 'NOT_DONE', 'data:import', ''),
	('procedure', '', 'UNKNOWN', 'data:import', ''),
	('procedure', '', 'ENTERED_IN_ERROR', 'data:import', ''),
	('family_history', '', 'CURRENT', 'data:import', ''),
	('family_history', '', 'ENTERED_IN_ERROR', 'data:import', ''),
	('social_history', '', 'CURRENT', 'data:import', ''),
	('social_history', '', 'SUPERSEDED', 'data:import', ''),
	('social_history', '', 'ENTERED_IN_ERROR', 'data:import', ''),
	('allergy', 'ACTIVE', 'INACTIVE', 'allergy:record', 'allergyInactivate'),
	('allergy', 'ACTIVE', 'RESOLVED', 'allergy:record', 'allergyResolve'),
	('allergy', 'INACTIVE', 'RESOLVED', 'allergy:record', 'allergyResolve'),
	('allergy', 'INACTIVE', 'ACTIVE', 'allergy:record', 'allergyReactivate'),
	('allergy', 'RESOLVED', 'ACTIVE', 'allergy:record', 'allergyReactivate'),
	('allergy', 'ACTIVE', 'REFUTED', 'allergy:record', 'allergyRefute'),
	('allergy', 'INACTIVE', 'REFUTED', 'allergy:record', 'allergyRefute'),
	('medication_statement', 'ACTIVE', 'STOPPED', 'medication:record', 'medicationStatementStop'),
	('medication_statement', 'ON_HOLD', 'STOPPED', 'medication:record', 'medicationStatementStop'),
	('medication_statement', 'UNKNOWN', 'STOPPED', 'medication:record', 'medicationStatementStop'),
	('medication_statement', 'ACTIVE', 'COMPLETED', 'medication:record', 'medicationStatementComplete'),
	('medication_statement', 'ON_HOLD', 'COMPLETED', 'medication:record', 'medicationStatementComplete'),
	('medication_statement', 'UNKNOWN', 'COMPLETED', 'medication:record', 'medicationStatementComplete'),
	('social_history', 'CURRENT', 'SUPERSEDED', 'history:record', ''),
	('allergy', 'ACTIVE', 'ENTERED_IN_ERROR', 'allergy:record', 'allergyEnterInError'),
	('allergy', 'INACTIVE', 'ENTERED_IN_ERROR', 'allergy:record', 'allergyEnterInError'),
	('allergy', 'RESOLVED', 'ENTERED_IN_ERROR', 'allergy:record', 'allergyEnterInError'),
	('allergy', 'REFUTED', 'ENTERED_IN_ERROR', 'allergy:record', 'allergyEnterInError'),
	('medication_statement', 'ACTIVE', 'ENTERED_IN_ERROR', 'medication:record', 'medicationStatementEnterInError'),
	('medication_statement', 'ON_HOLD', 'ENTERED_IN_ERROR', 'medication:record', 'medicationStatementEnterInError'),
	('medication_statement', 'COMPLETED', 'ENTERED_IN_ERROR', 'medication:record', 'medicationStatementEnterInError'),
	('medication_statement', 'STOPPED', 'ENTERED_IN_ERROR', 'medication:record', 'medicationStatementEnterInError'),
	('medication_statement', 'NOT_TAKEN', 'ENTERED_IN_ERROR', 'medication:record', 'medicationStatementEnterInError'),
	('medication_statement', 'UNKNOWN', 'ENTERED_IN_ERROR', 'medication:record', 'medicationStatementEnterInError'),
	('immunization', 'COMPLETED', 'ENTERED_IN_ERROR', 'immunization:record', 'immunizationEnterInError'),
	('immunization', 'NOT_DONE', 'ENTERED_IN_ERROR', 'immunization:record', 'immunizationEnterInError'),
	('procedure', 'IN_PROGRESS', 'ENTERED_IN_ERROR', 'history:record', 'procedureEnterInError'),
	('procedure', 'COMPLETED', 'ENTERED_IN_ERROR', 'history:record', 'procedureEnterInError'),
	('procedure', 'STOPPED', 'ENTERED_IN_ERROR', 'history:record', 'procedureEnterInError'),
	('procedure', 'NOT_DONE', 'ENTERED_IN_ERROR', 'history:record', 'procedureEnterInError'),
	('procedure', 'UNKNOWN', 'ENTERED_IN_ERROR', 'history:record', 'procedureEnterInError'),
	('family_history', 'CURRENT', 'ENTERED_IN_ERROR', 'history:record', 'familyHistoryEnterInError'),
	('social_history', 'CURRENT', 'ENTERED_IN_ERROR', 'history:record', 'socialHistoryEnterInError'),
	('social_history', 'SUPERSEDED', 'ENTERED_IN_ERROR', 'history:record', 'socialHistoryEnterInError'),
	('problem', 'ACTIVE', 'REMISSION', 'condition:record', 'problemRemit'),
	('problem', 'RECURRENCE', 'REMISSION', 'condition:record', 'problemRemit'),
	('problem', 'RELAPSE', 'REMISSION', 'condition:record', 'problemRemit'),
	('problem', 'ACTIVE', 'INACTIVE', 'condition:record', 'problemInactivate'),
	('problem', 'RECURRENCE', 'INACTIVE', 'condition:record', 'problemInactivate'),
	('problem', 'RELAPSE', 'INACTIVE', 'condition:record', 'problemInactivate'),
	('problem', 'ACTIVE', 'RESOLVED', 'condition:record', 'problemResolve'),
	('problem', 'RECURRENCE', 'RESOLVED', 'condition:record', 'problemResolve'),
	('problem', 'RELAPSE', 'RESOLVED', 'condition:record', 'problemResolve'),
	('problem', 'INACTIVE', 'RESOLVED', 'condition:record', 'problemResolve'),
	('problem', 'REMISSION', 'RESOLVED', 'condition:record', 'problemResolve'),
	('problem', 'RESOLVED', 'RECURRENCE', 'condition:record', 'problemRecur'),
	('problem', 'INACTIVE', 'RECURRENCE', 'condition:record', 'problemRecur'),
	('problem', 'REMISSION', 'RELAPSE', 'condition:record', 'problemRelapse'),
	('problem', 'ACTIVE', 'ACTIVE', 'condition:record', 'problemEnterInError'),
	('problem', 'RECURRENCE', 'RECURRENCE', 'condition:record', 'problemEnterInError'),
	('problem', 'RELAPSE', 'RELAPSE', 'condition:record', 'problemEnterInError'),
	('problem', 'INACTIVE', 'INACTIVE', 'condition:record', 'problemEnterInError'),
	('problem', 'REMISSION', 'REMISSION', 'condition:record', 'problemEnterInError'),
	('problem', 'RESOLVED', 'RESOLVED', 'condition:record', 'problemEnterInError'),
	('workflow_definition', '', 'DRAFT', 'workflow:manage', 'workflowDefine'),
	('workflow_definition', 'DRAFT', 'ACTIVE', 'workflow:manage', 'workflowActivate'),
	('workflow_definition', 'DRAFT', 'RETIRED', 'workflow:manage', 'workflowRetire'),
	('workflow_definition', 'ACTIVE', 'RETIRED', 'workflow:manage', 'workflowRetire'),
	('workflow_definition', 'ACTIVE', 'ACTIVE', 'task:create', 'workflowStart'),
	('workflow_instance', '', 'RUNNING', '', ''),
	('workflow_instance', 'RUNNING', 'COMPLETED', '', ''),
	('workflow_instance', 'RUNNING', 'FAILED', '', ''),
	('workflow_instance', 'RUNNING', 'CANCELLED', 'task:assign', 'workflowCancel'),
	('task', '', 'REQUESTED', 'task:create', 'taskCreate'),
	('task', 'REQUESTED', 'ACCEPTED', 'task:work', 'taskClaim'),
	('task', 'REQUESTED', 'REJECTED', 'task:work', 'taskReject'),
	('task', 'ACCEPTED', 'IN_PROGRESS', 'task:work', 'taskStart'),
	('task', 'ACCEPTED', 'COMPLETED', 'task:work', 'taskComplete'),
	('task', 'ACCEPTED', 'FAILED', 'task:work', 'taskComplete'),
	('task', 'IN_PROGRESS', 'ON_HOLD', 'task:work', 'taskHold'),
	('task', 'IN_PROGRESS', 'COMPLETED', 'task:work', 'taskComplete'),
	('task', 'IN_PROGRESS', 'FAILED', 'task:work', 'taskComplete'),
	('task', 'ON_HOLD', 'IN_PROGRESS', 'task:work', 'taskResume'),
	('task', 'REQUESTED', 'REQUESTED', 'task:work', 'taskAssign'),
	('task', 'REQUESTED', 'CANCELLED', 'task:create', 'taskCancel'),
	('task', 'ACCEPTED', 'REQUESTED', 'task:work', 'taskAssign'),
	('task', 'ACCEPTED', 'CANCELLED', 'task:create', 'taskCancel'),
	('task', 'IN_PROGRESS', 'REQUESTED', 'task:work', 'taskAssign'),
	('task', 'IN_PROGRESS', 'CANCELLED', 'task:create', 'taskCancel'),
	('task', 'ON_HOLD', 'REQUESTED', 'task:work', 'taskAssign'),
	('task', 'ON_HOLD', 'CANCELLED', 'task:create', 'taskCancel'),
	('rule', '', 'DRAFT', 'rule:author', 'ruleDraft'),
	('rule', 'DRAFT', 'TESTED', 'rule:author', 'ruleTest'),
	('rule', 'TESTED', 'ACTIVE', 'rule:approve', 'ruleActivate'),
	('rule', 'DRAFT', 'RETIRED', 'rule:approve', 'ruleRetire'),
	('rule', 'TESTED', 'RETIRED', 'rule:approve', 'ruleRetire'),
	('rule', 'ACTIVE', 'RETIRED', 'rule:approve', 'ruleRetire'),
	('alert', '', 'OPEN', '', ''),
	('alert', 'OPEN', 'ACKNOWLEDGED', 'alert:respond', 'alertAcknowledge'),
	('alert', 'ACKNOWLEDGED', 'RESOLVED', 'alert:respond', 'alertResolve'),
	('alert', 'OPEN', 'OVERRIDDEN', 'alert:respond', 'alertOverride'),
	('alert', 'ACKNOWLEDGED', 'OVERRIDDEN', 'alert:respond', 'alertOverride'),
	('alert', 'OPEN', 'EXPIRED', '', ''),
	('alert', 'ACKNOWLEDGED', 'EXPIRED', '', ''),
	('notification', '', 'SCHEDULED', '', ''),
	('notification', '', 'DELIVERED', '', ''),
	('notification', 'SCHEDULED', 'SENDING', '', ''),
	('notification', 'SCHEDULED', 'CANCELLED', '', ''),
	('notification', 'SENDING', 'SCHEDULED', '', ''),
	('notification', 'SENDING', 'SENT', '', ''),
	('notification', 'SENDING', 'DELIVERED', '', ''),
	('notification', 'SENDING', 'FAILED', '', ''),
	('notification', 'SENDING', 'DEAD', '', ''),
	('notification', 'SENDING', 'CANCELLED', '', ''),
	('notification', 'SENDING', 'SUPPRESSED', '', ''),
	('notification', 'SENT', 'DELIVERED', '', ''),
	('notification', 'SENT', 'DEAD', '', ''),
	('notification', 'FAILED', 'SENDING', '', ''),
	('notification', 'FAILED', 'SENT', '', ''),
	('notification', 'FAILED', 'DELIVERED', '', ''),
	('notification', 'FAILED', 'CANCELLED', '', ''),
	('notification', 'DEAD', 'SCHEDULED', 'notification:manage', 'notificationRetry'),
	('observation', 'REGISTERED', 'ENTERED_IN_ERROR', 'vitals:record', 'observationEnterInError'),
	('observation', 'PRELIMINARY', 'ENTERED_IN_ERROR', 'vitals:record', 'observationEnterInError'),
	('observation', 'FINAL', 'ENTERED_IN_ERROR', 'vitals:record', 'observationEnterInError'),
	('observation', 'AMENDED', 'ENTERED_IN_ERROR', 'vitals:record', 'observationEnterInError'),
	('observation', 'CORRECTED', 'ENTERED_IN_ERROR', 'vitals:record', 'observationEnterInError'),
	('observation', 'UNKNOWN', 'ENTERED_IN_ERROR', 'vitals:record', 'observationEnterInError'),
	('immunization', 'COMPLETED', 'COMPLETED', 'sensitivity:label', 'confidentialitySet'),
	('medication_statement', 'COMPLETED', 'COMPLETED', 'sensitivity:label', 'confidentialitySet'),
	('problem', 'RECURRENCE', 'RECURRENCE', 'sensitivity:label', 'confidentialitySet'),
	('observation', 'REGISTERED', 'REGISTERED', 'sensitivity:label', 'confidentialitySet'),
	('observation', 'ENTERED_IN_ERROR', 'ENTERED_IN_ERROR', 'sensitivity:label', 'confidentialitySet'),
	('task', 'REQUESTED', 'REQUESTED', 'sensitivity:label', 'confidentialitySet'),
	('problem', 'RESOLVED', 'RESOLVED', 'sensitivity:label', 'confidentialitySet'),
	('procedure', 'IN_PROGRESS', 'IN_PROGRESS', 'sensitivity:label', 'confidentialitySet'),
	('family_history', 'CURRENT', 'CURRENT', 'sensitivity:label', 'confidentialitySet'),
	('clinical_document', 'RECEIVED', 'RECEIVED', 'sensitivity:label', 'confidentialitySet'),
	('medication_statement', 'ENTERED_IN_ERROR', 'ENTERED_IN_ERROR', 'sensitivity:label', 'confidentialitySet'),
	('allergy', 'INACTIVE', 'INACTIVE', 'sensitivity:label', 'confidentialitySet'),
	('social_history', 'ENTERED_IN_ERROR', 'ENTERED_IN_ERROR', 'sensitivity:label', 'confidentialitySet'),
	('clinical_document', 'AMENDED', 'AMENDED', 'sensitivity:label', 'confidentialitySet'),
	('social_history', 'CURRENT', 'CURRENT', 'sensitivity:label', 'confidentialitySet'),
	('problem', 'REMISSION', 'REMISSION', 'sensitivity:label', 'confidentialitySet'),
	('medication_statement', 'ACTIVE', 'ACTIVE', 'sensitivity:label', 'confidentialitySet'),
	('clinical_document', 'IN_REVIEW', 'IN_REVIEW', 'sensitivity:label', 'confidentialitySet'),
	('observation', 'UNKNOWN', 'UNKNOWN', 'sensitivity:label', 'confidentialitySet'),
	('procedure', 'COMPLETED', 'COMPLETED', 'sensitivity:label', 'confidentialitySet'),
	('allergy', 'ACTIVE', 'ACTIVE', 'sensitivity:label', 'confidentialitySet'),
	('observation', 'CORRECTED', 'CORRECTED', 'sensitivity:label', 'confidentialitySet'),
	('task', 'ON_HOLD', 'ON_HOLD', 'sensitivity:label', 'confidentialitySet'),
	('task', 'ACCEPTED', 'ACCEPTED', 'sensitivity:label', 'confidentialitySet'),
	('clinical_document', 'DRAFT', 'DRAFT', 'sensitivity:label', 'confidentialitySet'),
	('problem', 'INACTIVE', 'INACTIVE', 'sensitivity:label', 'confidentialitySet'),
	('clinical_document', 'SIGNED', 'SIGNED', 'sensitivity:label', 'confidentialitySet'),
	('task', 'FAILED', 'FAILED', 'sensitivity:label', 'confidentialitySet'),
	('allergy', 'REFUTED', 'REFUTED', 'sensitivity:label', 'confidentialitySet'),
	('allergy', 'ENTERED_IN_ERROR', 'ENTERED_IN_ERROR', 'sensitivity:label', 'confidentialitySet'),
	('allergy', 'RESOLVED', 'RESOLVED', 'sensitivity:label', 'confidentialitySet'),
	('observation', 'CANCELLED', 'CANCELLED', 'sensitivity:label', 'confidentialitySet'),
	('procedure', 'UNKNOWN', 'UNKNOWN', 'sensitivity:label', 'confidentialitySet'),
	('medication_statement', 'STOPPED', 'STOPPED', 'sensitivity:label', 'confidentialitySet'),
	('immunization', 'NOT_DONE', 'NOT_DONE', 'sensitivity:label', 'confidentialitySet'),
	('medication_statement', 'NOT_TAKEN', 'NOT_TAKEN', 'sensitivity:label', 'confidentialitySet'),
	('clinical_document', 'ENTERED_IN_ERROR', 'ENTERED_IN_ERROR', 'sensitivity:label', 'confidentialitySet'),
	('problem', 'ACTIVE', 'ACTIVE', 'sensitivity:label', 'confidentialitySet'),
	('task', 'CANCELLED', 'CANCELLED', 'sensitivity:label', 'confidentialitySet'),
	('social_history', 'SUPERSEDED', 'SUPERSEDED', 'sensitivity:label', 'confidentialitySet'),
	('procedure', 'STOPPED', 'STOPPED', 'sensitivity:label', 'confidentialitySet'),
	('procedure', 'ENTERED_IN_ERROR', 'ENTERED_IN_ERROR', 'sensitivity:label', 'confidentialitySet'),
	('procedure', 'NOT_DONE', 'NOT_DONE', 'sensitivity:label', 'confidentialitySet'),
	('observation', 'FINAL', 'FINAL', 'sensitivity:label', 'confidentialitySet'),
	('immunization', 'ENTERED_IN_ERROR', 'ENTERED_IN_ERROR', 'sensitivity:label', 'confidentialitySet'),
	('family_history', 'ENTERED_IN_ERROR', 'ENTERED_IN_ERROR', 'sensitivity:label', 'confidentialitySet'),
	('medication_statement', 'ON_HOLD', 'ON_HOLD', 'sensitivity:label', 'confidentialitySet'),
	('problem', 'RELAPSE', 'RELAPSE', 'sensitivity:label', 'confidentialitySet'),
	('observation', 'PRELIMINARY', 'PRELIMINARY', 'sensitivity:label', 'confidentialitySet'),
	('task', 'IN_PROGRESS', 'IN_PROGRESS', 'sensitivity:label', 'confidentialitySet'),
	('medication_statement', 'UNKNOWN', 'UNKNOWN', 'sensitivity:label', 'confidentialitySet'),
	('clinical_document', 'DISCARDED', 'DISCARDED', 'sensitivity:label', 'confidentialitySet'),
	('task', 'COMPLETED', 'COMPLETED', 'sensitivity:label', 'confidentialitySet'),
	('observation', 'AMENDED', 'AMENDED', 'sensitivity:label', 'confidentialitySet'),
	('task', 'REJECTED', 'REJECTED', 'sensitivity:label', 'confidentialitySet'),
	('notification', 'SCHEDULED', 'DELIVERED', '', ''),
	('notification', 'DEAD', 'DELIVERED', '', ''),
	('appointment', 'CHECKED_IN', 'CANCELLED', 'appointment:cancel', 'appointmentCancel'),
	('appointment', 'IN_ROOM', 'CANCELLED', 'appointment:cancel', 'appointmentCancel');
INSERT INTO {schema}.visit_policy VALUES
	('OTHER', false, 7, 1, false),
	('AMBULATORY', false, 7, 1, true),
	('INPATIENT', true, 7, 1, true),
	('EMERGENCY', true, 7, 1, true),
	('HOME', false, 7, 1, true),
	('VIRTUAL', false, 7, 1, true);
CREATE VIEW {schema}.break_glass_open AS
 SELECT break_glass.id,
    break_glass.user_id,
    break_glass.patient_id,
    break_glass.classes,
    break_glass.expires_at
   FROM {schema}.break_glass
  WHERE ((break_glass.status = 'ACTIVE'::text) AND ((break_glass.created_at + (break_glass.expires_at - break_glass.declared_at)) > clock_timestamp()));
CREATE INDEX account_link_by_user ON {schema}.account_link USING btree (user_id, created_at);
CREATE INDEX account_link_past ON {schema}.account_link USING btree (expires_at);
CREATE INDEX alert_by_encounter ON {schema}.alert USING btree (encounter_id, id DESC) WHERE (encounter_id IS NOT NULL);
--
CREATE INDEX alert_by_patient ON {schema}.alert USING btree (patient_id, id DESC);
CREATE INDEX alert_open ON {schema}.alert USING btree (id DESC) WHERE (status = 'OPEN'::text);
CREATE INDEX allergy_by_patient ON {schema}.allergy USING btree (patient_id, recorded_at DESC NULLS LAST, id DESC);
CREATE UNIQUE INDEX allergy_none_known_once ON {schema}.allergy USING btree (patient_id) WHERE ((status = 'ACTIVE'::text) AND none_known);
CREATE INDEX api_client_secret_by_client ON {schema}.api_client_secret USING btree (client_id);
CREATE INDEX appointment_by_created ON {schema}.appointment USING btree (created_at, id);
--
CREATE INDEX appointment_by_patient ON {schema}.appointment USING btree (patient_id, starts_at DESC NULLS LAST, id DESC);
CREATE INDEX appointment_by_practitioner ON {schema}.appointment USING btree (practitioner_id, starts_at);
CREATE INDEX appointment_by_series ON {schema}.appointment USING btree (series_id, starts_at) WHERE (series_id IS NOT NULL);
CREATE INDEX appointment_by_start ON {schema}.appointment USING btree (starts_at, id);
CREATE INDEX appointment_by_updated ON {schema}.appointment USING btree (updated_at, id);
CREATE INDEX appointment_by_waitlist_entry ON {schema}.appointment USING btree (waitlist_entry_id) WHERE (waitlist_entry_id IS NOT NULL);
--
CREATE INDEX appointment_held ON {schema}.appointment USING btree (hold_expires_at) WHERE (status = 'PENDING'::text);
CREATE INDEX appointment_resource_by_appointment ON {schema}.appointment_resource USING btree (appointment_id);
CREATE INDEX appointment_series_by_patient ON {schema}.appointment_series USING btree (patient_id);
CREATE INDEX audit_entry_by_actor ON {schema}.audit_entry USING btree (actor_id, at);
CREATE INDEX audit_entry_by_object ON {schema}.audit_entry USING btree (object_id, id) WHERE (object_id IS NOT NULL);
CREATE INDEX audit_entry_by_patient ON {schema}.audit_entry USING gin (patients);
--
CREATE INDEX audit_entry_by_time ON {schema}.audit_entry USING brin (at);
CREATE INDEX audit_entry_refused ON {schema}.audit_entry USING btree (at) WHERE (outcome = 'DENIED'::text);
CREATE INDEX availability_exception_by_facility ON {schema}.availability_exception USING btree (facility_id, last_day);
CREATE INDEX availability_rule_by_practitioner ON {schema}.availability_rule USING btree (practitioner_id);
CREATE INDEX break_glass_by_patient ON {schema}.break_glass USING btree (patient_id, id);
CREATE INDEX break_glass_by_user ON {schema}.break_glass USING btree (user_id, id);
--
CREATE UNIQUE INDEX break_glass_one_open ON {schema}.break_glass USING btree (user_id, patient_id) WHERE (status = 'ACTIVE'::text);
CREATE INDEX break_glass_unreviewed ON {schema}.break_glass USING btree (review_due_at) WHERE (reviewed_at IS NULL);
CREATE UNIQUE INDEX calendar_feed_one_open ON {schema}.calendar_feed USING btree (practitioner_id) WHERE (revoked_at IS NULL);
CREATE INDEX care_team_member_by_patient ON {schema}.care_team_member USING btree (patient_id);
CREATE UNIQUE INDEX care_team_member_once ON {schema}.care_team_member USING btree (patient_id, COALESCE(practitioner_id, user_id), role) WHERE (ends_at IS NULL);
CREATE UNIQUE INDEX channel_consent_one_given ON {schema}.channel_consent USING btree (patient_id, channel) WHERE (withdrawn_at IS NULL);
--
CREATE INDEX chart_version_by_patient ON {schema}.chart_version USING btree (patient_id, kind, known_until);
CREATE INDEX clinical_document_by_encounter ON {schema}.clinical_document USING btree (encounter_id, created_at DESC, id DESC) WHERE (encounter_id IS NOT NULL);
CREATE INDEX clinical_document_by_parent ON {schema}.clinical_document USING btree (addendum_to) WHERE (addendum_to IS NOT NULL);
CREATE INDEX clinical_document_by_patient ON {schema}.clinical_document USING btree (patient_id, created_at DESC, id DESC);
CREATE INDEX clinical_document_unsigned ON {schema}.clinical_document USING btree (author_id, id) WHERE (status = ANY (ARRAY['DRAFT'::text, 'IN_REVIEW'::text]));
CREATE INDEX condition_by_encounter ON {schema}.condition USING btree (encounter_id) WHERE (encounter_id IS NOT NULL);
--
CREATE INDEX condition_by_patient ON {schema}.condition USING btree (patient_id, recorded_at DESC NULLS LAST, id DESC);
CREATE INDEX consent_directive_by_patient ON {schema}.consent_directive USING btree (patient_id) WHERE (revoked_at IS NULL);
CREATE INDEX delivery_report_by_notification ON {schema}.delivery_report USING btree (notification_id);
CREATE INDEX device_by_kind ON {schema}.device USING btree (facility_id, kind);
CREATE INDEX disclosure_by_patient ON {schema}.disclosure USING btree (patient_id, disclosed_at DESC, id DESC);
CREATE UNIQUE INDEX document_version_one_head ON {schema}.document_version USING btree (document_id) WHERE head;
--
CREATE INDEX encounter_by_appointment ON {schema}.encounter USING btree (appointment_id) WHERE (appointment_id IS NOT NULL);
CREATE INDEX encounter_by_patient ON {schema}.encounter USING btree (patient_id, started_at DESC NULLS LAST, id DESC);
CREATE INDEX encounter_diagnosis_by_condition ON {schema}.encounter_diagnosis USING btree (condition_id) WHERE (status = 'RECORDED'::text);
CREATE INDEX encounter_diagnosis_by_encounter ON {schema}.encounter_diagnosis USING btree (encounter_id);
CREATE UNIQUE INDEX encounter_diagnosis_code_unique ON {schema}.encounter_diagnosis USING btree (encounter_id, code_token) WHERE (status = 'RECORDED'::text);
CREATE UNIQUE INDEX encounter_diagnosis_rank_unique ON {schema}.encounter_diagnosis USING btree (encounter_id, rank) WHERE (status = 'RECORDED'::text);
--
CREATE UNIQUE INDEX encounter_note_said_once ON {schema}.encounter_note USING btree (document_id, document_version, kind) WHERE (document_id IS NOT NULL);
CREATE INDEX event_by_patient ON {schema}.event USING btree (patient_id, "position");
CREATE INDEX event_by_subject ON {schema}.event USING btree (subject_id, id);
CREATE INDEX event_unordered ON {schema}.event USING btree (id) WHERE ("position" IS NULL);
CREATE INDEX external_identity_by_user ON {schema}.external_identity USING btree (user_id);
CREATE INDEX family_history_by_patient ON {schema}.family_history USING btree (patient_id, recorded_at DESC NULLS LAST, id DESC);
--
CREATE INDEX fhir_resource_by_patient ON {schema}.fhir_resource USING btree (patient_id, resource_type);
CREATE INDEX finished_sign_in_by_expiry ON {schema}.finished_sign_in USING btree (expires_at);
CREATE INDEX idempotency_key_by_expiry ON {schema}.idempotency_key USING btree (expires_at);
CREATE INDEX immunization_by_patient ON {schema}.immunization USING btree (patient_id, recorded_at DESC NULLS LAST, id DESC);
CREATE UNIQUE INDEX invitation_one_open ON {schema}.invitation USING btree (email) WHERE (status = 'SENT'::text);
CREATE INDEX job_due ON {schema}.job USING btree (run_at, id) WHERE (status = ANY (ARRAY['QUEUED'::text, 'RUNNING'::text]));
--
CREATE INDEX job_finished ON {schema}.job USING btree (finished_at) WHERE (finished_at IS NOT NULL);
CREATE UNIQUE INDEX key_rotation_one_open ON {schema}.key_rotation USING btree ((true)) WHERE (finished_at IS NULL);
CREATE INDEX mail_message_due ON {schema}.mail_message USING btree (next_attempt_at) WHERE (status = 'QUEUED'::text);
CREATE INDEX mail_message_past ON {schema}.mail_message USING btree (created_at) WHERE (status <> 'QUEUED'::text);
CREATE INDEX medication_statement_by_patient ON {schema}.medication_statement USING btree (patient_id, recorded_at DESC NULLS LAST, id DESC);
CREATE INDEX notification_by_user ON {schema}.notification USING btree (user_id, id) WHERE (channel = 'IN_APP'::text);
--
CREATE INDEX notification_due ON {schema}.notification USING btree (next_attempt_at, id) WHERE (status = ANY (ARRAY['SCHEDULED'::text, 'SENDING'::text, 'FAILED'::text]));
CREATE INDEX notification_pending_by_subject ON {schema}.notification USING btree (subject_id) WHERE (status = ANY (ARRAY['SCHEDULED'::text, 'FAILED'::text]));
CREATE INDEX notification_unread ON {schema}.notification USING btree (user_id, id) WHERE ((channel = 'IN_APP'::text) AND (read_at IS NULL));
CREATE INDEX observation_by_encounter ON {schema}.observation USING btree (encounter_id) WHERE (encounter_id IS NOT NULL);
CREATE INDEX observation_by_patient ON {schema}.observation USING btree (patient_id, effective_at DESC NULLS LAST, id DESC);
CREATE INDEX observation_taken_together ON {schema}.observation USING btree (encounter_id, taken_together) WHERE (taken_together IS NOT NULL);
--
CREATE INDEX passkey_by_user ON {schema}.passkey USING btree (user_id);
CREATE INDEX patient_by_update ON {schema}.patient USING btree (updated_at);
CREATE UNIQUE INDEX patient_identifier_unique ON {schema}.patient_token USING btree (token) WHERE (kind = 'IDENTIFIER'::text);
CREATE UNIQUE INDEX patient_mrn_unique ON {schema}.patient_token USING btree (token) WHERE (kind = 'MRN'::text);
CREATE UNIQUE INDEX patient_national_id_unique ON {schema}.patient_token USING btree (token) WHERE (kind = 'NATIONAL_ID'::text);
CREATE INDEX patient_token_lookup ON {schema}.patient_token USING btree (kind, token);
--
CREATE INDEX procedure_by_patient ON {schema}.procedure USING btree (patient_id, recorded_at DESC NULLS LAST, id DESC);
CREATE INDEX push_device_by_user ON {schema}.push_device USING btree (user_id) WHERE (removed_at IS NULL);
CREATE UNIQUE INDEX push_device_one_open ON {schema}.push_device USING btree (address_hash) WHERE (removed_at IS NULL);
CREATE INDEX queue_token_waiting ON {schema}.queue_token USING btree (facility_id, queue, day, number) WHERE (status = 'WAITING'::text);
CREATE UNIQUE INDEX refresh_token_one_usable ON {schema}.refresh_token USING btree (session_id) WHERE (spent_at IS NULL);
CREATE INDEX registered_operation_by_sha256 ON {schema}.registered_operation USING btree (sha256);
--
CREATE INDEX related_person_by_patient ON {schema}.related_person USING btree (patient_id);
CREATE INDEX rule_evaluation_by_encounter ON {schema}.rule_evaluation USING btree (encounter_id, rule_id, id DESC);
CREATE INDEX rule_in_use ON {schema}.rule USING btree (cause) WHERE (status = 'ACTIVE'::text);
CREATE UNIQUE INDEX rule_one_active ON {schema}.rule USING btree (code) WHERE (status = 'ACTIVE'::text);
CREATE INDEX security_alert_by_status ON {schema}.security_alert USING btree (status, id);
CREATE INDEX sensitivity_label_by_patient ON {schema}.sensitivity_label USING btree (patient_id);
--
CREATE INDEX session_by_provider ON {schema}.session USING btree (identity_provider_id) WHERE (identity_provider_id IS NOT NULL);
CREATE INDEX session_by_user ON {schema}.session USING btree (user_id);
CREATE INDEX social_history_by_patient ON {schema}.social_history USING btree (patient_id, recorded_at DESC NULLS LAST, id DESC);
CREATE INDEX spent_challenge_by_expiry ON {schema}.spent_challenge USING btree (expires_at);
CREATE UNIQUE INDEX suppression_one_open ON {schema}.suppression USING btree (channel, contact_token) WHERE (lifted_at IS NULL);
CREATE INDEX task_by_due ON {schema}.task USING btree (due_at, id);
--
CREATE INDEX task_by_encounter ON {schema}.task USING btree (encounter_id, id) WHERE (encounter_id IS NOT NULL);
CREATE INDEX task_by_instance ON {schema}.task USING btree (instance_id) WHERE (instance_id IS NOT NULL);
CREATE INDEX task_by_patient ON {schema}.task USING btree (patient_id, id) WHERE (patient_id IS NOT NULL);
CREATE INDEX task_of_owner ON {schema}.task USING btree (owner_id, due_at, id) WHERE (status = ANY (ARRAY['REQUESTED'::text, 'ACCEPTED'::text, 'IN_PROGRESS'::text, 'ON_HOLD'::text]));
CREATE INDEX task_of_role ON {schema}.task USING btree (role_code, due_at, id) WHERE ((owner_id IS NULL) AND (status = 'REQUESTED'::text));
CREATE UNIQUE INDEX task_one_active_per_step ON {schema}.task USING btree (instance_id, step) WHERE (status = ANY (ARRAY['REQUESTED'::text, 'ACCEPTED'::text, 'IN_PROGRESS'::text, 'ON_HOLD'::text]));
--
CREATE INDEX waitlist_entry_by_appointment ON {schema}.waitlist_entry USING btree (appointment_id);
CREATE INDEX waitlist_entry_by_patient ON {schema}.waitlist_entry USING btree (patient_id, id);
CREATE INDEX waitlist_entry_waiting ON {schema}.waitlist_entry USING btree (earliest, latest) WHERE (status = 'WAITING'::text);
CREATE UNIQUE INDEX workflow_definition_one_active ON {schema}.workflow_definition USING btree (code) WHERE (status = 'ACTIVE'::text);
CREATE INDEX workflow_instance_by_definition ON {schema}.workflow_instance USING btree (definition_id, id);
CREATE INDEX workflow_instance_by_encounter ON {schema}.workflow_instance USING btree (encounter_id) WHERE (status = 'RUNNING'::text);
--
CREATE TRIGGER alert_given BEFORE INSERT ON {schema}.alert FOR EACH ROW WHEN ((new.practitioner_id IS NULL)) EXECUTE FUNCTION {schema}.give_rule_finding();
CREATE TRIGGER alert_stays BEFORE DELETE OR TRUNCATE ON {schema}.alert FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER alert_transition BEFORE INSERT OR UPDATE ON {schema}.alert FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('alert');
CREATE TRIGGER alert_version BEFORE UPDATE ON {schema}.alert FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER allergy_kept AFTER UPDATE ON {schema}.allergy FOR EACH ROW EXECUTE FUNCTION {schema}.keep_chart_version('clinical');
CREATE TRIGGER allergy_stays BEFORE DELETE OR TRUNCATE ON {schema}.allergy FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
--
CREATE TRIGGER allergy_transition BEFORE INSERT OR UPDATE ON {schema}.allergy FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('allergy');
CREATE TRIGGER allergy_version BEFORE UPDATE ON {schema}.allergy FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER api_client_transition BEFORE INSERT OR UPDATE ON {schema}.api_client FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('api_client');
CREATE TRIGGER api_client_version BEFORE UPDATE ON {schema}.api_client FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER appointment_added AFTER INSERT ON {schema}.appointment REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {schema}.appointments_counted();
CREATE TRIGGER appointment_known AFTER INSERT OR UPDATE OF facility_id ON {schema}.appointment FOR EACH ROW EXECUTE FUNCTION {schema}.know_patient_at_facility();
--
CREATE TRIGGER appointment_moved AFTER UPDATE ON {schema}.appointment REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {schema}.appointments_counted();
CREATE TRIGGER appointment_removed AFTER DELETE ON {schema}.appointment REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION {schema}.appointments_counted();
CREATE TRIGGER appointment_resource_lane BEFORE INSERT OR UPDATE ON {schema}.appointment_resource FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_lane();
CREATE TRIGGER appointment_series_transition BEFORE INSERT OR UPDATE ON {schema}.appointment_series FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('appointment_series');
CREATE TRIGGER appointment_series_version BEFORE UPDATE ON {schema}.appointment_series FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER appointment_transition BEFORE INSERT OR UPDATE ON {schema}.appointment FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('appointment');
--
CREATE TRIGGER appointment_version BEFORE UPDATE ON {schema}.appointment FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER audit_change_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.audit_change FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER audit_checkpoint_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER audit_entry_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER audit_entry_pending AFTER INSERT ON {schema}.audit_entry REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {schema}.audit_entry_waits();
CREATE TRIGGER audit_leaf_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.audit_leaf FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
--
CREATE TRIGGER audit_leaf_pending AFTER INSERT ON {schema}.audit_leaf REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {schema}.audit_entry_is_sealed();
CREATE TRIGGER audit_node_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.audit_node FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER availability_exception_version BEFORE UPDATE ON {schema}.availability_exception FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER availability_rule_version BEFORE UPDATE ON {schema}.availability_rule FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE CONSTRAINT TRIGGER break_glass_access_changed AFTER INSERT OR DELETE OR UPDATE ON {schema}.break_glass DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.access_changed();
CREATE TRIGGER break_glass_kept BEFORE UPDATE ON {schema}.break_glass FOR EACH ROW EXECUTE FUNCTION {schema}.keep_break_glass_as_it_was();
--
CREATE TRIGGER break_glass_overdue BEFORE INSERT ON {schema}.break_glass FOR EACH ROW EXECUTE FUNCTION {schema}.refuse_break_glass_while_overdue();
CREATE TRIGGER break_glass_stays BEFORE DELETE OR TRUNCATE ON {schema}.break_glass FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER break_glass_transition BEFORE INSERT OR UPDATE ON {schema}.break_glass FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('break_glass');
CREATE TRIGGER break_glass_version BEFORE UPDATE ON {schema}.break_glass FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER care_team_member_version BEFORE UPDATE ON {schema}.care_team_member FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER chart_version_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.chart_version FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
--
CREATE TRIGGER clinical_document_begun AFTER INSERT ON {schema}.clinical_document REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {schema}.drafts_counted();
CREATE TRIGGER clinical_document_saved AFTER UPDATE ON {schema}.clinical_document REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {schema}.drafts_counted();
CREATE TRIGGER clinical_document_stays BEFORE DELETE OR TRUNCATE ON {schema}.clinical_document FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER clinical_document_transition BEFORE INSERT OR UPDATE ON {schema}.clinical_document FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('clinical_document');
CREATE TRIGGER clinical_document_version BEFORE UPDATE ON {schema}.clinical_document FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER condition_kept AFTER UPDATE ON {schema}.condition FOR EACH ROW EXECUTE FUNCTION {schema}.keep_chart_version('clinical');
--
CREATE TRIGGER condition_problem_step BEFORE UPDATE ON {schema}.condition FOR EACH ROW WHEN ((old.category = 'PROBLEM_LIST_ITEM'::text)) EXECUTE FUNCTION {schema}.enforce_problem_step();
CREATE TRIGGER condition_version BEFORE UPDATE ON {schema}.condition FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER consent_directive_version BEFORE UPDATE ON {schema}.consent_directive FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER delivery_attempt_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.delivery_attempt FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER delivery_report_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.delivery_report FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER device_version BEFORE UPDATE ON {schema}.device FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
--
CREATE TRIGGER disclosure_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.disclosure FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER document_signature_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.document_signature FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER document_version_counted AFTER INSERT ON {schema}.document_version REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {schema}.versions_counted();
CREATE TRIGGER document_version_head BEFORE INSERT ON {schema}.document_version FOR EACH ROW EXECUTE FUNCTION {schema}.move_document_head();
CREATE TRIGGER document_version_kept BEFORE UPDATE ON {schema}.document_version FOR EACH ROW EXECUTE FUNCTION {schema}.keep_document_version();
CREATE TRIGGER document_version_stays BEFORE DELETE OR TRUNCATE ON {schema}.document_version FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
--
CREATE TRIGGER encounter_closing_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.encounter_closing FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER encounter_diagnosis_transition BEFORE INSERT OR UPDATE ON {schema}.encounter_diagnosis FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('encounter_diagnosis');
CREATE TRIGGER encounter_diagnosis_version BEFORE UPDATE ON {schema}.encounter_diagnosis FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER encounter_hands_over_rule_findings AFTER UPDATE OF practitioner_id ON {schema}.encounter FOR EACH ROW WHEN ((new.practitioner_id IS DISTINCT FROM old.practitioner_id)) EXECUTE FUNCTION {schema}.hand_over_rule_findings();
CREATE TRIGGER encounter_kept AFTER UPDATE ON {schema}.encounter FOR EACH ROW EXECUTE FUNCTION {schema}.keep_chart_version('clinical');
CREATE TRIGGER encounter_known AFTER INSERT OR UPDATE OF facility_id ON {schema}.encounter FOR EACH ROW EXECUTE FUNCTION {schema}.know_patient_at_facility();
--
CREATE TRIGGER encounter_note_kept BEFORE UPDATE ON {schema}.encounter_note FOR EACH ROW EXECUTE FUNCTION {schema}.keep_encounter_note();
CREATE TRIGGER encounter_note_stays BEFORE DELETE OR TRUNCATE ON {schema}.encounter_note FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER encounter_transition BEFORE INSERT OR UPDATE ON {schema}.encounter FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('encounter');
CREATE TRIGGER encounter_unfinished BEFORE UPDATE ON {schema}.encounter FOR EACH ROW WHEN (((new.status = 'CLOSED'::text) AND (old.status <> 'CLOSED'::text))) EXECUTE FUNCTION {schema}.hold_close_gate();
CREATE TRIGGER encounter_version BEFORE UPDATE ON {schema}.encounter FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER event_kept BEFORE UPDATE ON {schema}.event FOR EACH ROW EXECUTE FUNCTION {schema}.keep_event();
--
CREATE TRIGGER event_numbered BEFORE INSERT ON {schema}.event FOR EACH ROW EXECUTE FUNCTION {schema}.number_event();
CREATE TRIGGER event_stays BEFORE DELETE OR TRUNCATE ON {schema}.event FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER facility_version BEFORE UPDATE ON {schema}.facility FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER family_history_kept AFTER UPDATE ON {schema}.family_history FOR EACH ROW EXECUTE FUNCTION {schema}.keep_chart_version('clinical');
CREATE TRIGGER family_history_stays BEFORE DELETE OR TRUNCATE ON {schema}.family_history FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER family_history_transition BEFORE INSERT OR UPDATE ON {schema}.family_history FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('family_history');
--
CREATE TRIGGER family_history_version BEFORE UPDATE ON {schema}.family_history FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER fhir_resource_added AFTER INSERT ON {schema}.fhir_resource REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {schema}.resources_counted();
CREATE TRIGGER fhir_resource_removed AFTER DELETE ON {schema}.fhir_resource REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION {schema}.resources_counted();
CREATE CONSTRAINT TRIGGER field_policy_access_changed AFTER INSERT OR DELETE OR UPDATE ON {schema}.field_policy DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.access_changed();
CREATE TRIGGER identity_provider_version BEFORE UPDATE ON {schema}.identity_provider FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER immunization_kept AFTER UPDATE ON {schema}.immunization FOR EACH ROW EXECUTE FUNCTION {schema}.keep_chart_version('clinical');
--
CREATE TRIGGER immunization_stays BEFORE DELETE OR TRUNCATE ON {schema}.immunization FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER immunization_transition BEFORE INSERT OR UPDATE ON {schema}.immunization FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('immunization');
CREATE TRIGGER immunization_version BEFORE UPDATE ON {schema}.immunization FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER invitation_transition BEFORE INSERT OR UPDATE ON {schema}.invitation FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('invitation');
CREATE TRIGGER invitation_version BEFORE UPDATE ON {schema}.invitation FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER job_transition BEFORE INSERT OR UPDATE ON {schema}.job FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('job');
--
CREATE TRIGGER mail_message_transition BEFORE INSERT OR UPDATE ON {schema}.mail_message FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('mail_message');
CREATE TRIGGER medication_statement_kept AFTER UPDATE ON {schema}.medication_statement FOR EACH ROW EXECUTE FUNCTION {schema}.keep_chart_version('clinical');
CREATE TRIGGER medication_statement_stays BEFORE DELETE OR TRUNCATE ON {schema}.medication_statement FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER medication_statement_transition BEFORE INSERT OR UPDATE ON {schema}.medication_statement FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('medication_statement');
CREATE TRIGGER medication_statement_version BEFORE UPDATE ON {schema}.medication_statement FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE CONSTRAINT TRIGGER membership_access_changed AFTER INSERT OR DELETE OR UPDATE ON {schema}.membership DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.access_changed();
--
CREATE TRIGGER note_template_bumped BEFORE UPDATE ON {schema}.note_template FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER note_template_kept AFTER INSERT OR UPDATE ON {schema}.note_template FOR EACH ROW EXECUTE FUNCTION {schema}.keep_note_template_version();
CREATE TRIGGER note_template_version_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.note_template_version FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER notification_profile_version BEFORE UPDATE ON {schema}.notification_profile FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER notification_template_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.notification_template FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER notification_transition BEFORE INSERT OR UPDATE ON {schema}.notification FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('notification');
--
CREATE TRIGGER notification_version BEFORE UPDATE ON {schema}.notification FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER observation_kept AFTER UPDATE ON {schema}.observation FOR EACH ROW EXECUTE FUNCTION {schema}.keep_chart_version('result');
CREATE TRIGGER observation_transition BEFORE INSERT OR UPDATE ON {schema}.observation FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('observation');
CREATE TRIGGER observation_version BEFORE UPDATE ON {schema}.observation FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER organization_version BEFORE UPDATE ON {schema}.organization FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER patient_transition BEFORE INSERT OR UPDATE ON {schema}.patient FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('patient');
--
CREATE TRIGGER patient_version BEFORE UPDATE ON {schema}.patient FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER practitioner_version BEFORE UPDATE ON {schema}.practitioner FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER procedure_kept AFTER UPDATE ON {schema}.procedure FOR EACH ROW EXECUTE FUNCTION {schema}.keep_chart_version('clinical');
CREATE TRIGGER procedure_stays BEFORE DELETE OR TRUNCATE ON {schema}.procedure FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER procedure_transition BEFORE INSERT OR UPDATE ON {schema}.procedure FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('procedure');
CREATE TRIGGER procedure_version BEFORE UPDATE ON {schema}.procedure FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
--
CREATE TRIGGER queue_token_transition BEFORE INSERT OR UPDATE ON {schema}.queue_token FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('queue_token');
CREATE TRIGGER queue_token_version BEFORE UPDATE ON {schema}.queue_token FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER registered_operation_text BEFORE UPDATE ON {schema}.registered_operation FOR EACH ROW EXECUTE FUNCTION {schema}.keep_document();
CREATE TRIGGER registered_operation_transition BEFORE INSERT OR UPDATE ON {schema}.registered_operation FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('registered_operation');
CREATE TRIGGER related_person_version BEFORE UPDATE ON {schema}.related_person FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE CONSTRAINT TRIGGER role_access_changed AFTER DELETE OR UPDATE ON {schema}.role DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.access_changed();
--
CREATE CONSTRAINT TRIGGER role_permission_access_changed AFTER INSERT OR DELETE OR UPDATE ON {schema}.role_permission DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.access_changed();
CREATE TRIGGER role_version BEFORE UPDATE ON {schema}.role FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER room_version BEFORE UPDATE ON {schema}.room FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER rule_evaluation_append_only BEFORE DELETE OR UPDATE OF id, at, rule_id, cause_id, patient_id, encounter_id, result, reason, inputs_hash, explanation, measured OR TRUNCATE ON {schema}.rule_evaluation FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER rule_evaluation_given BEFORE INSERT ON {schema}.rule_evaluation FOR EACH ROW WHEN ((new.practitioner_id IS NULL)) EXECUTE FUNCTION {schema}.give_rule_finding();
CREATE TRIGGER rule_kept BEFORE UPDATE ON {schema}.rule FOR EACH ROW EXECUTE FUNCTION {schema}.keep_rule();
--
CREATE TRIGGER rule_stays BEFORE DELETE OR TRUNCATE ON {schema}.rule FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER rule_test_case_kept BEFORE INSERT OR DELETE OR UPDATE ON {schema}.rule_test_case FOR EACH ROW EXECUTE FUNCTION {schema}.keep_rule_tests();
CREATE TRIGGER rule_tested BEFORE INSERT OR UPDATE OF status ON {schema}.rule FOR EACH ROW EXECUTE FUNCTION {schema}.require_rule_tests();
CREATE TRIGGER rule_transition BEFORE INSERT OR UPDATE ON {schema}.rule FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('rule');
CREATE TRIGGER rule_version BEFORE UPDATE ON {schema}.rule FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER security_alert_transition BEFORE INSERT OR UPDATE ON {schema}.security_alert FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('security_alert');
--
CREATE TRIGGER security_alert_version BEFORE UPDATE ON {schema}.security_alert FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER sensitivity_label_object BEFORE INSERT OR UPDATE ON {schema}.sensitivity_label FOR EACH ROW EXECUTE FUNCTION {schema}.refuse_foreign_label();
CREATE CONSTRAINT TRIGGER session_access_changed AFTER DELETE OR UPDATE OF token_hash, user_id, kind, expires_at, ended_at, second_factor_at ON {schema}.session DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.access_changed();
CREATE CONSTRAINT TRIGGER session_policy_access_changed AFTER INSERT OR DELETE OR UPDATE ON {schema}.session_policy DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.access_changed();
CREATE TRIGGER session_policy_version BEFORE UPDATE ON {schema}.session_policy FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER social_history_kept AFTER UPDATE ON {schema}.social_history FOR EACH ROW EXECUTE FUNCTION {schema}.keep_chart_version('clinical');
--
CREATE TRIGGER social_history_stays BEFORE DELETE OR TRUNCATE ON {schema}.social_history FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER social_history_transition BEFORE INSERT OR UPDATE ON {schema}.social_history FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('social_history');
CREATE TRIGGER social_history_version BEFORE UPDATE ON {schema}.social_history FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE CONSTRAINT TRIGGER storage_change_drawn AFTER INSERT ON {schema}.storage_change DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.storage_drawn();
CREATE TRIGGER task_escalation_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON {schema}.task_escalation FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER task_focus_agrees BEFORE INSERT OR UPDATE OF focus_kind, focus_id, patient_id ON {schema}.task FOR EACH ROW EXECUTE FUNCTION {schema}.refuse_foreign_focus();
--
CREATE TRIGGER task_transition BEFORE INSERT OR UPDATE ON {schema}.task FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('task');
CREATE TRIGGER task_version BEFORE UPDATE ON {schema}.task FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE CONSTRAINT TRIGGER user_account_access_changed AFTER DELETE OR UPDATE OF display_name, practitioner_id, active ON {schema}.user_account DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.access_changed();
CREATE TRIGGER user_account_seats AFTER INSERT OR DELETE OR UPDATE OF active ON {schema}.user_account FOR EACH ROW EXECUTE FUNCTION {schema}.seats_drawn();
CREATE TRIGGER user_account_version BEFORE UPDATE ON {schema}.user_account FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER visit_type_version BEFORE UPDATE ON {schema}.visit_type FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
--
CREATE TRIGGER waitlist_entry_transition BEFORE INSERT OR UPDATE ON {schema}.waitlist_entry FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('waitlist_entry');
CREATE TRIGGER waitlist_entry_version BEFORE UPDATE ON {schema}.waitlist_entry FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER workflow_definition_transition BEFORE INSERT OR UPDATE ON {schema}.workflow_definition FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('workflow_definition');
CREATE TRIGGER workflow_definition_version BEFORE UPDATE ON {schema}.workflow_definition FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
CREATE TRIGGER workflow_instance_transition BEFORE INSERT OR UPDATE ON {schema}.workflow_instance FOR EACH ROW EXECUTE FUNCTION {schema}.enforce_transition('workflow_instance');
CREATE TRIGGER workflow_instance_version BEFORE UPDATE ON {schema}.workflow_instance FOR EACH ROW EXECUTE FUNCTION {schema}.bump_version();
--
CREATE TRIGGER workflow_step_kept BEFORE INSERT OR DELETE OR UPDATE ON {schema}.workflow_step FOR EACH ROW EXECUTE FUNCTION {schema}.keep_workflow_steps();
REVOKE ALL ON FUNCTION {schema}.access_changed() FROM PUBLIC;
GRANT ALL ON FUNCTION {schema}.allergy_as_of(whose uuid, moment timestamp with time zone) TO {role};
REVOKE ALL ON FUNCTION {schema}.appointments_counted() FROM PUBLIC;
REVOKE ALL ON FUNCTION {schema}.audit_entry_is_sealed() FROM PUBLIC;
REVOKE ALL ON FUNCTION {schema}.audit_entry_waits() FROM PUBLIC;
--
REVOKE ALL ON FUNCTION {schema}.change_storage(more bigint, new boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION {schema}.chart_is_whole(whose uuid, moment timestamp with time zone) TO {role};
GRANT ALL ON FUNCTION {schema}.condition_as_of(whose uuid, moment timestamp with time zone) TO {role};
REVOKE ALL ON FUNCTION {schema}.count_appointments(branch uuid, begun date, standing text, more bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION {schema}.document_version_as_of(whose uuid, moment timestamp with time zone) TO {role};
REVOKE ALL ON FUNCTION {schema}.drafts_counted() FROM PUBLIC;
--
REVOKE ALL ON FUNCTION {schema}.draw_quota(what text, more bigint, refusable boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION {schema}.encounter_as_of(whose uuid, moment timestamp with time zone) TO {role};
GRANT ALL ON FUNCTION {schema}.family_history_as_of(whose uuid, moment timestamp with time zone) TO {role};
REVOKE ALL ON FUNCTION {schema}.grant_to_runtime(relation regclass, rights text) FROM PUBLIC;
GRANT ALL ON FUNCTION {schema}.immunization_as_of(whose uuid, moment timestamp with time zone) TO {role};
REVOKE ALL ON FUNCTION {schema}.keep_chart_version() FROM PUBLIC;
--
REVOKE ALL ON FUNCTION {schema}.keep_note_template_version() FROM PUBLIC;
GRANT ALL ON FUNCTION {schema}.medication_statement_as_of(whose uuid, moment timestamp with time zone) TO {role};
GRANT ALL ON FUNCTION {schema}.month_of(moment timestamp with time zone, zone text) TO {role};
REVOKE ALL ON FUNCTION {schema}.move_document_head() FROM PUBLIC;
GRANT ALL ON FUNCTION {schema}.observation_as_of(whose uuid, moment timestamp with time zone) TO {role};
GRANT ALL ON FUNCTION {schema}.order_events() TO {role};
--
GRANT ALL ON FUNCTION {schema}.procedure_as_of(whose uuid, moment timestamp with time zone) TO {role};
REVOKE ALL ON FUNCTION {schema}.recount_quotas() FROM PUBLIC;
REVOKE ALL ON FUNCTION {schema}.refuse_foreign_label() FROM PUBLIC;
REVOKE ALL ON FUNCTION {schema}.refuse_over_quota(what text) FROM PUBLIC;
REVOKE ALL ON FUNCTION {schema}.resources_counted() FROM PUBLIC;
REVOKE ALL ON FUNCTION {schema}.seats_drawn() FROM PUBLIC;
--
GRANT ALL ON FUNCTION {schema}.social_history_as_of(whose uuid, moment timestamp with time zone) TO {role};
REVOKE ALL ON FUNCTION {schema}.storage_drawn() FROM PUBLIC;
REVOKE ALL ON FUNCTION {schema}.versions_counted() FROM PUBLIC;
ALTER TABLE ONLY {schema}.allergy
    ADD CONSTRAINT allergy_encounter_fk FOREIGN KEY (encounter_id, patient_id) REFERENCES {schema}.encounter(id, patient_id);
ALTER TABLE ONLY {schema}.appointment
    ADD CONSTRAINT appointment_waitlist_entry_fk FOREIGN KEY (waitlist_entry_id) REFERENCES {schema}.waitlist_entry(id);
GRANT SELECT ON TABLE {schema}.access_mark, {schema}.appointment_count, {schema}.audit_pending, {schema}.break_glass_open, {schema}.chart_version, {schema}.note_template_version, {schema}.quota, {schema}.status_transition, {schema}.tenant_self TO {role};
--
GRANT SELECT, INSERT(document_id), INSERT(version), INSERT(id), INSERT(supersedes), INSERT(patient_id), INSERT(kind), INSERT(author_id), INSERT(authored_at), INSERT(body), INSERT(sha256) ON TABLE {schema}.document_version TO {role};
GRANT SELECT, INSERT(id), INSERT(kind), INSERT(at), INSERT(actor_id), INSERT(patient_id), INSERT(encounter_id), INSERT(subject_id), INSERT(body) ON TABLE {schema}.event TO {role};
GRANT SELECT, INSERT(id), INSERT(user_id), INSERT(patient_id), INSERT(category), INSERT(classes), INSERT(statement), INSERT(status),UPDATE(status), INSERT(declared_at), INSERT(expires_at), INSERT(review_due_at), UPDATE(ended_at), UPDATE(ended_by), UPDATE(overdue_told_at), UPDATE(reviewed_at), UPDATE(reviewed_by), UPDATE(finding) ON TABLE {schema}.break_glass TO {role};
GRANT SELECT,INSERT ON TABLE {schema}.audit_change, {schema}.audit_checkpoint, {schema}.audit_entry, {schema}.audit_leaf, {schema}.audit_node, {schema}.delivery_attempt, {schema}.delivery_report, {schema}.disclosure, {schema}.document_signature, {schema}.encounter_closing, {schema}.fhir_resource, {schema}.import_source, {schema}.notification_template, {schema}.patient_facility, {schema}.phi_key, {schema}.rule_test_case, {schema}.task_escalation, {schema}.workflow_step TO {role};
GRANT SELECT,INSERT, UPDATE(body) ON TABLE {schema}.encounter_note TO {role};
GRANT SELECT,INSERT, UPDATE(practitioner_id) ON TABLE {schema}.rule_evaluation TO {role};
--
GRANT SELECT,INSERT, UPDATE(status) ON TABLE {schema}.encounter_diagnosis TO {role};
GRANT SELECT,INSERT, UPDATE(status), UPDATE(acknowledged_at), UPDATE(acknowledged_by), UPDATE(closed_at), UPDATE(closed_by), UPDATE(override_reason), UPDATE(words), UPDATE(practitioner_id) ON TABLE {schema}.alert TO {role};
GRANT SELECT,INSERT, UPDATE(status), UPDATE(clinical), UPDATE(code_tokens) ON TABLE {schema}.allergy, {schema}.family_history, {schema}.immunization, {schema}.medication_statement, {schema}.procedure, {schema}.social_history TO {role};
GRANT SELECT,INSERT, UPDATE(status), UPDATE(draft), UPDATE(lease_holder), UPDATE(lease_until) ON TABLE {schema}.clinical_document TO {role};
GRANT SELECT,INSERT, UPDATE(status), UPDATE(ends_at), UPDATE(approved_by), UPDATE(approved_at) ON TABLE {schema}.rule TO {role};
GRANT SELECT,INSERT,DELETE ON TABLE {schema}.finished_sign_in, {schema}.membership, {schema}.organization_identifier, {schema}.patient_token, {schema}.practitioner_identifier, {schema}.role_permission, {schema}.spent_challenge TO {role};
--
GRANT SELECT,INSERT,DELETE, UPDATE(ends_at) ON TABLE {schema}.encounter_participant TO {role};
GRANT SELECT,INSERT,DELETE, UPDATE(last_used_at) ON TABLE {schema}.external_identity TO {role};
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE {schema}.account_link, {schema}.api_client_secret, {schema}.appointment_resource, {schema}.audit_unwatched, {schema}.availability_exception, {schema}.availability_rule, {schema}.factor_guard, {schema}.field_policy, {schema}.idempotency_key, {schema}.identity_provider, {schema}.job, {schema}.mail_message, {schema}.passkey, {schema}.recovery_code, {schema}.refresh_token, {schema}.totp TO {role};
GRANT SELECT,INSERT,UPDATE ON TABLE {schema}.api_client, {schema}.appointment, {schema}.appointment_series, {schema}.calendar_feed, {schema}.care_team_member, {schema}.channel_consent, {schema}.condition, {schema}.consent_directive, {schema}.counter, {schema}.device, {schema}.encounter, {schema}.facility, {schema}.invitation, {schema}.note_template, {schema}.notification, {schema}.notification_preference, {schema}.notification_profile, {schema}.observation, {schema}.organization, {schema}.patient, {schema}.practitioner, {schema}.push_device, {schema}.queue_token, {schema}.registered_operation, {schema}.related_person, {schema}.role, {schema}.room, {schema}.security_alert, {schema}.sensitivity_label, {schema}.session, {schema}.session_policy, {schema}.specialty, {schema}.suppression, {schema}.task, {schema}.user_account, {schema}.visit_type, {schema}.waitlist_entry, {schema}.workflow_definition, {schema}.workflow_instance TO {role};
GRANT SELECT,UPDATE ON TABLE {schema}.alert_rule, {schema}.audit_sealer, {schema}.visit_policy TO {role};
