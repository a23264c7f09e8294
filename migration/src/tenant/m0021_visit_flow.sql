-- State machines as data, and the flow of a visit.

-- Which mutation takes an object along a step, so that what is possible is read from the same rows as what is legal.
-- A row that leads to the status it comes from is possible there and changes no status.
ALTER TABLE status_transition ADD COLUMN IF NOT EXISTS action text NOT NULL DEFAULT '';
ALTER TABLE status_transition DROP CONSTRAINT status_transition_pkey;
ALTER TABLE status_transition ADD CONSTRAINT status_transition_pkey PRIMARY KEY (machine, from_status, to_status, action);

-- The steps of earlier versions, by name.
UPDATE status_transition t SET action = n.action FROM (VALUES
    ('patient', 'ACTIVE', 'INACTIVE', 'patientDeactivate'),
    ('patient', 'INACTIVE', 'ACTIVE', 'patientReactivate'),
    ('patient', 'ACTIVE', 'DECEASED', 'patientRecordDeath'),
    ('patient', 'INACTIVE', 'DECEASED', 'patientRecordDeath'),
    ('appointment', 'BOOKED', 'CANCELLED', 'appointmentCancel'),
    ('appointment', 'CONFIRMED', 'CANCELLED', 'appointmentCancel'),
    ('appointment', 'BOOKED', 'NO_SHOW', 'appointmentMarkNoShow'),
    ('appointment', 'CONFIRMED', 'NO_SHOW', 'appointmentMarkNoShow'),
    ('break_glass', 'ACTIVE', 'ENDED', 'breakGlassEnd'),
    ('break_glass', 'ENDED', 'JUSTIFIED', 'breakGlassReview'),
    ('break_glass', 'ENDED', 'UNJUSTIFIED', 'breakGlassReview'),
    ('break_glass', 'EXPIRED', 'JUSTIFIED', 'breakGlassReview'),
    ('break_glass', 'EXPIRED', 'UNJUSTIFIED', 'breakGlassReview'),
    ('invitation', 'SENT', 'REVOKED', 'invitationRevoke'),
    ('api_client', 'ACTIVE', 'RETIRED', 'apiClientRetire'),
    ('security_alert', 'OPEN', 'CLOSED', 'securityAlertClose')
) AS n (machine, from_status, to_status, action)
WHERE (t.machine, t.from_status, t.to_status) = (n.machine, n.from_status, n.to_status);

-- What is possible without changing the status.
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT 'patient', status, status, permission, action
    FROM (VALUES
        ('patient:update', 'patientUpdate', ARRAY['ACTIVE', 'INACTIVE', 'DECEASED']),
        ('patient:update', 'relatedPersonAdd', ARRAY['ACTIVE', 'INACTIVE', 'DECEASED']),
        ('appointment:book', 'appointmentBook', ARRAY['ACTIVE']),
        ('care-team:manage', 'careTeamAdd', ARRAY['ACTIVE', 'INACTIVE', 'DECEASED', 'MERGED', 'ERASED']),
        ('consent:record', 'consentRecord', ARRAY['ACTIVE', 'INACTIVE', 'DECEASED', 'MERGED', 'ERASED']),
        ('sensitivity:label', 'confidentialitySet', ARRAY['ACTIVE', 'INACTIVE', 'DECEASED', 'MERGED', 'ERASED'])
    ) AS possible (permission, action, statuses), unnest(statuses) AS status;
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT 'appointment', status, status, permission, action
    FROM (VALUES
        ('appointment:reschedule', 'appointmentReschedule', ARRAY['BOOKED', 'CONFIRMED']),
        ('sensitivity:label', 'confidentialitySet',
            ARRAY['BOOKED', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED', 'NO_SHOW'])
    ) AS possible (permission, action, statuses), unnest(statuses) AS status;
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('invitation', 'SENT', 'SENT', 'user:manage', 'invitationResend'),
    ('api_client', 'ACTIVE', 'ACTIVE', 'operation:manage', 'apiClientRotateSecret');

-- An observation may arrive in any status; what was found stays, unless somebody says that it was a mistake.
CREATE TRIGGER observation_transition BEFORE INSERT OR UPDATE ON observation FOR EACH ROW EXECUTE FUNCTION enforce_transition('observation');
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('observation', '', 'REGISTERED', '', ''), ('observation', '', 'PRELIMINARY', '', ''), ('observation', '', 'FINAL', 'vitals:record', ''),
    ('observation', '', 'AMENDED', '', ''), ('observation', '', 'CORRECTED', '', ''), ('observation', '', 'CANCELLED', '', ''),
    ('observation', '', 'ENTERED_IN_ERROR', '', ''), ('observation', '', 'UNKNOWN', '', ''),
    ('observation', 'REGISTERED', 'PRELIMINARY', '', ''),
    ('observation', 'REGISTERED', 'FINAL', '', ''),
    ('observation', 'REGISTERED', 'CANCELLED', '', ''),
    ('observation', 'PRELIMINARY', 'FINAL', '', ''),
    ('observation', 'PRELIMINARY', 'CANCELLED', '', ''),
    ('observation', 'FINAL', 'AMENDED', '', ''),
    ('observation', 'FINAL', 'CORRECTED', '', ''),
    ('observation', 'AMENDED', 'CORRECTED', '', '');
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT 'observation', status, 'ENTERED_IN_ERROR', 'vitals:record', ''
    FROM unnest(ARRAY['REGISTERED', 'PRELIMINARY', 'FINAL', 'AMENDED', 'CORRECTED', 'UNKNOWN']) AS status;
