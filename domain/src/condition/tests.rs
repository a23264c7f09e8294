//! Conditions: what is read, what it comes to, and that nothing takes long.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn vocabulary() -> Vocabulary {
    [
        ("vitals.spo2", Kind::Number),
        ("vitals.systolic", Kind::Number),
        ("vitals.diastolic", Kind::Number),
        ("patient.sex", Kind::Text),
        ("patient.codes", Kind::Texts),
        ("visit.signed", Kind::Flag),
    ]
    .map(|(name, kind)| (name.to_owned(), kind))
    .into()
}

fn read(text: &str) -> Result<Condition, Fault> {
    Condition::read(text, &vocabulary())
}

fn facts(given: &[(&str, Fact)]) -> Facts {
    given.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone())).collect()
}

fn number(number: f64) -> Fact {
    Fact::Number(number)
}

fn holds(text: &str, given: &[(&str, Fact)]) -> Option<bool> {
    read(text).unwrap().judge(&facts(given)).holds
}

#[test]
fn what_is_measured_is_compared_with_whole_numbers_and_others() {
    let low = [
        ("vitals.spo2", number(91.5)),
        ("vitals.systolic", number(180.0)),
        ("vitals.diastolic", number(90.0)),
    ];
    for (text, expected) in [
        ("vitals.spo2 < 92", true),
        ("vitals.spo2 < 91.5", false),
        ("vitals.systolic >= 180", true),
        ("vitals.systolic == 180", true),
        ("vitals.systolic - vitals.diastolic > 60", true),
        ("vitals.systolic - vitals.diastolic * 2 == 0", true),
        ("!(vitals.spo2 < 92)", false),
        ("vitals.spo2 < -1 || vitals.systolic / 2 == 90.0", true),
        ("has(vitals.spo2) && !has(vitals.nothing_else)", true),
    ] {
        match text.contains("nothing_else") {
            true => assert_eq!(read(text), Err(Fault::Unknown("vitals.nothing_else".to_owned()))),
            false => assert_eq!(holds(text, &low), Some(expected), "{text}"),
        }
    }
    assert_eq!(holds("has(vitals.spo2)", &low), Some(true));
    // Also where nothing of the group is known.
    assert_eq!(holds("has(visit.signed)", &low), Some(false));
    assert_eq!(holds("has(visit.signed) == false", &low), Some(true));
    assert_eq!(holds("has(vitals.spo2) == false", &[]), Some(true));
    let coded = [
        ("patient.sex", Fact::Text("FEMALE".to_owned())),
        ("patient.codes", Fact::Texts(vec!["E11.9".to_owned()])),
    ];
    assert_eq!(holds("patient.sex in ['FEMALE', 'OTHER'] && 'E11.9' in patient.codes", &coded), Some(true));
    assert_eq!(holds("patient.sex.startsWith('FE') && !patient.sex.contains('X')", &coded), Some(true));
}

#[test]
fn what_is_unknown_is_neither_true_nor_false() {
    let some = [("vitals.spo2", number(80.0))];
    for (text, expected) in [
        ("vitals.spo2 < 92 || vitals.systolic > 180", Some(true)),
        ("vitals.systolic > 180 || vitals.spo2 < 92", Some(true)),
        ("vitals.spo2 > 92 && vitals.systolic > 180", Some(false)),
        ("vitals.systolic > 180 && vitals.spo2 > 92", Some(false)),
        ("vitals.spo2 < 92 && vitals.systolic > 180", None),
        ("vitals.spo2 > 92 || vitals.systolic > 180", None),
        ("!(vitals.systolic > 180)", None),
    ] {
        assert_eq!(holds(text, &some), expected, "{text}");
    }
    let verdict = read("vitals.spo2 < 92 && vitals.systolic > 180").unwrap().judge(&facts(&some));
    assert_eq!(verdict.missing, ["vitals.systolic"]);
    assert!(!verdict.failed);
    let parts: Vec<_> = verdict.parts.iter().map(|part| (part.text.as_str(), part.held)).collect();
    assert_eq!(parts, [("vitals.spo2 < 92", Some(true)), ("vitals.systolic > 180", None)]);
}

