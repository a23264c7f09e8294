-- Schedules, resources, holds, series, waiting list, queue and calendar feeds.
--
-- A resource (practitioner, room, device) is booked in lanes: 0 up to its capacity, and below 0 as often as it may
-- be overbooked on purpose. Two visits that overlap never share a lane.

CREATE TABLE device (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    facility_id uuid NOT NULL CONSTRAINT device_facility_fk REFERENCES facility (id),
    -- What it is, as kinds of visit ask for it: ULTRASOUND.
    kind text NOT NULL CONSTRAINT device_kind_shape CHECK (kind ~ '^[A-Z][A-Z0-9_]{0,39}$'),
    name text NOT NULL,
    capacity integer NOT NULL DEFAULT 1 CONSTRAINT device_capacity_sensible CHECK (capacity BETWEEN 1 AND 100),
    overbook_limit integer NOT NULL DEFAULT 0 CONSTRAINT device_overbook_limit_sensible CHECK (overbook_limit BETWEEN 0 AND 20),
    active boolean NOT NULL DEFAULT true,
    CONSTRAINT device_name_unique UNIQUE (facility_id, name)
);
CREATE INDEX device_by_kind ON device (facility_id, kind);
CREATE TRIGGER device_version BEFORE UPDATE ON device FOR EACH ROW EXECUTE FUNCTION bump_version();

ALTER TABLE practitioner ADD COLUMN capacity integer NOT NULL DEFAULT 1;
ALTER TABLE practitioner ADD CONSTRAINT practitioner_capacity_sensible CHECK (capacity BETWEEN 1 AND 100) NOT VALID;
ALTER TABLE practitioner VALIDATE CONSTRAINT practitioner_capacity_sensible;
ALTER TABLE practitioner ADD COLUMN overbook_limit integer NOT NULL DEFAULT 1;
ALTER TABLE practitioner ADD CONSTRAINT practitioner_overbook_limit_sensible CHECK (overbook_limit BETWEEN 0 AND 20) NOT VALID;
ALTER TABLE practitioner VALIDATE CONSTRAINT practitioner_overbook_limit_sensible;
ALTER TABLE room ADD COLUMN capacity integer NOT NULL DEFAULT 1;
ALTER TABLE room ADD CONSTRAINT room_capacity_sensible CHECK (capacity BETWEEN 1 AND 100) NOT VALID;
ALTER TABLE room VALIDATE CONSTRAINT room_capacity_sensible;
ALTER TABLE room ADD COLUMN overbook_limit integer NOT NULL DEFAULT 0;
ALTER TABLE room ADD CONSTRAINT room_overbook_limit_sensible CHECK (overbook_limit BETWEEN 0 AND 20) NOT VALID;
ALTER TABLE room VALIDATE CONSTRAINT room_overbook_limit_sensible;

ALTER TABLE visit_type ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE visit_type ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE visit_type ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
-- Offered no later than so long before, and called off without remark no later than that.
ALTER TABLE visit_type ADD COLUMN lead_minutes integer NOT NULL DEFAULT 0;
ALTER TABLE visit_type ADD CONSTRAINT visit_type_lead_sensible CHECK (lead_minutes BETWEEN 0 AND 129600) NOT VALID;
ALTER TABLE visit_type VALIDATE CONSTRAINT visit_type_lead_sensible;
ALTER TABLE visit_type ADD COLUMN cutoff_minutes integer NOT NULL DEFAULT 0;
ALTER TABLE visit_type ADD CONSTRAINT visit_type_cutoff_sensible CHECK (cutoff_minutes BETWEEN 0 AND 129600) NOT VALID;
ALTER TABLE visit_type VALIDATE CONSTRAINT visit_type_cutoff_sensible;
ALTER TABLE visit_type ADD COLUMN needs_room boolean NOT NULL DEFAULT false;
ALTER TABLE visit_type ADD COLUMN device_kinds text[] NOT NULL DEFAULT '{}';
ALTER TABLE visit_type ADD CONSTRAINT visit_type_device_kinds_few CHECK (cardinality(device_kinds) <= 5) NOT VALID;
ALTER TABLE visit_type VALIDATE CONSTRAINT visit_type_device_kinds_few;
-- How long before the start patients are reminded; whole days are days on the wall clock.
ALTER TABLE visit_type ADD COLUMN reminder_minutes integer[] NOT NULL DEFAULT '{1440}';
ALTER TABLE visit_type ADD CONSTRAINT visit_type_reminders_few CHECK (cardinality(reminder_minutes) <= 5 AND 0 < ALL (reminder_minutes)) NOT VALID;
ALTER TABLE visit_type VALIDATE CONSTRAINT visit_type_reminders_few;
CREATE TRIGGER visit_type_version BEFORE UPDATE ON visit_type FOR EACH ROW EXECUTE FUNCTION bump_version();

