//! What commands print: a table for people, JSON for scripts, one JSON line per row for streams.

use std::io::{self, Write};

use anyhow::Result;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use serde_json::Value;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// A table.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON document per line.
    Ndjson,
}

impl Output {
    /// Prints rows. In a table only the named columns are shown, in this order.
    pub fn print_rows<T: Serialize>(self, columns: &[&str], rows: &[T]) -> Result<()> {
        self.write_rows(&mut io::stdout().lock(), columns, rows)
    }

    /// Prints one thing: in a table its named fields below each other.
    pub fn print_one<T: Serialize>(self, columns: &[&str], thing: &T) -> Result<()> {
        let mut out = io::stdout().lock();
        match self {
            Self::Table => {
                let thing = serde_json::to_value(thing)?;
                let mut table = plain_table();
                table.add_rows(columns.iter().map(|name| [heading(name), cell(thing.get(*name))]));
                writeln!(out, "{}", table.trim_fmt())?;
            }
            Self::Json => writeln!(out, "{}", serde_json::to_string_pretty(thing)?)?,
            Self::Ndjson => writeln!(out, "{}", serde_json::to_string(thing)?)?,
        }
        Ok(())
    }

    fn write_rows<T: Serialize>(self, out: &mut impl Write, columns: &[&str], rows: &[T]) -> Result<()> {
        match self {
            Self::Table => {
                let mut table = plain_table();
                table.set_header(columns.iter().map(|name| heading(name)));
                for row in rows {
                    let row = serde_json::to_value(row)?;
                    table.add_row(columns.iter().map(|name| cell(row.get(*name))));
                }
                writeln!(out, "{}", table.trim_fmt())?;
            }
            Self::Json => writeln!(out, "{}", serde_json::to_string_pretty(rows)?)?,
            Self::Ndjson => {
                for row in rows {
                    writeln!(out, "{}", serde_json::to_string(row)?)?;
                }
            }
        }
        out.flush()?;
        Ok(())
    }
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// `schema_version` is shown as SCHEMA VERSION.
fn heading(name: &str) -> String {
    // Names of operations' results are written as JSON has them.
    let mut words = String::with_capacity(name.len() + 2);
    for letter in name.chars() {
        match letter {
            '_' => words.push(' '),
            'A'..='Z' => words.extend([' ', letter]),
            _ => words.extend(letter.to_uppercase()),
        }
    }
    words
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(members)) => {
            members.iter().map(|member| cell(Some(member))).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(output: Output) -> String {
        let rows = [
            json!({ "slug": "northside", "roles": ["a", "b"], "n": 3 }),
            json!({ "slug": "harbor", "n": null }),
        ];
        let mut out = Vec::new();
        output.write_rows(&mut out, &["slug", "n", "roles"], &rows).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_form_holds_the_same_rows() {
        let table = printed(Output::Table);
        let lines: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines, [vec!["SLUG", "N", "ROLES"], vec!["northside", "3", "a,", "b"], vec!["harbor"]]);
        let document: Vec<Value> = serde_json::from_str(&printed(Output::Json)).unwrap();
        let lines: Vec<Value> =
            printed(Output::Ndjson).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(document, lines);
        assert_eq!(document.len(), 2);
    }
}
