//! Clinical documents: working copies, versions, signatures, and the templates they are begun from.

mod inputs;
mod lists;
mod mutation;
mod query;
mod templates;
mod types;
mod version;

pub(crate) use lists::{EncounterDocuments, PatientDocuments};
pub(crate) use mutation::DocumentMutation;
pub(crate) use query::DocumentQuery;
pub(crate) use templates::{DocumentTemplate, DocumentTemplateMutation};
pub(crate) use types::ClinicalDocument;
pub(crate) use version::{DocumentVersion, DocumentVersionConnection};

use praxis_platform::access::Permission;

use crate::policy::{PhiCategory, Rule, inherited, needs, phi};

pub(crate) const POLICY: &[Rule] = &[
    needs(
        "ClinicalDocument",
        Permission::DOCUMENT_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "redactions",
            "confidentiality",
            "viewerPermissions",
            "allowedActions",
            "patient",
            "encounter",
            "type",
            "template",
            "templateVersion",
            "status",
            "authorId",
            "author",
            "addendumTo",
            "addenda",
            "lease",
            "current",
            "versions",
        ],
    ),
    phi(
        "ClinicalDocument",
        Permission::DOCUMENT_CONTENT_READ,
        PhiCategory::FreeText,
        &["draft", "differences"],
    ),
    needs(
        "DocumentVersion",
        Permission::DOCUMENT_READ,
        &[
            "id",
            "document",
            "number",
            "supersedes",
            "current",
            "kind",
            "authorId",
            "authoredAt",
            "sha256",
            "signatures",
        ],
    ),
    phi("DocumentVersion", Permission::DOCUMENT_CONTENT_READ, PhiCategory::FreeText, &["reason", "sections"]),
    inherited("DocumentVersionConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("DocumentVersionEdge", &["cursor", "node"]),
    inherited("DocumentLease", &["mine", "until"]),
    inherited("DocumentSection", &["code", "title", "text"]),
    inherited(
        "DocumentSignature",
        &["id", "meaning", "signerId", "signer", "sha256", "secondFactor", "signedAt"],
    ),
    inherited("DocumentDifference", &["code", "title", "before", "after", "lines"]),
    inherited("DocumentLine", &["change", "text"]),
    inherited("ClinicalDocumentConnection", &["edges", "nodes", "pageInfo", "totalCount"]),
    inherited("ClinicalDocumentEdge", &["cursor", "node"]),
    needs("Patient", Permission::DOCUMENT_READ, &["documents"]),
    needs("Encounter", Permission::DOCUMENT_READ, &["documents"]),
    needs("Query", Permission::DOCUMENT_READ, &["document", "documentTemplate", "documentTemplates"]),
    needs(
        "Mutation",
        Permission::DOCUMENT_WRITE,
        &["documentDraft", "documentSave", "documentLeaseTake", "documentLeaseRelease", "documentDiscard"],
    ),
    needs("Mutation", Permission::DOCUMENT_SIGN, &["documentSign"]),
    needs("Mutation", Permission::DOCUMENT_COSIGN, &["documentCosign"]),
    needs(
        "Mutation",
        Permission::DOCUMENT_AMEND,
        &["documentAmend", "documentAddendum", "documentEnterInError"],
    ),
    inherited("DocumentDraftPayload", &["document", "userErrors"]),
    inherited("DocumentSavePayload", &["document", "userErrors"]),
    inherited("DocumentLeaseTakePayload", &["document", "userErrors"]),
    inherited("DocumentLeaseReleasePayload", &["document", "userErrors"]),
    inherited("DocumentDiscardPayload", &["document", "userErrors"]),
    inherited("DocumentSignPayload", &["document", "userErrors"]),
    inherited("DocumentCosignPayload", &["document", "userErrors"]),
    inherited("DocumentAmendPayload", &["document", "userErrors"]),
    inherited("DocumentAddendumPayload", &["document", "userErrors"]),
    inherited("DocumentEnterInErrorPayload", &["document", "userErrors"]),
    needs(
        "DocumentTemplate",
        Permission::DOCUMENT_READ,
        &[
            "id",
            "version",
            "createdAt",
            "updatedAt",
            "title",
            "type",
            "needsCosign",
            "retired",
            "key",
            "sections",
        ],
    ),
    inherited("DocumentTemplateSection", &["code", "title", "required", "text", "feeds"]),
    needs(
        "Mutation",
        Permission::DOCUMENT_TEMPLATE_MANAGE,
        &["documentTemplateAdd", "documentTemplateChange", "documentTemplateRetire"],
    ),
    inherited("DocumentTemplateAddPayload", &["documentTemplate", "userErrors"]),
    inherited("DocumentTemplateChangePayload", &["documentTemplate", "userErrors"]),
    inherited("DocumentTemplateRetirePayload", &["documentTemplate", "userErrors"]),
];
