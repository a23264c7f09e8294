//! Reading a condition: what it may be made of, and what it may cost.

use std::collections::BTreeSet;

use cel::{
    IdedExpr,
    common::{
        ast::{CallExpr, Expr, LiteralValue, SelectExpr, operators},
        types::CelDouble,
    },
    parser::Parser,
};

use super::{Kind, Vocabulary, print::print};

/// The longest condition.
pub const MOST_CHARACTERS: usize = 1_000;
/// The most operations and values that a condition is made of, and so the most steps that judging it takes.
pub const MOST_NODES: usize = 200;
/// How deeply it may be nested.
const DEEPEST: usize = 24;

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Too long, too deep, or of too many parts.
    #[error("The condition is too large: {0}.")]
    TooLarge(&'static str),
    /// Not an expression at all.
    #[error("The condition can't be read.")]
    Unreadable,
    /// A name that its facts do not have.
    #[error("There is no fact named {0}.")]
    Unknown(String),
    /// Part of the language, and not of conditions.
    #[error("A condition has no {0}.")]
    Unsupported(String),
    /// Kinds that do not fit.
    #[error("{0} asks for {1}.")]
    Mismatch(String, &'static str),
}

/// A condition that was read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub(super) root: Node,
    /// The groups of all names that it may use.
    pub(super) groups: BTreeSet<String>,
}

/// Parts and how they are joined.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// All hold.
    All(Vec<Node>),
    /// One holds.
    Any(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// A part by itself.
    Part {
        /// As it is shown.
        text: String,
        /// What it needs to be known.
        needs: Vec<String>,
        /// The part.
        expression: IdedExpr,
    },
}

impl Condition {
    /// Reads and checks a condition over facts of these names.
    pub fn read(text: &str, vocabulary: &Vocabulary) -> Result<Self, Fault> {
        bounded(text)?;
        let parser = Parser::new().max_recursion_depth(64).error_recovery_limit(0);
        let expression = parser.parse(text).map_err(|_| Fault::Unreadable)?;
        let mut reader = Reader { vocabulary, nodes: 0 };
        let root = reader.node(expression, 0)?;
        let groups = vocabulary.keys().filter_map(|name| Some(name.split_once('.')?.0.to_owned())).collect();
        Ok(Self { root, groups })
    }
}

/// What can be said before the parser sees it: it is never given anything that it could lose itself in.
fn bounded(text: &str) -> Result<(), Fault> {
    if text.len() > MOST_CHARACTERS {
        return Err(Fault::TooLarge("1,000 characters are the most"));
    }
    if !text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)) {
        return Err(Fault::Unsupported("characters beyond ASCII".to_owned()));
    }
    let (mut depth, mut row) = (0_usize, 0_usize);
    for byte in text.bytes() {
        depth = match byte {
            b'(' | b'[' | b'{' => depth + 1,
            b')' | b']' | b'}' => depth.saturating_sub(1),
            _ => depth,
        };
        row = match byte {
            b'!' | b'-' | b'(' | b'[' | b'{' => row + 1,
            b' ' | b'\n' => row,
            _ => 0,
        };
        if depth > DEEPEST || row > DEEPEST {
            return Err(Fault::TooLarge("it is nested too deeply"));
        }
    }
    Ok(())
}

struct Reader<'a> {
    vocabulary: &'a Vocabulary,
    nodes: usize,
}