-- Closed or extra time, of a branch as a whole or of one resource there, on the branch's wall clock.
CREATE TABLE availability_exception (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    facility_id uuid NOT NULL CONSTRAINT availability_exception_facility_fk REFERENCES facility (id),
    practitioner_id uuid CONSTRAINT availability_exception_practitioner_fk REFERENCES practitioner (id),
    room_id uuid CONSTRAINT availability_exception_room_fk REFERENCES room (id),
    device_id uuid CONSTRAINT availability_exception_device_fk REFERENCES device (id),
    kind text NOT NULL CONSTRAINT availability_exception_kind_known CHECK (kind IN ('CLOSED', 'EXTRA')),
    first_day date NOT NULL,
    last_day date NOT NULL,
    -- Both absent: all day.
    starts_local time,
    ends_local time,
    time_zone text NOT NULL,
    CONSTRAINT availability_exception_days_order CHECK (last_day >= first_day AND last_day - first_day <= 366),
    CONSTRAINT availability_exception_times_order CHECK (ends_local > starts_local),
    CONSTRAINT availability_exception_times_both CHECK ((starts_local IS NULL) = (ends_local IS NULL)),
    CONSTRAINT availability_exception_one_resource CHECK (num_nonnulls(practitioner_id, room_id, device_id) <= 1),
    CONSTRAINT availability_exception_extra_of CHECK (kind = 'CLOSED' OR (practitioner_id IS NOT NULL AND starts_local IS NOT NULL))
);
CREATE INDEX availability_exception_by_facility ON availability_exception (facility_id, last_day);
CREATE TRIGGER availability_exception_version BEFORE UPDATE ON availability_exception FOR EACH ROW EXECUTE FUNCTION bump_version();

-- Visits that recur. A change ends one and begins another; what has been stays as it was.
CREATE TABLE appointment_series (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT appointment_series_patient_fk REFERENCES patient (id),
    practitioner_id uuid NOT NULL CONSTRAINT appointment_series_practitioner_fk REFERENCES practitioner (id),
    facility_id uuid NOT NULL CONSTRAINT appointment_series_facility_fk REFERENCES facility (id),
    -- RFC 5545, on the wall clock of the zone.
    rule text NOT NULL CONSTRAINT appointment_series_rule_short CHECK (length(rule) <= 200),
    starts_local timestamp NOT NULL,
    time_zone text NOT NULL,
    status text NOT NULL CONSTRAINT appointment_series_status_known CHECK (status IN ('ACTIVE', 'CANCELLED', 'REPLACED')),
    replaces uuid CONSTRAINT appointment_series_replaces_fk REFERENCES appointment_series (id)
        CONSTRAINT appointment_series_replaced_once UNIQUE,
    -- Starts that the rule names and nobody could book.
    skipped timestamptz[] NOT NULL DEFAULT '{}',
    booked_by uuid
);
CREATE INDEX appointment_series_by_patient ON appointment_series (patient_id);
CREATE TRIGGER appointment_series_version BEFORE UPDATE ON appointment_series FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER appointment_series_transition BEFORE INSERT OR UPDATE ON appointment_series FOR EACH ROW EXECUTE FUNCTION enforce_transition('appointment_series');

