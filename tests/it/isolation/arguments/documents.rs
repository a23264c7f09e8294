//! Documents and their templates.

pub const ARGUMENTS: &[(&str, &str)] = &[
    ("query($id: ID!) { document(id: $id) { id } }", "doc"),
    ("query($id: ID!) { documentTemplate(id: $id) { id } }", "ntp"),
    (
        "mutation($id: ID!) { documentDraft(input: { patientId: $id, templateId: \"NTP\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { documentDraft(input: { patientId: \"PAT\", encounterId: $id, templateId: \"NTP\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { documentDraft(input: { patientId: \"PAT\", templateId: $id }) { userErrors { code message path } } }",
        "ntp",
    ),
    (
        "mutation($id: ID!) { documentSave(input: { id: $id, ifVersion: 1, sections: [] }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentLeaseTake(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentLeaseRelease(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentDiscard(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentSign(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentCosign(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentAmend(input: { id: $id, ifVersion: 1, sections: [], reason: \"x\" }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentAddendum(input: { id: $id, ifVersion: 1, text: \"x\" }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentTemplateChange(input: { id: $id, ifVersion: 1, title: \"x\", type: \"34748-4\", sections: [] }) { userErrors { code message path } } }",
        "ntp",
    ),
    (
        "mutation($id: ID!) { documentTemplateRetire(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "ntp",
    ),
];
