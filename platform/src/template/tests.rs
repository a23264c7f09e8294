//! Templates from files to seeds.

use uuid::Uuid;

use super::*;
use crate::access::{Permission, PermissionSet};

const MANIFEST: &str = "name: NAME\nversion: 1.0.0\ntitle: Test\ndescription: A test.\nlocale: en-US\ntime_zone: Europe/Vienna\ncurrency: EUR\n";

fn manifest(name: &str, extends: &str) -> (String, String) {
    let text = MANIFEST.replace("NAME", name);
    (
        format!("{name}/template.yaml"),
        if extends.is_empty() { text } else { format!("{text}extends: {extends}\n") },
    )
}

fn file(path: &str, text: &str) -> (String, String) {
    (path.to_owned(), text.to_owned())
}

fn role(template: &Template, code: &str) -> PermissionSet {
    template
        .roles
        .iter()
        .find(|role| role.code == code)
        .unwrap_or_else(|| panic!("no role {code}"))
        .permissions
}

fn shipped(name: &str) -> Template {
    Template::load(&Source::shipped(), name).unwrap()
}

/// Findings as `file#path`, and all of them as text for the message of a failing assertion.
fn places(findings: &[Finding]) -> (Vec<String>, String) {
    let places = findings.iter().map(|finding| format!("{}#{}", finding.file, finding.path)).collect();
    (places, findings.iter().map(|finding| format!("{finding}\n")).collect())
}

#[test]
fn the_shipped_templates_are_sound() {
    let source = Source::shipped();
    assert_eq!(source.names(), ["base", "general-practice", "hospital"]);
    let findings = lint(&source);
    assert!(findings.is_empty(), "{}", places(&findings).1);
    for name in source.names() {
        let template = Template::load(&source, name).unwrap();
        assert_eq!(template.manifest.name, name);
        assert!(template.note_templates.iter().any(|note| note.key == "soap"));
    }
}

#[test]
fn the_shipped_roles_keep_to_the_least_they_need() {
    use Permission as P;
    for name in ["base", "general-practice", "hospital"] {
        let template = shipped(name);
        assert_eq!(role(&template, "owner"), PermissionSet::all());
        let physician = role(&template, "physician");
        let nurse = role(&template, "nurse");
        assert!(physician.is_superset(&nurse));
        let physicians_alone = [
            P::PATIENT_IDENTIFIERS_READ,
            P::PATIENT_RECORD_DEATH,
            P::CARE_TEAM_MANAGE,
            P::SENSITIVITY_LABEL,
            P::APPOINTMENT_OVERBOOK,
            P::ENCOUNTER_CONSULT,
            P::ENCOUNTER_CLOSE,
            P::ENCOUNTER_REOPEN,
            P::ENCOUNTER_OVERRIDE_CLOSE_GATE,
            P::CONDITION_RECORD,
            P::DOCUMENT_COSIGN,
            P::TASK_ASSIGN,
            P::RULE_READ,
            P::RULE_AUTHOR,
            P::RULE_APPROVE,
        ];
        let beyond: Vec<_> = physician.iter().filter(|permission| !nurse.contains(*permission)).collect();
        assert_eq!(beyond.len(), physicians_alone.len(), "{beyond:?}");
        assert!(beyond.iter().all(|permission| physicians_alone.contains(permission)), "{beyond:?}");
        let clinical = [P::ENCOUNTER_CLINICAL_READ, P::OBSERVATION_READ, P::CONDITION_READ];
        for code in ["receptionist", "practice_manager", "auditor"] {
            let held = role(&template, code);
            assert!(
                !clinical.iter().any(|permission| held.contains(*permission)),
                "{code} reads clinical content"
            );
            assert!(!held.contains(P::PATIENT_IDENTIFIERS_READ), "{code} reads identifiers");
        }
        let keepers: Vec<_> = template
            .roles
            .iter()
            .filter(|role| role.permissions.contains(P::ROLE_MANAGE))
            .map(|role| role.key())
            .collect();
        assert_eq!(keepers, ["owner"]);
    }
    let auditor = role(&shipped("base"), "auditor");
    assert!(!auditor.iter().any(|permission| permission.code().starts_with("patient")));
    let hospital = shipped("hospital");
    assert!(role(&hospital, "charge_nurse").is_superset(&role(&hospital, "nurse")));
    let (physician, resident) = (role(&hospital, "physician"), role(&hospital, "resident"));
    assert!(physician.is_superset(&resident) && resident.contains(P::DOCUMENT_SIGN));
    assert!(!resident.contains(P::DOCUMENT_COSIGN), "what they sign waits for a physician");
    assert!(!role(&hospital, "registrar").contains(P::ENCOUNTER_CLINICAL_READ));
}