-- Who waits for a time, and what they were offered.
CREATE TABLE waitlist_entry (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    patient_id uuid NOT NULL CONSTRAINT waitlist_entry_patient_fk REFERENCES patient (id),
    -- Anybody, anywhere, where absent.
    practitioner_id uuid CONSTRAINT waitlist_entry_practitioner_fk REFERENCES practitioner (id),
    facility_id uuid CONSTRAINT waitlist_entry_facility_fk REFERENCES facility (id),
    visit_type_id uuid CONSTRAINT waitlist_entry_visit_type_fk REFERENCES visit_type (id),
    modality text NOT NULL CONSTRAINT waitlist_entry_modality_known CHECK (modality IN ('IN_PERSON', 'VIDEO', 'PHONE')),
    duration_minutes integer NOT NULL CONSTRAINT waitlist_entry_duration_sensible CHECK (duration_minutes BETWEEN 5 AND 480),
    earliest timestamptz NOT NULL,
    latest timestamptz NOT NULL,
    priority text NOT NULL CONSTRAINT waitlist_entry_priority_known CHECK (priority IN ('URGENT', 'SOON', 'ROUTINE')),
    status text NOT NULL CONSTRAINT waitlist_entry_status_known CHECK (status IN ('WAITING', 'OFFERED', 'BOOKED', 'REMOVED')),
    -- The visit that is held for them, or was booked.
    appointment_id uuid CONSTRAINT waitlist_entry_appointment_fk REFERENCES appointment (id),
    added_by uuid,
    CONSTRAINT waitlist_entry_window CHECK (latest > earliest),
    CONSTRAINT waitlist_entry_offer CHECK ((status IN ('OFFERED', 'BOOKED')) = (appointment_id IS NOT NULL))
);
CREATE INDEX waitlist_entry_waiting ON waitlist_entry (earliest, latest) WHERE status = 'WAITING';
CREATE INDEX waitlist_entry_by_patient ON waitlist_entry (patient_id, id);
CREATE INDEX waitlist_entry_by_appointment ON waitlist_entry (appointment_id);
CREATE TRIGGER waitlist_entry_version BEFORE UPDATE ON waitlist_entry FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER waitlist_entry_transition BEFORE INSERT OR UPDATE ON waitlist_entry FOR EACH ROW EXECUTE FUNCTION enforce_transition('waitlist_entry');

