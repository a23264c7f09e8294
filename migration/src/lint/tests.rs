use super::{rules::RULES, *};

fn rules(sql: &str) -> Vec<&'static str> {
    let mut rules: Vec<_> =
        lint(&Step::new("m0001_x", sql.to_owned())).iter().map(|fault| fault.rule).collect();
    rules.dedup();
    rules
}

#[test]
fn every_rule_finds_what_it_is_for() {
    for (rule, sql) in [
        ("types", "CREATE TYPE mood AS ENUM ('a')"),
        ("function-path", "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ SELECT 1 $$"),
        ("rules", "CREATE RULE r AS ON INSERT TO a DO NOTHING"),
        (
            "shard-name",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN x := TG_TABLE_NAME; END $$",
        ),
        (
            "outbox",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN INSERT INTO job (id) VALUES (1); END $$",
        ),
        ("number-behind", "CREATE TABLE a (b text PRIMARY KEY CONSTRAINT a_check_2 CHECK (b <> ''))"),
        ("plain-tables", "CREATE TABLE a PARTITION OF b (PRIMARY KEY (c)) FOR VALUES IN (1)"),
        (
            "foreign-schema",
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SET search_path FROM CURRENT AS $$ SELECT count(*) FROM control.tenant $$",
        ),
        (
            "notify",
            "CREATE FUNCTION f() RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $$ SELECT pg_try_advisory_lock(1) $$",
        ),
        ("one-change", "ALTER TABLE a ADD COLUMN b text, ADD COLUMN c text"),
        ("named", "ALTER TABLE a ADD COLUMN b uuid REFERENCES c (id)"),
        ("rename", "-- praxis: contract 1\nALTER TABLE a RENAME CONSTRAINT b TO c"),
        ("serial", "CREATE TABLE a (b bigserial PRIMARY KEY)"),
        (
            "identity",
            "ALTER TABLE a ADD COLUMN b bigint GENERATED ALWAYS AS IDENTITY\n-- lint: allow long-lock: here only identity",
        ),
        ("plain-tables", "CREATE MATERIALIZED VIEW a AS SELECT 1"),
        ("primary-key", "CREATE TABLE a (b text)"),
        ("merge", "MERGE INTO a USING b ON a.c = b.c WHEN MATCHED THEN DELETE"),
        (
            "volatile-update",
            "-- lint: allow unbounded: here only the function\nUPDATE a SET b = gen_random_uuid()",
        ),
        ("values", "INSERT INTO a (b) VALUES ((SELECT 1))"),
        ("foreign-schema", "CREATE VIEW a AS SELECT b FROM control.tenant"),
        ("notify", "SELECT pg_notify('a', 'b')"),
        ("grants", "GRANT SELECT ON ALL TABLES IN SCHEMA a TO b"),
        ("columns", "CREATE VIEW a AS SELECT * FROM b"),
        ("hidden-locks", "DO $$ BEGIN DROP TABLE a; END $$"),
        ("concurrent", "CREATE INDEX CONCURRENTLY a ON b (c)"),
        (
            "concurrent",
            "-- praxis: concurrent\nCREATE INDEX a ON b (c)\n-- lint: allow long-lock: here only the kind of step",
        ),
        ("batches", "-- praxis: batches\nUPDATE a SET b = 1"),
        ("long-lock", "CREATE INDEX a ON b (c)"),
        ("long-lock", "ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0)"),
        (
            "validate-apart",
            "ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0) NOT VALID; ALTER TABLE a VALIDATE CONSTRAINT b",
        ),
        ("contract", "ALTER TABLE a DROP COLUMN b"),
        ("contract", "ALTER TABLE a ADD COLUMN b text NOT NULL"),
        ("contract", "DROP FUNCTION f()"),
        ("contract", "REVOKE INSERT ON a FROM b"),
        ("contract", "ALTER TABLE a ALTER COLUMN b DROP DEFAULT"),
        ("column", "ALTER TABLE a DROP b"),
        ("column", "ALTER TABLE a ALTER b SET DEFAULT 1"),
        ("column", "ALTER TABLE a ADD b text"),
        ("statement", "COMMIT"),
        ("statement", "LOCK TABLE a"),
        ("statement", "SET ROLE b"),
        ("unbounded", "UPDATE a SET b = 1"),
        ("concurrent", "-- praxis: concurrent\nCREATE INDEX CONCURRENTLY ON a (b)"),
        ("concurrent", "-- praxis: concurrent\nCREATE INDEX CONCURRENTLY MyIndex ON a (b)"),
        ("directive", "-- praxis: sometimes\nSELECT 1"),
    ] {
        assert_eq!(rules(sql), [rule], "{sql}");
    }
}

#[test]
fn every_rule_of_portability_is_held_by_a_lint() {
    let known: Vec<_> = RULES.iter().map(|rule| rule.name).chain(["long-lock", "validate-apart"]).collect();
    for (number, (rule, lints)) in (0..).zip(PORTABILITY) {
        assert_eq!(rule, number);
        assert!(!lints.is_empty() && lints.iter().all(|lint| known.contains(lint)), "{rule}");
    }
}

#[test]
fn what_is_written_well_has_no_fault() {
    for sql in [
        "ALTER TABLE a ADD COLUMN b text",
        "ALTER TABLE a ADD CONSTRAINT b FOREIGN KEY (c) REFERENCES d (id) NOT VALID",
        "ALTER TABLE a VALIDATE CONSTRAINT b",
        "-- praxis: concurrent\nCREATE INDEX CONCURRENTLY a ON b (c)",
        "-- praxis: batches\nUPDATE a SET b = 1 WHERE id IN (SELECT id FROM a WHERE b IS NULL LIMIT 1000)",
        "-- praxis: contract 7\nALTER TABLE a DROP COLUMN b",
        "CREATE TABLE a (b uuid PRIMARY KEY, c numeric(10,2)); CREATE INDEX d ON a (c); SELECT grant_to_runtime('a', 'SELECT')",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN UPDATE x.y SET z = random(); END $$",
    ] {
        assert_eq!(lint(&Step::new("m0001_x", sql)), [], "{sql}");
    }
}

#[test]
fn a_fault_is_allowed_only_with_a_reason() {
    assert_eq!(
        rules("-- lint: allow rules: it is a joke\nCREATE RULE r AS ON INSERT TO a DO NOTHING"),
        [""; 0]
    );
    assert_eq!(rules("-- lint: allow rules:\nCREATE RULE r AS ON INSERT TO a DO NOTHING"), ["rules"]);
}

#[test]
fn the_steps_of_a_tenant_have_no_fault() {
    let steps = crate::tenant::steps();
    let faults: Vec<_> = steps.iter().skip(BEFORE).flat_map(lint).collect();
    assert_eq!(faults, []);
    let about_locks = ["long-lock", "validate-apart", "contract", "hidden-locks", "unbounded"];
    let portable: Vec<_> = steps
        .iter()
        .take(BEFORE)
        .flat_map(lint)
        .filter(|fault| !about_locks.contains(&fault.rule))
        // What it made was replaced by m0035.
        .filter(|fault| (fault.step.as_str(), fault.rule) != ("m0032_chart_versions", "shard-name"))
        .collect();
    assert_eq!(portable, []);
}