impl Reader<'_> {
    fn count(&mut self, depth: usize) -> Result<(), Fault> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Fault::TooLarge("it has more than 200 parts"));
        }
        if depth > DEEPEST { Err(Fault::TooLarge("it is nested too deeply")) } else { Ok(()) }
    }

    /// A part, or parts that are joined.
    fn node(&mut self, mut expression: IdedExpr, depth: usize) -> Result<Node, Fault> {
        self.count(depth)?;
        match expression.expr {
            Expr::Call(call) if call.func_name == operators::LOGICAL_AND => {
                Ok(Node::All(self.joined(call, operators::LOGICAL_AND, depth)?))
            }
            Expr::Call(call) if call.func_name == operators::LOGICAL_OR => {
                Ok(Node::Any(self.joined(call, operators::LOGICAL_OR, depth)?))
            }
            Expr::Call(call) if call.func_name == operators::LOGICAL_NOT => {
                let inner = call.args.into_iter().next().ok_or(Fault::Unreadable)?;
                Ok(Node::Not(Box::new(self.node(inner, depth + 1)?)))
            }
            _ => {
                let mut needs = Vec::new();
                if self.kind(&mut expression, &mut needs, depth)? != Kind::Flag {
                    return Err(Fault::Mismatch(print(&expression), "yes or no here"));
                }
                Ok(Node::Part { text: print(&expression), needs, expression })
            }
        }
    }

    /// The parts that one operator joins, flat.
    fn joined(&mut self, call: CallExpr, operator: &str, depth: usize) -> Result<Vec<Node>, Fault> {
        let mut parts = Vec::with_capacity(call.args.len());
        for argument in call.args {
            match argument.expr {
                Expr::Call(inner) if inner.func_name == operator => {
                    self.count(depth + 1)?;
                    parts.extend(self.joined(inner, operator, depth + 1)?);
                }
                _ => parts.push(self.node(argument, depth + 1)?),
            }
        }
        Ok(parts)
    }

    /// What kind of thing an expression is. Numbers become floating ones, as measured facts are.
    fn kind(
        &mut self,
        expression: &mut IdedExpr,
        needs: &mut Vec<String>,
        depth: usize,
    ) -> Result<Kind, Fault> {
        self.count(depth)?;
        match &mut expression.expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Select(select) if select.test => {
                self.known(&format!("{}.{}", print(&select.operand), select.field))?;
                Ok(Kind::Flag)
            }
            Expr::Select(SelectExpr { operand, field, .. }) => {
                let name = format!("{}.{field}", print(operand));
                let kind = self.known(&name)?;
                needs.push(name);
                Ok(kind)
            }
            Expr::Ident(name) => Err(Fault::Unknown(name.clone())),
            Expr::List(list) => {
                for element in &mut list.elements {
                    if self.kind(element, needs, depth + 1)? != Kind::Text {
                        return Err(Fault::Mismatch(print(element), "a text in a list"));
                    }
                }
                Ok(Kind::Texts)
            }
            Expr::Call(call) => self.call(call, needs, depth),
            _ => Err(Fault::Unsupported("loops, maps or objects".to_owned())),
        }
    }

    #[expect(clippy::unused_self, reason = "beside the other kinds")]
    fn literal(&self, literal: &mut LiteralValue) -> Result<Kind, Fault> {
        let number = match literal {
            LiteralValue::Boolean(_) => return Ok(Kind::Flag),
            LiteralValue::String(_) => return Ok(Kind::Text),
            LiteralValue::Double(_) => return Ok(Kind::Number),
            LiteralValue::Int(number) => i32::try_from(*number.inner()).map(f64::from).ok(),
            LiteralValue::UInt(number) => u32::try_from(*number.inner()).map(f64::from).ok(),
            LiteralValue::Bytes(_) | LiteralValue::Null => None,
        };
        let number = number.ok_or_else(|| Fault::Unsupported("value like this".to_owned()))?;
        *literal = LiteralValue::Double(CelDouble::from(number));
        Ok(Kind::Number)
    }

    fn known(&self, name: &str) -> Result<Kind, Fault> {
        self.vocabulary.get(name).copied().ok_or_else(|| Fault::Unknown(name.to_owned()))
    }

    fn call(&mut self, call: &mut CallExpr, needs: &mut Vec<String>, depth: usize) -> Result<Kind, Fault> {
        let mut kinds = Vec::with_capacity(3);
        for operand in call.target.as_deref_mut().into_iter().chain(&mut call.args) {
            kinds.push(self.kind(operand, needs, depth + 1)?);
        }
        let (name, method) = (call.func_name.as_str(), call.target.is_some());
        let fits = |fits: bool, kind: Kind, asks: &'static str| {
            if fits { Ok(kind) } else { Err(Fault::Mismatch(name.trim_matches('_').to_owned(), asks)) }
        };
        match (name, method, kinds.as_slice()) {
            (operators::EQUALS | operators::NOT_EQUALS, false, [left, right]) => {
                fits(left == right && *left != Kind::Texts, Kind::Flag, "two of a kind")
            }
            (
                operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS,
                false,
                kinds,
            ) => fits(kinds == [Kind::Number; 2], Kind::Flag, "two numbers"),
            (
                operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE,
                false,
                kinds,
            ) => fits(kinds == [Kind::Number; 2], Kind::Number, "two numbers"),
            (operators::NEGATE, false, kinds) => fits(kinds == [Kind::Number], Kind::Number, "a number"),
            (operators::IN, false, kinds) => {
                fits(kinds == [Kind::Text, Kind::Texts], Kind::Flag, "a text and a list of texts")
            }
            ("startsWith" | "contains", true, kinds) => {
                fits(kinds == [Kind::Text; 2], Kind::Flag, "two texts")
            }
            (name, ..) => Err(Fault::Unsupported(name.trim_matches('_').to_owned())),
        }
    }
}
