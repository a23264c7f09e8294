-- Notices to staff and patients: what is to be said, to whom, by which channel, and what became of it.
-- No row holds an address, a number or the words of a notice.

CREATE TABLE notification (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    topic text NOT NULL CONSTRAINT notification_topic_known CHECK (topic IN (
        'APPOINTMENT_BOOKED', 'APPOINTMENT_MOVED', 'APPOINTMENT_CANCELLED', 'APPOINTMENT_REMINDER',
        'TASK_ASSIGNED', 'TASK_ESCALATED', 'ALERT_RAISED', 'DOCUMENT_TO_COSIGN')),
    subject_kind text NOT NULL CONSTRAINT notification_subject_known CHECK (subject_kind IN ('APPOINTMENT', 'TASK', 'ALERT', 'DOCUMENT')),
    subject_id uuid NOT NULL,
    -- The time of the subject that the notice speaks of: where it is another by now, the notice is not sent.
    about_at timestamptz,
    user_id uuid CONSTRAINT notification_user_fk REFERENCES user_account (id),
    patient_id uuid CONSTRAINT notification_patient_fk REFERENCES patient (id),
    channel text NOT NULL CONSTRAINT notification_channel_known CHECK (channel IN ('IN_APP', 'EMAIL', 'SMS', 'PUSH')),
    dedupe_key text NOT NULL CONSTRAINT notification_dedupe_unique UNIQUE,
    status text NOT NULL DEFAULT 'SCHEDULED' CONSTRAINT notification_status_known CHECK (status IN (
        'SCHEDULED', 'SENDING', 'SENT', 'DELIVERED', 'FAILED', 'DEAD', 'CANCELLED', 'SUPPRESSED')),
    -- When it was to be sent, quiet hours apart.
    scheduled_for timestamptz NOT NULL,
    -- Afterwards it is not worth sending.
    expires_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    -- When somebody looks at it next; while it is being sent, the end of the lease.
    next_attempt_at timestamptz NOT NULL,
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    -- Why it is where it is, as a code.
    reason text,
    CONSTRAINT notification_one_recipient CHECK ((user_id IS NULL) <> (patient_id IS NULL)),
    CONSTRAINT notification_in_app_is_for_users CHECK (channel <> 'IN_APP' OR user_id IS NOT NULL),
    CONSTRAINT notification_read_in_app CHECK (read_at IS NULL OR channel = 'IN_APP'),
    CONSTRAINT notification_sent_has_time CHECK (status <> 'SENT' OR sent_at IS NOT NULL),
    CONSTRAINT notification_delivered_has_time CHECK (status <> 'DELIVERED' OR delivered_at IS NOT NULL)
);
CREATE INDEX notification_due ON notification (next_attempt_at, id) WHERE status IN ('SCHEDULED', 'SENDING', 'FAILED');
CREATE INDEX notification_pending_by_subject ON notification (subject_id) WHERE status IN ('SCHEDULED', 'FAILED');
CREATE INDEX notification_by_user ON notification (user_id, id) WHERE channel = 'IN_APP';
CREATE INDEX notification_unread ON notification (user_id, id) WHERE channel = 'IN_APP' AND read_at IS NULL;
CREATE TRIGGER notification_transition BEFORE INSERT OR UPDATE ON notification
    FOR EACH ROW EXECUTE FUNCTION enforce_transition('notification');
CREATE TRIGGER notification_version BEFORE UPDATE ON notification FOR EACH ROW EXECUTE FUNCTION bump_version();

INSERT INTO status_transition (machine, from_status, to_status, permission) VALUES
    ('notification', '', 'SCHEDULED', ''),
    ('notification', '', 'DELIVERED', ''),
    ('notification', 'SCHEDULED', 'SENDING', ''),
    ('notification', 'SCHEDULED', 'CANCELLED', ''),
    ('notification', 'SENDING', 'SCHEDULED', ''),
    ('notification', 'SENDING', 'SENT', ''),
    ('notification', 'SENDING', 'DELIVERED', ''),
    ('notification', 'SENDING', 'FAILED', ''),
    ('notification', 'SENDING', 'DEAD', ''),
    ('notification', 'SENDING', 'CANCELLED', ''),
    ('notification', 'SENDING', 'SUPPRESSED', ''),
    ('notification', 'SENT', 'DELIVERED', ''),
    ('notification', 'SENT', 'DEAD', ''),
    ('notification', 'FAILED', 'SENDING', ''),
    -- A provider that did not answer in time may tell later that it has the message.
    ('notification', 'FAILED', 'SENT', ''),
    ('notification', 'FAILED', 'DELIVERED', ''),
    ('notification', 'FAILED', 'CANCELLED', '');
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('notification', 'DEAD', 'SCHEDULED', 'notification:manage', 'notificationRetry');

