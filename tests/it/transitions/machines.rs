//! Every machine of the clinic as clients see it: how an object is made and read, and what each action takes. A part
//! that brings a machine adds its line; one without mutations says why.

/// A machine as clients see it.
pub struct Walked {
    /// Its name in the table.
    pub machine: &'static str,
    /// How an object is read. `$all` is what is asked of it.
    pub read: &'static str,
    /// How one is made: the mutation, the path of the new object, and the input. Without a mutation the stage sets it
    /// up under the name of the machine (`stage.rs`).
    pub make: (&'static str, &'static str, &'static str),
    /// What each action takes. `$id`, `$version` and what the stage names are filled in.
    pub actions: &'static [(&'static str, &'static str)],
    /// Whose actions they are: the role of whoever makes the object and acts on it.
    pub role: &'static str,
    /// Actions that are not for whoever made the object: an owner of the clinic takes them.
    pub others: &'static [&'static str],
    /// Actions that do not name the object by its id, or happen once: refused or done by other rules.
    pub apart: &'static [&'static str],
    /// Statuses to which no action leads: what the system brings about, and what comes from elsewhere.
    pub placed: &'static [Placed],
}

/// A status that is put into the row.
pub struct Placed {
    /// The status.
    pub status: &'static str,
    /// From which status that actions lead to.
    pub from: &'static str,
    /// What else the row then says, as SQL begun by a comma.
    pub and: &'static str,
}