ALTER TABLE appointment DROP CONSTRAINT appointment_status_known;
ALTER TABLE appointment ADD CONSTRAINT appointment_status_known CHECK (status IN ('PENDING', 'BOOKED', 'CONFIRMED', 'ARRIVED', 'CHECKED_IN', 'IN_ROOM', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED', 'NO_SHOW', 'EXPIRED', 'ENTERED_IN_ERROR')) NOT VALID;
ALTER TABLE appointment VALIDATE CONSTRAINT appointment_status_known;
-- Until when the time is kept for somebody who has not said yes.
ALTER TABLE appointment ADD COLUMN hold_expires_at timestamptz;
ALTER TABLE appointment ADD COLUMN series_id uuid;
ALTER TABLE appointment ADD CONSTRAINT appointment_series_fk FOREIGN KEY (series_id) REFERENCES appointment_series (id) NOT VALID;
ALTER TABLE appointment VALIDATE CONSTRAINT appointment_series_fk;
ALTER TABLE appointment ADD COLUMN waitlist_entry_id uuid;
ALTER TABLE appointment ADD CONSTRAINT appointment_waitlist_entry_fk FOREIGN KEY (waitlist_entry_id) REFERENCES waitlist_entry (id) NOT VALID;
ALTER TABLE appointment VALIDATE CONSTRAINT appointment_waitlist_entry_fk;
ALTER TABLE appointment ADD COLUMN overbooked boolean NOT NULL DEFAULT false;
-- Called off when less than the cut-off time was left.
ALTER TABLE appointment ADD COLUMN cancelled_late boolean NOT NULL DEFAULT false;
ALTER TABLE appointment ADD CONSTRAINT appointment_pending_expires CHECK (status <> 'PENDING' OR hold_expires_at IS NOT NULL) NOT VALID;
ALTER TABLE appointment VALIDATE CONSTRAINT appointment_pending_expires;
CREATE INDEX appointment_held ON appointment (hold_expires_at) WHERE status = 'PENDING';
CREATE INDEX appointment_by_series ON appointment (series_id, starts_at) WHERE series_id IS NOT NULL;
CREATE INDEX appointment_by_waitlist_entry ON appointment (waitlist_entry_id) WHERE waitlist_entry_id IS NOT NULL;

-- By which mutation a step is taken; the step after this one speaks of it in full.
ALTER TABLE status_transition ADD COLUMN IF NOT EXISTS action text NOT NULL DEFAULT '';
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('appointment', '', 'PENDING', 'appointment:book', ''),
    ('appointment', 'PENDING', 'BOOKED', 'appointment:book', 'appointmentHoldConfirm'),
    ('appointment', 'PENDING', 'CANCELLED', 'appointment:cancel', 'appointmentCancel'),
    ('appointment', 'PENDING', 'EXPIRED', 'system', ''),
    ('appointment', 'BOOKED', 'ARRIVED', 'appointment:book', 'appointmentArrive'),
    ('appointment', 'CONFIRMED', 'ARRIVED', 'appointment:book', 'appointmentArrive'),
    ('appointment', 'ARRIVED', 'CHECKED_IN', 'appointment:book', 'appointmentCheckIn'),
    ('appointment', 'ARRIVED', 'CANCELLED', 'appointment:cancel', 'appointmentCancel'),
    ('appointment', 'CHECKED_IN', 'IN_ROOM', 'appointment:book', 'appointmentRoom'),
    ('appointment', 'IN_ROOM', 'IN_PROGRESS', 'appointment:book', 'appointmentStart'),
    ('appointment', 'NO_SHOW', 'BOOKED', 'appointment:no-show', 'appointmentUndoNoShow'),
    ('appointment_series', '', 'ACTIVE', 'appointment:book', ''),
    ('appointment_series', 'ACTIVE', 'CANCELLED', 'appointment:cancel', 'appointmentSeriesCancel'),
    ('appointment_series', 'ACTIVE', 'REPLACED', 'appointment:reschedule', 'appointmentSeriesReplace'),
    ('waitlist_entry', '', 'WAITING', 'waiting-list:manage', ''),
    ('waitlist_entry', 'WAITING', 'OFFERED', 'system', ''),
    ('waitlist_entry', 'OFFERED', 'WAITING', 'waiting-list:manage', 'waitlistOfferDecline'),
    ('waitlist_entry', 'OFFERED', 'BOOKED', 'waiting-list:manage', 'waitlistOfferAccept'),
    ('waitlist_entry', 'WAITING', 'REMOVED', 'waiting-list:manage', 'waitlistEntryRemove'),
    ('waitlist_entry', 'OFFERED', 'REMOVED', 'waiting-list:manage', 'waitlistEntryRemove');
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT 'appointment', status, 'ENTERED_IN_ERROR', 'appointment:cancel', 'appointmentEnterInError'
    FROM unnest(ARRAY['BOOKED', 'CONFIRMED', 'ARRIVED', 'CHECKED_IN', 'IN_ROOM', 'COMPLETED', 'CANCELLED', 'NO_SHOW']) AS status;
INSERT INTO status_transition (machine, from_status, to_status, permission, action)
    SELECT 'appointment', status, status, 'sensitivity:label', 'confidentialitySet'
    FROM unnest(ARRAY['PENDING', 'ARRIVED', 'IN_ROOM', 'EXPIRED', 'ENTERED_IN_ERROR']) AS status;
UPDATE status_transition t SET action = n.action FROM (VALUES
    ('CONFIRMED', 'appointmentConfirm'), ('CHECKED_IN', 'appointmentCheckIn'),
    ('IN_PROGRESS', 'appointmentStart'), ('COMPLETED', 'appointmentComplete')
) AS n (to_status, action)
WHERE t.machine = 'appointment' AND t.to_status = n.to_status AND t.from_status <> '';

ALTER TABLE appointment_resource DROP CONSTRAINT appointment_no_overlap;
ALTER TABLE appointment_resource DROP CONSTRAINT appointment_resource_kind_known;
ALTER TABLE appointment_resource ADD COLUMN lane integer NOT NULL DEFAULT 0;
ALTER TABLE appointment_resource ADD CONSTRAINT appointment_resource_kind_known CHECK (kind IN ('PRACTITIONER', 'ROOM', 'DEVICE')) NOT VALID;
ALTER TABLE appointment_resource VALIDATE CONSTRAINT appointment_resource_kind_known;
ALTER TABLE appointment_resource ADD CONSTRAINT appointment_no_overlap EXCLUDE USING gist (resource_id WITH =, tstzrange(busy_from, busy_until, '[)') WITH &&, lane WITH =) WHERE (blocking);
CREATE INDEX appointment_resource_by_appointment ON appointment_resource (appointment_id);

-- A lane is one of the resource's own: below its capacity, and no further below 0 than it may be overbooked.
CREATE FUNCTION enforce_lane() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
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
CREATE TRIGGER appointment_resource_lane BEFORE INSERT OR UPDATE ON appointment_resource FOR EACH ROW EXECUTE FUNCTION enforce_lane();

-- Tokens of those who walk in: one number once a day in each queue.
CREATE TABLE queue_token (
    id uuid PRIMARY KEY,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    facility_id uuid NOT NULL CONSTRAINT queue_token_facility_fk REFERENCES facility (id),
    queue text NOT NULL CONSTRAINT queue_token_queue_shape CHECK (queue ~ '^[A-Z][A-Z0-9_]{0,19}$'),
    -- On the wall clock of the branch.
    day date NOT NULL,
    number integer NOT NULL CONSTRAINT queue_token_number_positive CHECK (number > 0),
    patient_id uuid CONSTRAINT queue_token_patient_fk REFERENCES patient (id),
    status text NOT NULL CONSTRAINT queue_token_status_known CHECK (status IN ('WAITING', 'CALLED', 'SERVED', 'SKIPPED')),
    desk text CONSTRAINT queue_token_desk_short CHECK (length(desk) <= 40),
    called_at timestamptz,
    served_at timestamptz,
    CONSTRAINT queue_token_number_unique UNIQUE (facility_id, queue, day, number)
);
CREATE INDEX queue_token_waiting ON queue_token (facility_id, queue, day, number) WHERE status = 'WAITING';
CREATE TRIGGER queue_token_version BEFORE UPDATE ON queue_token FOR EACH ROW EXECUTE FUNCTION bump_version();
CREATE TRIGGER queue_token_transition BEFORE INSERT OR UPDATE ON queue_token FOR EACH ROW EXECUTE FUNCTION enforce_transition('queue_token');
INSERT INTO status_transition (machine, from_status, to_status, permission, action) VALUES
    ('queue_token', '', 'WAITING', 'queue:manage', ''),
    ('queue_token', 'WAITING', 'CALLED', 'queue:manage', 'queueTokenCall'),
    ('queue_token', 'CALLED', 'SERVED', 'queue:manage', 'queueTokenServe'),
    ('queue_token', 'CALLED', 'SKIPPED', 'queue:manage', 'queueTokenSkip'),
    ('queue_token', 'WAITING', 'SKIPPED', 'queue:manage', 'queueTokenSkip'),
    ('queue_token', 'SKIPPED', 'CALLED', 'queue:manage', 'queueTokenCall');

-- Addresses under which a practitioner's calendar is read; only keyed hashes of their secrets are kept.
CREATE TABLE calendar_feed (
    token_hash bytea PRIMARY KEY,
    practitioner_id uuid NOT NULL CONSTRAINT calendar_feed_practitioner_fk REFERENCES practitioner (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid,
    revoked_at timestamptz
);
CREATE UNIQUE INDEX calendar_feed_one_open ON calendar_feed (practitioner_id) WHERE revoked_at IS NULL;

SELECT grant_to_runtime('device', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('availability_exception', 'SELECT, INSERT, UPDATE, DELETE');
SELECT grant_to_runtime('appointment_series', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('waitlist_entry', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('queue_token', 'SELECT, INSERT, UPDATE');
SELECT grant_to_runtime('calendar_feed', 'SELECT, INSERT, UPDATE');
