//! What people are told, and by what.

pub const ARGUMENTS: &[(&str, &str)] = &[
    (
        "mutation($id: ID!) { notificationMarkRead(input: { ids: [$id] }) { marked userErrors { code message path } } }",
        "ntf",
    ),
    (
        "mutation($id: ID!) { notificationProfileSet(input: { patientId: $id, locale: \"de\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { channelConsentSet(input: { patientId: $id, channel: SMS, allowed: true }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { notificationRetry(input: { id: $id }) { userErrors { code message path } } }",
        "ntf",
    ),
    (
        "mutation($id: ID!) { pushDeviceRemove(input: { id: $id }) { userErrors { code message path } } }",
        "psh",
    ),
];
