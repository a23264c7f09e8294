//! What is booked when, and where time is free for it.

pub const ARGUMENTS: &[(&str, &str)] = &[
    ("query($id: ID!) { appointment(id: $id) { id } }", "apt"),
    ("query($id: ID!) { practitioner(id: $id) { id } }", "pra"),
    (
        "query($id: ID!) { appointments(filter: { practitioner: { eq: $id } }) { totalCount nodes { id } } }",
        "pra",
    ),
    (
        "query($id: ID!) { appointments(filter: { practitioner: { in: [$id] } }) { totalCount nodes { id } } }",
        "pra",
    ),
    (
        "query($id: ID!) { appointments(filter: { facility: { eq: $id } }) { totalCount nodes { id } } }",
        "fac",
    ),
    (
        "query($id: ID!) { freeSlots(practitionerId: $id, from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\") { startsAt } }",
        "pra",
    ),
    (
        "query($id: ID!) { freeSlots(practitionerId: \"PRA\", facilityId: $id, from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\") { startsAt } }",
        "fac",
    ),
    (
        "query($id: ID!) { freeSlots(practitionerId: \"PRA\", visitKindId: $id, from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\") { startsAt } }",
        "vst",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: $id, practitionerId: \"PRA\", type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k1\") { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: \"PAT\", practitionerId: $id, type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k2\") { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: \"PAT\", practitionerId: \"PRA\", facilityId: $id, type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k3\") { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: \"PAT\", practitionerId: \"PRA\", roomId: $id, type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k4\") { userErrors { code message path } } }",
        "roo",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: \"PAT\", practitionerId: \"PRA\", visitKindId: $id, type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k5\") { userErrors { code message path } } }",
        "vst",
    ),
    (
        "mutation($id: ID!) { appointmentReschedule(input: { id: $id, ifVersion: 1, startsAt: \"2027-03-01T10:00:00Z\" }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentReschedule(input: { id: \"APT\", ifVersion: 1, startsAt: \"2027-03-01T10:00:00Z\", practitionerId: $id }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { appointmentReschedule(input: { id: \"APT\", ifVersion: 1, startsAt: \"2027-03-01T10:00:00Z\", roomId: $id }) { userErrors { code message path } } }",
        "roo",
    ),
    (
        "mutation($id: ID!) { appointmentCancel(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentMarkNoShow(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    ("query($id: ID!) { appointmentSeries(id: $id) { id } }", "aps"),
    (
        "query($id: ID!) { slots(search: { practitionerIds: [$id], from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\" }) { startsAt } }",
        "pra",
    ),
    (
        "query($id: ID!) { slots(search: { facilityId: $id, from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\" }) { startsAt } }",
        "fac",
    ),
    (
        "query($id: ID!) { slots(search: { visitKindId: $id, from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\" }) { startsAt } }",
        "vst",
    ),
    (
        "query($id: ID!) { slotSuggestions(patientId: $id, search: { from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\" }) { score } }",
        "pat",
    ),
    (
        "query($id: ID!) { slotSuggestions(patientId: \"PAT\", search: { from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\" }, preferences: { facilityId: $id }) { score } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: \"PAT\", practitionerId: \"PRA\", deviceIds: [$id], type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k6\") { userErrors { code message path } } }",
        "dev",
    ),
    (
        "mutation($id: ID!) { appointmentReschedule(input: { id: \"APT\", ifVersion: 1, startsAt: \"2027-03-01T10:00:00Z\", deviceIds: [$id] }) { userErrors { code message path } } }",
        "dev",
    ),
    (
        "mutation($id: ID!) { appointmentHoldConfirm(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentConfirm(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentArrive(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentCheckIn(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentRoom(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentStart(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentComplete(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentUndoNoShow(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentEnterInError(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentSeriesCancel(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "aps",
    ),
    (
        "mutation($id: ID!) { appointmentSeriesReplace(input: { id: $id, ifVersion: 1, startsAt: \"2027-03-01T10:00:00Z\", rule: \"FREQ=DAILY;COUNT=2\" }) { userErrors { code message path } } }",
        "aps",
    ),
    (
        "mutation($id: ID!) { appointmentSeriesReplace(input: { id: \"aps_01jd3k5n8re6ktp1rb6z9q4x2m\", ifVersion: 1, practitionerId: $id, startsAt: \"2027-03-01T10:00:00Z\", rule: \"FREQ=DAILY;COUNT=2\" }) { userErrors { code message path } } }",
        "pra",
    ),
];