#[test]
fn what_is_no_condition_is_told_why() {
    for text in [
        "",
        "vitals.spo2",
        "vitals.spo2 + 1",
        "vitals.spo2 < 'low'",
        "vitals.spo2 == patient.sex",
        "vitals",
        "spo2 < 92",
        "vitals.pulse > 1",
        "patient.codes.exists(c, c == 'x')",
        "patient.codes.map(c, c) == patient.codes",
        "patient.sex.matches('(a+)+$')",
        "patient.sex + 'x' == 'y'",
        "size(patient.codes) > 1",
        "visit.signed ? true : false",
        "{'a': 1}.a == 1",
        "vitals.spo2 < 9223372036854775807",
        "duration('1h') > duration('1m')",
        "true == (vitals.spo2 < 1 && true)",
        "vitals.spo2 <",
        "vitals.spo2 < 92; drop table rule",
        "patient.sex == 'ü'",
        "vitals['spo2'] < 92",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    let many = vec!["vitals.spo2 < 92"; 50].join(" && ");
    assert!(read(&many).is_err() && many.len() < MOST_CHARACTERS);
    assert!(read(&vec!["vitals.spo2 < 92"; 30].join(" || ")).is_ok());
}

/// Pieces of which hostile texts are made.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just("!".to_owned()),
        Just("-".to_owned()),
        Just("[".to_owned()),
        Just("{".to_owned()),
        Just("{a:".to_owned()),
        Just("?".to_owned()),
        Just(":".to_owned()),
        Just("&&".to_owned()),
        Just("||".to_owned()),
        Just(" < ".to_owned()),
        Just("==".to_owned()),
        Just("vitals.spo2".to_owned()),
        Just("patient.codes.map(x, patient.codes.map(y, y))".to_owned()),
        Just("'aaaaaaaaaaaa'".to_owned()),
        Just("1e308*1e308".to_owned()),
        "[ -~]{0,12}".prop_map(|text| text),
    ]
}

#[test]
fn no_kind_of_nesting_takes_the_parser_to_its_end() {
    for piece in
        ["(", "[", "{", "{1:", "{a:", "a{a:", "a[", "f(", "a.b(", "!", "-", "1?", "1+", "a.", "a[0].", "1&&"]
    {
        let text = piece.repeat(MOST_CHARACTERS / piece.len());
        assert!(read(&text).is_err(), "{piece}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_text_takes_long_or_panics(pieces in proptest::collection::vec(piece(), 0..400)) {
        let text = pieces.concat();
        let begun = Instant::now();
        if let Ok(condition) = read(&text) {
            let known = facts(&[("vitals.spo2", number(f64::NAN)), ("patient.codes", Fact::Texts(vec!["x".to_owned(); 1_000]))]);
            let verdict = condition.judge(&known);
            prop_assert!(verdict.parts.len() <= MOST_NODES);
        }
        prop_assert!(begun.elapsed() < Duration::from_secs(3), "{text}");
    }

    #[test]
    fn repetition_of_one_piece_is_bounded(piece in piece(), times in 1_usize..900) {
        let text = piece.repeat(times);
        let begun = Instant::now();
        let _ = read(&text);
        prop_assert!(begun.elapsed() < Duration::from_secs(3), "{piece} {times} times");
    }

    #[test]
    fn a_verdict_never_changes_when_more_becomes_known(
        spo2 in proptest::option::of(50_i32..100),
        systolic in proptest::option::of(60_i32..220),
        shape in 0_usize..6,
    ) {
        let text = [
            "vitals.spo2 < 92 && vitals.systolic > 140",
            "vitals.spo2 < 92 || vitals.systolic > 140",
            "!(vitals.spo2 < 92) && vitals.systolic > 140",
            "!(vitals.spo2 < 92 && vitals.systolic > 140)",
            "!(vitals.spo2 < 92 || !(vitals.systolic > 140))",
            "vitals.systolic > 140 || !(vitals.spo2 < 92)",
        ][shape];
        let condition = read(text).unwrap();
        let mut known = Facts::default();
        if let Some(spo2) = spo2 { known.know("vitals.spo2", number(f64::from(spo2))); }
        if let Some(systolic) = systolic { known.know("vitals.systolic", number(f64::from(systolic))); }
        let first = condition.judge(&known);
        prop_assert_eq!(first.holds.is_none(), first.holds.is_none() && !first.missing.is_empty());
        for (more, other) in [(50, 220), (99, 61), (50, 61), (99, 220)] {
            let mut all = known.clone();
            if spo2.is_none() { all.know("vitals.spo2", number(f64::from(more))); }
            if systolic.is_none() { all.know("vitals.systolic", number(f64::from(other))); }
            let later = condition.judge(&all);
            prop_assert!(later.holds.is_some());
            if first.holds.is_some() { prop_assert_eq!(later.holds, first.holds); }
        }
    }
}