#[test]
fn a_child_adds_and_overrides_by_key() {
    let source = Source::from_files([
        manifest("ours", "general-practice"),
        file(
            "ours/specialties.yaml",
            "- code: 207Q00000X\n  display: Hausarzt\n- code: 261QP2300X\n  display: Primary care clinic\n",
        ),
    ]);
    assert_eq!(lint(&source), []);
    let (parent, ours) = (shipped("general-practice"), Template::load(&source, "ours").unwrap());
    assert_eq!(ours.manifest.currency, "EUR");
    assert_eq!(ours.roles, parent.roles);
    assert_eq!(ours.specialties.len(), parent.specialties.len() + 1);
    let by_code =
        |template: &Template| template.specialties.iter().find(|s| s.code == "207Q00000X").cloned().unwrap();
    assert_eq!(by_code(&ours).display, "Hausarzt");
    assert_ne!(by_code(&ours).content_hash(), by_code(&parent).content_hash());
    let tenant = Uuid::from_u128(7);
    assert_eq!(by_code(&ours).row_id(tenant), by_code(&parent).row_id(tenant));
}

#[test]
fn a_given_template_hides_the_shipped_one_of_the_same_name() {
    let source = Source::from_files([
        manifest("base", ""),
        file(
            "base/roles.yaml",
            "- code: owner\n  name: Owner\n  description: All.\n  landing_order: 1\n  permissions: [\"*\"]\n",
        ),
    ]);
    assert_eq!(lint(&source), []);
    let base = Template::load(&source, "base").unwrap();
    assert_eq!((base.roles.len(), base.visit_types.len()), (1, 0));
    assert!(
        matches!(Template::load(&source, "hospital"), Err(TemplateError::Invalid { .. })),
        "its roles are gone"
    );
}

#[test]
fn row_ids_and_hashes_never_change() {
    let tenant = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
    let template = shipped("base");
    let auditor = template.roles.iter().find(|role| role.code == "auditor").unwrap();
    assert_eq!(auditor.row_id(tenant).to_string(), "be48c64a-dea6-5260-90ef-7bdde62729c8");
    let specialty =
        Seed::new(Specialty { code: "207Q00000X".into(), display: "Family medicine".into() }).unwrap();
    assert_eq!(specialty.content_hash(), "11338e3332e481e33892eed7ddef463f237eea74e1149be5233df5adc69bfa22");
    assert_eq!(specialty.row_id(tenant), Uuid::new_v5(&tenant, b"specialty:207Q00000X"));
    assert_ne!(specialty.row_id(tenant), specialty.row_id(Uuid::nil()), "every tenant has its own rows");
    let again = shipped("base");
    assert_eq!(template, again);
}

