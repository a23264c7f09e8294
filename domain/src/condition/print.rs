//! A part of a condition as it is shown to people.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue},
};

/// The text of a part: the same for whatever means the same to the parser.
pub(super) fn print(expression: &IdedExpr) -> String {
    match &expression.expr {
        Expr::Ident(name) => name.clone(),
        Expr::Select(select) if select.test => format!("has({}.{})", print(&select.operand), select.field),
        Expr::Select(select) => format!("{}.{}", print(&select.operand), select.field),
        Expr::Literal(literal) => value(literal),
        Expr::List(list) => format!("[{}]", list.elements.iter().map(print).collect::<Vec<_>>().join(", ")),
        Expr::Call(call) => written(call),
        _ => "…".to_owned(),
    }
}

fn value(literal: &LiteralValue) -> String {
    match literal {
        LiteralValue::Boolean(flag) => flag.inner().to_string(),
        LiteralValue::Double(number) => number.inner().to_string(),
        LiteralValue::Int(number) => number.inner().to_string(),
        LiteralValue::UInt(number) => number.inner().to_string(),
        LiteralValue::String(text) => format!("'{}'", text.inner()),
        LiteralValue::Bytes(_) | LiteralValue::Null => "…".to_owned(),
    }
}

fn written(call: &CallExpr) -> String {
    let arguments: Vec<String> = call.args.iter().map(operand).collect();
    if let Some(target) = &call.target {
        return format!("{}.{}({})", print(target), call.func_name, arguments.join(", "));
    }
    let operator = call.func_name.trim_matches(['_', '@']);
    match arguments.as_slice() {
        [left, right] => format!("{left} {operator} {right}"),
        [only] => format!("{operator}{only}"),
        several => format!("{operator}({})", several.join(", ")),
    }
}

/// An operand, in brackets where it has an operator of its own.
fn operand(expression: &IdedExpr) -> String {
    match &expression.expr {
        Expr::Call(call) if call.target.is_none() && call.args.len() == 2 => {
            format!("({})", print(expression))
        }
        _ => print(expression),
    }
}