const STEP: &str = r#"{ "id": "$id", "ifVersion": $version }"#;
const REASON: &str = r#"{ "id": "$id", "ifVersion": $version, "reason": "Said in a test" }"#;
const BY_ID: &str = r#"{ "id": "$id" }"#;
const LABEL: (&str, &str) = ("confidentialitySet", r#"{ "id": "$id", "confidentiality": "NORMAL" }"#);

const fn placed(status: &'static str, from: &'static str, and: &'static str) -> Placed {
    Placed { status, from, and }
}

/// A machine of which the clinic's owner does everything.
const OWNED: Walked = Walked {
    machine: "",
    read: "",
    make: ("", "", ""),
    actions: &[],
    role: "owner",
    others: &[],
    apart: &[],
    placed: &[],
};

/// Every machine that has actions in the API.
pub const WALKED: &[Walked] = &[
    Walked {
        machine: "patient",
        read: "patient(by: { id: $id }) { $all }",
        make: (
            "patientCreate",
            "patient",
            r#"{ "name": { "given": ["Ada"], "family": "$name" }, "birthDate": "$born" }"#,
        ),
        actions: &[
            ("patientDeactivate", STEP),
            ("patientReactivate", STEP),
            ("patientRecordDeath", r#"{ "id": "$id", "ifVersion": $version, "deceasedAt": "$past" }"#),
            LABEL,
        ],
        // What a chart that is closed refuses, in words of its own; the rest names the patient as `patientId`.
        apart: &["patientUpdate", "relatedPersonAdd", "appointmentBook", "careTeamAdd", "consentRecord"],
        placed: &[placed("MERGED", "ACTIVE", ""), placed("ERASED", "ACTIVE", "")],
        ..OWNED
    },
    Walked {
        machine: "appointment",
        read: "appointment(id: $id) { $all }",
        make: (
            "appointmentBook",
            "appointment",
            r#"{ "patientId": "$patient", "practitionerId": "$practitioner", "type": "PHONE", "startsAt": "$past" }"#,
        ),
        actions: &[
            ("appointmentConfirm", STEP),
            ("appointmentArrive", STEP),
            ("appointmentCheckIn", STEP),
            ("appointmentRoom", STEP),
            ("appointmentStart", STEP),
            ("appointmentComplete", STEP),
            ("appointmentCancel", STEP),
            ("appointmentMarkNoShow", STEP),
            ("appointmentUndoNoShow", STEP),
            ("appointmentEnterInError", STEP),
            ("appointmentHoldConfirm", STEP),
            ("appointmentReschedule", r#"{ "id": "$id", "ifVersion": $version, "startsAt": "$past" }"#),
            LABEL,
        ],
        placed: &[
            placed("PENDING", "BOOKED", ", hold_expires_at = '$soon'"),
            placed("EXPIRED", "BOOKED", ""),
        ],
        ..OWNED
    },
    Walked {
        machine: "appointment_series",
        read: "appointmentSeries(id: $id) { $all }",
        make: (
            "appointmentSeriesBook",
            "series",
            r#"{ "first": { "patientId": "$patient", "practitionerId": "$practitioner", "type": "PHONE", "startsAt": "$later" },
                "rule": "FREQ=WEEKLY;COUNT=2" }"#,
        ),
        actions: &[
            ("appointmentSeriesCancel", STEP),
            (
                "appointmentSeriesReplace",
                r#"{ "id": "$id", "ifVersion": $version, "startsAt": "$later", "rule": "FREQ=DAILY;COUNT=2" }"#,
            ),
        ],
        ..OWNED
    },
    Walked {
        machine: "waitlist_entry",
        read: "node(id: $id) { ... on WaitlistEntry { $all } }",
        make: (
            "waitlistEntryAdd",
            "waitlistEntry",
            r#"{ "patientId": "$patient", "practitionerId": "$practitioner", "type": "PHONE", "latest": "$latest" }"#,
        ),
        actions: &[
            ("waitlistOfferAccept", STEP),
            ("waitlistOfferDecline", STEP),
            ("waitlistEntryRemove", STEP),
        ],
        // An offer is a held appointment: the stage makes both.
        placed: &[
            placed("OFFERED", "WAITING", ", appointment_id = '$held'"),
            placed("BOOKED", "WAITING", ", appointment_id = '$held'"),
        ],
        ..OWNED
    },
    Walked {
        machine: "queue_token",
        read: "node(id: $id) { ... on QueueToken { $all } }",
        make: ("queueTokenIssue", "token", r#"{ "facilityId": "$facility" }"#),
        actions: &[("queueTokenCall", STEP), ("queueTokenServe", STEP), ("queueTokenSkip", STEP)],
        ..OWNED
    },
    Walked {
        machine: "encounter",
        read: "encounter(id: $id) { $all }",
        make: ("encounterCreate", "encounter", r#"{ "patientId": "$patient" }"#),
        actions: &[
            ("encounterCheckIn", STEP),
            ("encounterTriage", STEP),
            ("encounterStart", STEP),
            ("encounterHold", STEP),
            ("encounterResume", STEP),
            (
                "encounterClose",
                r#"{ "id": "$id", "ifVersion": $version, "overrideReason": "Said in a test" }"#,
            ),
            ("encounterReopen", REASON),
            ("encounterCancel", REASON),
            ("assessmentRecord", r#"{ "id": "$id", "ifVersion": $version, "text": "Well" }"#),
            ("planRecord", r#"{ "id": "$id", "ifVersion": $version, "text": "Nothing" }"#),
            ("vitalsRecord", r#"{ "id": "$id", "heartRate": { "value": "72", "unit": "/min" } }"#),
            (
                "encounterParticipantAdd",
                r#"{ "id": "$id", "ifVersion": $version, "practitionerId": "$practitioner", "role": "CONSULTANT" }"#,
            ),
            LABEL,
        ],
        // It names who takes part.
        apart: &["encounterParticipantEnd"],
        ..OWNED
    },
    Walked {
        machine: "observation",
        read: "observation(id: $id) { $all }",
        actions: &[("observationEnterInError", REASON), LABEL],
        placed: &[
            placed("REGISTERED", "FINAL", ""),
            placed("PRELIMINARY", "FINAL", ""),
            placed("AMENDED", "FINAL", ""),
            placed("CORRECTED", "FINAL", ""),
            placed("CANCELLED", "FINAL", ""),
            placed("UNKNOWN", "FINAL", ""),
        ],
        ..OWNED
    },
    Walked {
        machine: "clinical_document",
        read: "document(id: $id) { $all }",
        make: (
            "documentDraft",
            "document",
            r#"{ "patientId": "$patient", "templateId": "$template", "sections": [{ "code": "51848-0", "text": "Well" }] }"#,
        ),
        actions: &[
            (
                "documentSave",
                r#"{ "id": "$id", "ifVersion": $version, "sections": [{ "code": "51848-0", "text": "Saved $new" }] }"#,
            ),
            ("documentLeaseTake", STEP),
            ("documentLeaseRelease", STEP),
            ("documentDiscard", STEP),
            ("documentSign", STEP),
            ("documentCosign", STEP),
            (
                "documentAmend",
                r#"{ "id": "$id", "ifVersion": $version, "sections": [{ "code": "51848-0", "text": "Amended $new" }], "reason": "Said in a test" }"#,
            ),
            ("documentAddendum", r#"{ "id": "$id", "ifVersion": $version, "text": "Added in a test" }"#),
            ("documentEnterInError", REASON),
            LABEL,
        ],
        role: "nurse",
        others: &["documentCosign", "confidentialitySet"],
        placed: &[placed("AMENDED", "SIGNED", ""), placed("RECEIVED", "SIGNED", "")],
        ..OWNED
    },
    Walked {
        machine: "problem",
        read: "node(id: $id) { ... on Condition { id version status: clinicalStatus allowedActions } }",
        make: ("problemRecord", "condition", r#"{ "patientId": "$patient", "code": { "text": "$name" } }"#),
        actions: &[
            ("problemRemit", STEP),
            ("problemInactivate", STEP),
            ("problemResolve", STEP),
            ("problemRecur", STEP),
            ("problemRelapse", STEP),
            ("problemEnterInError", REASON),
            LABEL,
        ],
        ..OWNED
    },
    Walked {
        machine: "allergy",
        read: "node(id: $id) { ... on Allergy { $all } }",
        make: ("allergyRecord", "allergy", r#"{ "patientId": "$patient", "code": { "text": "$name" } }"#),
        actions: &[
            ("allergyInactivate", STEP),
            ("allergyResolve", STEP),
            ("allergyReactivate", STEP),
            ("allergyRefute", STEP),
            ("allergyEnterInError", REASON),
            LABEL,
        ],
        ..OWNED
    },
    Walked {
        machine: "medication_statement",
        read: "node(id: $id) { ... on MedicationStatement { $all } }",
        make: (
            "medicationStatementRecord",
            "medicationStatement",
            r#"{ "patientId": "$patient", "code": { "text": "$name" } }"#,
        ),
        actions: &[
            ("medicationStatementStop", STEP),
            ("medicationStatementComplete", STEP),
            ("medicationStatementEnterInError", REASON),
            LABEL,
        ],
        placed: &[
            placed("ON_HOLD", "ACTIVE", ""),
            placed("UNKNOWN", "ACTIVE", ""),
            placed("NOT_TAKEN", "ACTIVE", ""),
        ],
        ..OWNED
    },
    Walked {
        machine: "immunization",
        read: "node(id: $id) { ... on Immunization { $all } }",
        make: (
            "immunizationRecord",
            "immunization",
            r#"{ "patientId": "$patient", "vaccine": { "text": "$name" }, "givenAt": "2020" }"#,
        ),
        actions: &[("immunizationEnterInError", REASON), LABEL],
        placed: &[placed("NOT_DONE", "COMPLETED", "")],
        ..OWNED
    },
    Walked {
        machine: "procedure",
        read: "node(id: $id) { ... on Procedure { $all } }",
        make: ("procedureRecord", "procedure", r#"{ "patientId": "$patient", "code": { "text": "$name" } }"#),
        actions: &[("procedureEnterInError", REASON), LABEL],
        placed: &[
            placed("IN_PROGRESS", "COMPLETED", ""),
            placed("STOPPED", "COMPLETED", ""),
            placed("NOT_DONE", "COMPLETED", ""),
            placed("UNKNOWN", "COMPLETED", ""),
        ],
        ..OWNED
    },
    Walked {
        machine: "family_history",
        read: "node(id: $id) { ... on FamilyHistory { $all } }",
        make: (
            "familyHistoryRecord",
            "familyHistory",
            r#"{ "patientId": "$patient", "relationship": { "text": "Mother" }, "conditions": [{ "code": { "text": "$name" } }] }"#,
        ),
        actions: &[("familyHistoryEnterInError", REASON), LABEL],
        ..OWNED
    },
    Walked {
        machine: "social_history",
        read: "node(id: $id) { ... on SocialHistory { $all } }",
        make: (
            "socialHistoryRecord",
            "socialHistory",
            r#"{ "patientId": "$patient", "code": { "text": "$name" }, "value": { "text": "Never" } }"#,
        ),
        actions: &[("socialHistoryEnterInError", REASON), LABEL],
        placed: &[placed("SUPERSEDED", "CURRENT", "")],
        ..OWNED
    },
    Walked {
        machine: "task",
        read: "task(id: $id) { $all }",
        make: (
            "taskCreate",
            "task",
            r#"{ "code": "CALL", "patientId": "$patient", "ownerId": "$me", "description": "Call back" }"#,
        ),
        actions: &[
            ("taskAssign", r#"{ "id": "$id", "ifVersion": $version, "to": { "userId": "$me" } }"#),
            ("taskClaim", STEP),
            ("taskStart", STEP),
            ("taskHold", REASON),
            ("taskResume", STEP),
            ("taskComplete", r#"{ "id": "$id", "ifVersion": $version, "outcome": "DONE" }"#),
            ("taskReject", REASON),
            ("taskCancel", STEP),
            LABEL,
        ],
        placed: &[placed("FAILED", "COMPLETED", "")],
        ..OWNED
    },
    Walked {
        machine: "workflow_definition",
        read: "node(id: $id) { ... on WorkflowDefinition { $all } }",
        make: (
            "workflowDefine",
            "workflowDefinition",
            r#"{ "code": "$name", "name": "Walked", "steps": [{ "key": "one", "task": "ONE", "role": "nurse" }] }"#,
        ),
        actions: &[("workflowActivate", STEP), ("workflowRetire", STEP)],
        // It names the workflow by its code.
        apart: &["workflowStart"],
        ..OWNED
    },
    Walked {
        machine: "workflow_instance",
        read: "workflowInstance(id: $id) { $all }",
        make: ("workflowStart", "workflowInstance", r#"{ "code": "walked", "patientId": "$patient" }"#),
        actions: &[("workflowCancel", STEP)],
        placed: &[
            placed("COMPLETED", "RUNNING", ", ended_at = now()"),
            placed("FAILED", "RUNNING", ", ended_at = now()"),
        ],
        ..OWNED
    },
    Walked {
        machine: "rule",
        read: "rule(id: $id) { $all }",
        make: (
            "ruleDraft",
            "rule",
            r#"{ "code": "$name", "title": "Walked", "cause": "VITALS_RECORDED", "condition": "vitals.spo2 < 92",
                "severity": "CRITICAL", "actions": [{ "alert": {} }], "cases": [
                { "name": "low", "facts": [{ "name": "vitals.spo2", "value": { "number": 85 } }], "fires": true },
                { "name": "well", "facts": [{ "name": "vitals.spo2", "value": { "number": 98 } }], "fires": false }] }"#,
        ),
        actions: &[("ruleTest", STEP), ("ruleActivate", STEP), ("ruleRetire", STEP)],
        others: &["ruleActivate"],
        ..OWNED
    },
    Walked {
        machine: "alert",
        read: "node(id: $id) { ... on Alert { $all } }",
        actions: &[
            ("alertAcknowledge", STEP),
            ("alertResolve", STEP),
            (
                "alertOverride",
                r#"{ "id": "$id", "ifVersion": $version, "reason": "BENEFIT_OUTWEIGHS_RISK" }"#,
            ),
        ],
        placed: &[placed("EXPIRED", "OPEN", ", closed_at = now()")],
        ..OWNED
    },
    Walked {
        machine: "break_glass",
        read: "breakGlass(id: $id) { $all }",
        make: (
            "breakGlassDeclare",
            "breakGlass",
            r#"{ "patientId": "$patient", "category": "THREAT_TO_LIFE", "reason": "Unconscious after a fall, allergies unknown", "classes": ["CLINICAL"] }"#,
        ),
        actions: &[
            ("breakGlassEnd", BY_ID),
            (
                "breakGlassReview",
                r#"{ "id": "$id", "outcome": "JUSTIFIED", "comment": "Spoke with the ward; it was right." }"#,
            ),
        ],
        others: &["breakGlassReview"],
        placed: &[placed("EXPIRED", "ACTIVE", ""), placed("UNJUSTIFIED", "JUSTIFIED", "")],
        ..OWNED
    },
    Walked {
        machine: "invitation",
        read: "node(id: $id) { ... on Invitation { $all } }",
        make: (
            "userInvite",
            "invitation",
            r#"{ "email": "$name@praxis.test", "displayName": "Ada", "role": "nurse" }"#,
        ),
        actions: &[("invitationResend", BY_ID), ("invitationRevoke", BY_ID)],
        placed: &[
            placed("ACCEPTED", "SENT", ", user_id = (SELECT min(id::text)::uuid FROM $schema.user_account)"),
            placed("EXPIRED", "SENT", ""),
        ],
        ..OWNED
    },
    Walked {
        machine: "api_client",
        read: "apiClients { $all }",
        actions: &[("apiClientRotateSecret", BY_ID), ("apiClientRetire", BY_ID)],
        ..OWNED
    },
    Walked {
        machine: "security_alert",
        read: "securityAlerts(first: 100) { nodes { $all } }",
        actions: &[(
            "securityAlertClose",
            r#"{ "id": "$id", "ifVersion": $version, "resolution": "FALSE_ALARM" }"#,
        )],
        ..OWNED
    },
    Walked {
        machine: "notification",
        read: "notificationDeliveries(first: 100) { nodes { id status allowedActions } }",
        actions: &[("notificationRetry", BY_ID)],
        placed: &[
            placed("DEAD", "SCHEDULED", ""),
            placed("SENDING", "SCHEDULED", ""),
            placed("SENT", "SCHEDULED", ", sent_at = now()"),
            placed("DELIVERED", "SCHEDULED", ", delivered_at = now()"),
            placed("FAILED", "SCHEDULED", ""),
            placed("CANCELLED", "SCHEDULED", ""),
            placed("SUPPRESSED", "SCHEDULED", ""),
        ],
        ..OWNED
    },
];

/// Machines without actions in the API, each with the reason.
pub const SILENT: &[(&str, &str)] = &[
    ("job", "work of the system: `praxis job` retries and discards at the command line"),
    ("mail_message", "sent by the system: `praxis mail` retries at the command line"),
    ("registered_operation", "registered and retired at the command line: `praxis operations`"),
    ("encounter_diagnosis", "an assessment replaces the diagnoses of its visit as a whole"),
];

/// What ends a walk although the row of the table leaves the status: nothing is possible afterwards.
pub const LAST: [&str; 1] = ["problemEnterInError"];