#[test]
fn a_broken_template_is_reported_place_by_place() {
    let findings = lint(&Source::from_files([
        manifest("broken", "base"),
        file(
            "broken/roles.yaml",
            "- {code: a, name: A, description: A., landing_order: 1, permissions: ['patient:fly', '*', 'patient.name:read']}\n- {code: a, name: B, description: B., landing_order: 1, permissions: ['staff:read']}\n",
        ),
        file(
            "broken/field_policies.yaml",
            "- {type: Patient, field: nationalId, permission: 'secret:read', reason: Because it is secret.}\n",
        ),
        file(
            "broken/visit_types.yaml",
            "- {key: v, name: V, modality: FAX, duration_minutes: 0, colour: red, bookable_roles: [physician], typo: 1}\n",
        ),
        file(
            "broken/specialties.yaml",
            "- {code: 207Q00000X, display: One}\n- {code: 207Q00000X, display: Two}\n",
        ),
        file("broken/rolls.yaml", "[]"),
        file(
            "broken/note_templates/a.md",
            "---\nkey: b\ntitle: N\nloinc: 11506-4\nsections: [{loinc: 51848-0, title: Assessment}]\n---\n\n## Plan\n",
        ),
        file("broken/note_templates/bare.md", "## Plan\n"),
    ]));
    let (places, text) = places(&findings);
    let expected = [
        "broken/field_policies.yaml#/0/permission",
        "broken/note_templates/a.md#/key",
        "broken/note_templates/a.md#/loinc",
        "broken/note_templates/a.md#/sections",
        "broken/note_templates/bare.md#",
        "broken/roles.yaml#/0/permissions",
        "broken/roles.yaml#/0/permissions/0",
        "broken/roles.yaml#/0/permissions/1",
        "broken/roles.yaml#/1",
        "broken/rolls.yaml#",
        "broken/specialties.yaml#/1",
        "broken/visit_types.yaml#/0",
        "broken/visit_types.yaml#/0/colour",
        "broken/visit_types.yaml#/0/duration_minutes",
        "broken/visit_types.yaml#/0/modality",
    ];
    assert_eq!(places, expected, "{text}");
    for part in [
        "\"patient:fly\" is no permission",
        "without patient:read",
        "'typo' was unexpected",
        "\"FAX\" is not one of",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn roles_nobody_defines_and_clinics_nobody_keeps_are_reported() {
    let findings = lint(&Source::from_files([
        manifest("lone", ""),
        file(
            "lone/visit_types.yaml",
            "- {key: v, name: V, modality: PHONE, duration_minutes: 5, colour: '#000000', bookable_roles: [wizard]}\n",
        ),
    ]));
    assert_eq!(places(&findings).0, ["lone/roles.yaml#", "lone/visit_types.yaml#/0/bookable_roles/0"]);
}

#[test]
fn parents_must_exist_and_must_not_go_in_circles() {
    let source = Source::from_files([
        manifest("a", "b"),
        manifest("b", "c"),
        manifest("c", "b"),
        manifest("orphan", "nowhere"),
        file("empty/roles.yaml", "[]"),
        file("misnamed/template.yaml", &manifest("other", "misnamed").1),
        file("odd/template.yaml", &manifest("odd", "base").1.replace("EUR", "€")),
        file("zone/template.yaml", &manifest("zone", "base").1.replace("Europe/Vienna", "Europe/Atlantis")),
    ]);
    let (places, text) = places(&lint(&source));
    let expected = [
        "b/template.yaml#/extends",
        "c/template.yaml#/extends",
        "empty/template.yaml#",
        "misnamed/template.yaml#/extends",
        "misnamed/template.yaml#/name",
        "odd/template.yaml#/currency",
        "orphan/template.yaml#/extends",
        "zone/template.yaml#/time_zone",
    ];
    assert_eq!(places, expected, "{text}");
    assert!(
        matches!(Template::load(&source, "a"), Err(TemplateError::Invalid { findings, .. }) if findings.len() == 1)
    );
    assert!(matches!(Template::load(&source, "none"), Err(TemplateError::Unknown { .. })));
}

#[test]
fn a_member_given_twice_is_not_silently_dropped() {
    let (path, text) = manifest("twice", "base");
    let findings = lint(&Source::from_files([(path, format!("{text}currency: CHF\n"))]));
    assert!(
        findings.first().is_some_and(|finding| finding.message.contains("duplicate entry")),
        "{findings:?}"
    );
}

#[test]
fn a_directory_is_read_like_the_shipped_templates() {
    let root = std::env::temp_dir().join(format!("template-test-{}", std::process::id()));
    let write = |path: &str, text: &[u8]| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("ours/template.yaml", manifest("ours", "base").1.as_bytes());
    write("ours/.hidden", b"");
    write("README.md", b"beside the templates");
    write("ours/note_templates/phone.md", b"---\nkey: phone\ntitle: Call\nloinc: 34748-4\nsections: [{loinc: 18776-5, title: Plan}]\n---\r\n## Plan\r\n\r\nCall back.\r\n");
    for folder in [root.clone(), root.join("ours")] {
        let source = Source::directory(&folder).unwrap();
        assert_eq!(lint(&source), []);
        let template = Template::load(&source, "ours").unwrap();
        let note = template.note_templates.iter().find(|note| note.key == "phone").unwrap();
        assert_eq!(
            note.sections,
            [NoteSection {
                loinc: "18776-5".into(),
                title: "Plan".into(),
                required: false,
                text: "Call back.".into(),
                feeds: None,
            }]
        );
    }
    write("ours/logo.png", &[0xff; 10]);
    let (places, _) = places(&lint(&Source::directory(&root).unwrap()));
    assert_eq!(places, ["ours/logo.png#"]);
    write("ours/specialties.yaml", &vec![b'#'; 300 * 1024]);
    assert!(matches!(Source::directory(&root), Err(TemplateError::TooLarge { .. })));
    write("ours/specialties.yaml", &[0xff; 10]);
    assert!(matches!(Source::directory(&root), Err(TemplateError::Read { .. })));
    std::fs::remove_dir_all(&root).unwrap();
    assert!(matches!(Source::directory(&root), Err(TemplateError::Read { .. })));
}

#[test]
fn hostile_yaml_is_a_finding_and_nothing_more() {
    let bomb = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, i| {
        let alias = format!("*a{}", i - 1);
        format!("{text}a{i}: &a{i} [{}]\n", [alias.as_str(); 9].join(", "))
    });
    for text in [
        bomb,
        "[".repeat(10_000),
        "{a: ".repeat(10_000),
        "!!binary x".into(),
        "x".repeat(100_000),
        "- \u{0}".into(),
        "? [1]\n: 2".into(),
    ] {
        let source =
            Source::from_files([manifest("hostile", "base"), ("hostile/roles.yaml".to_owned(), text)]);
        let (places, text) = places(&lint(&source));
        assert_eq!(places, ["hostile/roles.yaml#"], "{text}");
        assert!(text.chars().count() < 500, "{text}");
    }
}