-- Each try of which somebody lived to tell.
CREATE TABLE delivery_attempt (
    notification_id uuid NOT NULL CONSTRAINT delivery_attempt_notification_fk REFERENCES notification (id),
    attempt integer NOT NULL CONSTRAINT delivery_attempt_positive CHECK (attempt > 0),
    ended_at timestamptz NOT NULL,
    provider text NOT NULL,
    outcome text NOT NULL CONSTRAINT delivery_attempt_outcome_known CHECK (outcome IN ('SENT', 'FAILED', 'DEAD')),
    provider_message_id text,
    error text,
    PRIMARY KEY (notification_id, attempt)
);
CREATE TRIGGER delivery_attempt_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON delivery_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What a provider reported afterwards, or received: each report counts once, however often it is sent.
CREATE TABLE delivery_report (
    provider text NOT NULL,
    provider_message_id text NOT NULL,
    report text NOT NULL,
    notification_id uuid CONSTRAINT delivery_report_notification_fk REFERENCES notification (id),
    reported_at timestamptz NOT NULL,
    error text,
    PRIMARY KEY (provider, provider_message_id, report)
);
CREATE INDEX delivery_report_by_notification ON delivery_report (notification_id);
CREATE TRIGGER delivery_report_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON delivery_report
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How a recipient (a user or a patient) is spoken to, and when not.
CREATE TABLE notification_profile (
    recipient_id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    locale text,
    time_zone text,
    quiet_from time,
    quiet_until time,
    CONSTRAINT notification_profile_quiet_whole CHECK ((quiet_from IS NULL) = (quiet_until IS NULL))
);
CREATE TRIGGER notification_profile_version BEFORE UPDATE ON notification_profile FOR EACH ROW EXECUTE FUNCTION bump_version();

-- What a recipient wants otherwise than it is by default.
CREATE TABLE notification_preference (
    recipient_id uuid NOT NULL,
    topic text NOT NULL,
    channel text NOT NULL CONSTRAINT notification_preference_channel_known CHECK (channel IN ('IN_APP', 'EMAIL', 'SMS', 'PUSH')),
    enabled boolean NOT NULL,
    PRIMARY KEY (recipient_id, topic, channel)
);

-- The clinic's own words; the newest version of a topic, channel and locale is used.
CREATE TABLE notification_template (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    created_by uuid,
    topic text NOT NULL,
    channel text NOT NULL CONSTRAINT notification_template_channel_known CHECK (channel IN ('IN_APP', 'EMAIL', 'SMS', 'PUSH')),
    locale text NOT NULL,
    version integer NOT NULL CONSTRAINT notification_template_version_positive CHECK (version > 0),
    subject text,
    body text NOT NULL,
    CONSTRAINT notification_template_version_unique UNIQUE (topic, channel, locale, version),
    CONSTRAINT notification_template_mail_has_subject CHECK ((channel = 'EMAIL') = (subject IS NOT NULL))
);
CREATE TRIGGER notification_template_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON notification_template
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A patient agreed to be written to at one number or address, known here by its keyed hash: another number, another consent.
CREATE TABLE channel_consent (
    id uuid PRIMARY KEY,
    patient_id uuid NOT NULL CONSTRAINT channel_consent_patient_fk REFERENCES patient (id),
    channel text NOT NULL CONSTRAINT channel_consent_channel_known CHECK (channel IN ('EMAIL', 'SMS')),
    contact_token bytea NOT NULL,
    given_at timestamptz NOT NULL,
    recorded_by uuid,
    withdrawn_at timestamptz,
    withdrawn_by uuid
);
CREATE UNIQUE INDEX channel_consent_one_given ON channel_consent (patient_id, channel) WHERE withdrawn_at IS NULL;

-- Nothing goes to this number or address any more, whosever it is.
CREATE TABLE suppression (
    id uuid PRIMARY KEY,
    channel text NOT NULL CONSTRAINT suppression_channel_known CHECK (channel IN ('EMAIL', 'SMS')),
    contact_token bytea NOT NULL,
    reason text NOT NULL CONSTRAINT suppression_reason_known CHECK (reason IN ('STOP', 'BOUNCE', 'COMPLAINT')),
    created_at timestamptz NOT NULL,
    lifted_at timestamptz
);
CREATE UNIQUE INDEX suppression_one_open ON suppression (channel, contact_token) WHERE lifted_at IS NULL;

-- Where a user wants to be rung up; the token is as good as the right to ring.
CREATE TABLE push_device (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    user_id uuid NOT NULL CONSTRAINT push_device_user_fk REFERENCES user_account (id),
    name text NOT NULL,
    address bytea NOT NULL,
    address_hash bytea NOT NULL,
    removed_at timestamptz
);
CREATE UNIQUE INDEX push_device_one_open ON push_device (address_hash) WHERE removed_at IS NULL;
CREATE INDEX push_device_by_user ON push_device (user_id) WHERE removed_at IS NULL;

SELECT grant_to_runtime('notification', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('delivery_attempt', 'SELECT, INSERT');
SELECT grant_to_runtime('delivery_report', 'SELECT, INSERT');
SELECT grant_to_runtime('notification_profile', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('notification_preference', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('notification_template', 'SELECT, INSERT');
SELECT grant_to_runtime('channel_consent', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('suppression', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('push_device', 'SELECT, INSERT, UPDATE');
