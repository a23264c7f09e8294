//! Every way to hand an id in, by what it is about.

mod access;
mod accounts;
mod appointments;
mod calendar;
mod documents;
mod encounters;
mod notices;
mod patients;
mod record;
mod work;

/// Each as `(query, name of the variable's type)`.
pub const WITH_AN_ID: &[&[(&str, &str)]] = &[
    patients::ARGUMENTS,
    appointments::ARGUMENTS,
    calendar::ARGUMENTS,
    record::ARGUMENTS,
    documents::ARGUMENTS,
    encounters::ARGUMENTS,
    access::ARGUMENTS,
    accounts::ARGUMENTS,
    notices::ARGUMENTS,
    work::ARGUMENTS,
];
