//! Rooms, devices and hours; who waits, at home or in front of the desk.

pub const ARGUMENTS: &[(&str, &str)] = &[
    (
        "mutation($id: ID!) { roomAdd(input: { facilityId: $id, name: \"1\" }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { availabilitySet(input: { practitionerId: $id, facilityId: \"FAC\", hours: [] }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { availabilitySet(input: { practitionerId: \"PRA\", facilityId: $id, hours: [] }) { userErrors { code message path } } }",
        "fac",
    ),
    ("query($id: ID!) { waitlistEntries(practitionerId: $id) { totalCount nodes { id } } }", "pra"),
    ("query($id: ID!) { waitlistEntries(facilityId: $id) { totalCount nodes { id } } }", "fac"),
    ("query($id: ID!) { queueTokens(facilityId: $id) { id } }", "fac"),
    ("query($id: ID!) { appointmentStatistics(year: 2027, facilityId: $id) { months { total } } }", "fac"),
    ("query($id: ID!) { availabilityExceptions(facilityId: $id) { id } }", "fac"),
    (
        "mutation($id: ID!) { waitlistEntryAdd(input: { patientId: $id, type: PHONE, latest: \"2027-03-01T10:00:00Z\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { waitlistEntryAdd(input: { patientId: \"PAT\", practitionerId: $id, type: PHONE, latest: \"2027-03-01T10:00:00Z\" }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { waitlistEntryAdd(input: { patientId: \"PAT\", facilityId: $id, type: PHONE, latest: \"2027-03-01T10:00:00Z\" }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { waitlistEntryAdd(input: { patientId: \"PAT\", visitKindId: $id, type: PHONE, latest: \"2027-03-01T10:00:00Z\" }) { userErrors { code message path } } }",
        "vst",
    ),
    (
        "mutation($id: ID!) { waitlistEntryRemove(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wle",
    ),
    (
        "mutation($id: ID!) { waitlistOfferAccept(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wle",
    ),
    (
        "mutation($id: ID!) { waitlistOfferDecline(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wle",
    ),
    (
        "mutation($id: ID!) { queueTokenIssue(input: { facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { queueTokenIssue(input: { facilityId: \"FAC\", patientId: $id }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { queueTokenCallNext(input: { facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { queueTokenCall(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "qtk",
    ),
    (
        "mutation($id: ID!) { queueTokenServe(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "qtk",
    ),
    (
        "mutation($id: ID!) { queueTokenSkip(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "qtk",
    ),
    (
        "mutation($id: ID!) { availabilityExceptionAdd(input: { facilityId: $id, kind: CLOSED, firstDay: \"2027-03-01\" }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { availabilityExceptionAdd(input: { facilityId: \"FAC\", of: { practitionerId: $id }, kind: CLOSED, firstDay: \"2027-03-01\" }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { availabilityExceptionAdd(input: { facilityId: \"FAC\", of: { roomId: $id }, kind: CLOSED, firstDay: \"2027-03-01\" }) { userErrors { code message path } } }",
        "roo",
    ),
    (
        "mutation($id: ID!) { availabilityExceptionAdd(input: { facilityId: \"FAC\", of: { deviceId: $id }, kind: CLOSED, firstDay: \"2027-03-01\" }) { userErrors { code message path } } }",
        "dev",
    ),
    (
        "mutation($id: ID!) { availabilityExceptionRemove(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "avx",
    ),
    (
        "mutation($id: ID!) { calendarFeedCreate(input: { practitionerId: $id }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { calendarFeedRevoke(input: { practitionerId: $id }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { deviceAdd(input: { facilityId: $id, kind: \"ECG\", name: \"1\" }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { resourceCapacitySet(input: { id: $id, ifVersion: 1, capacity: 2, overbookLimit: 0 }) { userErrors { code message path } } }",
        "roo",
    ),
    (
        "mutation($id: ID!) { visitKindConfigure(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "vst",
    ),
];
