//! The input types of the schema, read once: whether a variable's value fits its type, what a
//! filter asks for, and whether a value can say anything about a person.
//!
//! The framework checks the values of variables together with the document. A document that was
//! validated before is not validated again, so its variables are checked here, for every request.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Value,
    parser::types::{BaseType, InputValueDefinition, Type, TypeDefinition, TypeKind},
};

/// Filters nest a few levels and inputs hardly more; what is deeper was made to be deep.
const DEEPEST: usize = 16;

/// Scalars that hold a number, an instant or an opaque id, and nothing that somebody wrote.
const SPEAKS_OF_NOBODY: [&str; 6] = ["Int", "Boolean", "ID", "DateTime", "LocalTime", "TimeZone"];

#[derive(Debug)]
struct InputField {
    ty: Type,
    has_default: bool,
}

#[derive(Debug)]
struct InputObject {
    fields: HashMap<String, InputField>,
    one_of: bool,
}

/// The input types of a schema.
#[derive(Debug, Default)]
pub(crate) struct InputTypes {
    objects: HashMap<String, InputObject>,
    enums: HashMap<String, HashSet<String>>,
}

/// What a value holds, see [`InputTypes::weigh`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weight {
    /// Values of any kind.
    pub(super) values: u64,
    /// Members of filters.
    pub(super) terms: u64,
}

impl std::ops::AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.values = self.values.saturating_add(other.values);
        self.terms = self.terms.saturating_add(other.terms);
    }
}

impl InputTypes {
    /// Takes a definition, if it is one of an input type.
    pub(super) fn read(&mut self, definition: &TypeDefinition) {
        let name = definition.name.node.to_string();
        match &definition.kind {
            TypeKind::InputObject(object) => {
                let fields = object.fields.iter().map(|field| input_field(&field.node)).collect();
                let one_of =
                    definition.directives.iter().any(|directive| directive.node.name.node == "oneOf");
                self.objects.insert(name, InputObject { fields, one_of });
            }
            TypeKind::Enum(values) => {
                let values = values.values.iter().map(|value| value.node.value.node.to_string());
                self.enums.insert(name, values.collect());
            }
            _ => {}
        }
    }

    /// Why a value does not fit a type; quotes nothing of the value.
    pub(crate) fn misfit(&self, ty: &Type, value: &Value) -> Option<String> {
        let mut path = Vec::new();
        self.judge(ty, value, &mut path).err().map(|reason| match path.as_slice() {
            [] => reason,
            path => format!("{reason} at {}", path.join(".")),
        })
    }

    fn judge(&self, ty: &Type, value: &Value, path: &mut Vec<String>) -> Result<(), String> {
        if path.len() > DEEPEST {
            return Err("it is nested too deeply".to_owned());
        }
        match (&ty.base, value) {
            (_, Value::Null) if ty.nullable => Ok(()),
            (_, Value::Null) => Err(format!("{ty} needs a value")),
            (BaseType::List(inner), Value::List(items)) => {
                for (position, item) in items.iter().enumerate() {
                    path.push(position.to_string());
                    self.judge(inner, item, path)?;
                    path.pop();
                }
                Ok(())
            }
            // One value stands for a list of one.
            (BaseType::List(inner), single) => self.judge(inner, single, path),
            (BaseType::Named(name), value) => self.judge_named(name, value, path),
        }
    }

    fn judge_named(&self, name: &str, value: &Value, path: &mut Vec<String>) -> Result<(), String> {
        if let Some(known) = self.enums.get(name) {
            let fits = match value {
                Value::Enum(value) => known.contains(value.as_str()),
                Value::String(value) => known.contains(value),
                _ => false,
            };
            return if fits { Ok(()) } else { Err(format!("it is no value of {name}")) };
        }
        let Some(object) = self.objects.get(name) else {
            return if scalar_fits(name, value) { Ok(()) } else { Err(format!("it is no {name}")) };
        };
        let Value::Object(fields) = value else { return Err(format!("it is no {name}")) };
        if object.one_of && (fields.len() != 1 || fields.values().any(|value| *value == Value::Null)) {
            return Err(format!("{name} takes exactly one of its fields"));
        }
        for (given, value) in fields {
            let field = object.fields.get(given.as_str());
            // The name may be anything a client wrote; it is not repeated.
            let field = field.ok_or_else(|| format!("{name} has no such field"))?;
            path.push(given.to_string());
            self.judge(&field.ty, value, path)?;
            path.pop();
        }
        let missing = object.fields.iter().find(|(field, definition)| {
            !definition.ty.nullable && !definition.has_default && !fields.contains_key(field.as_str())
        });
        match missing {
            Some((field, _)) => Err(format!("{name}.{field} needs a value")),
            None => Ok(()),
        }
    }

    /// What a value holds. Whatever is given to a filter is a term: it becomes a part of a condition
    /// that the database evaluates for every row.
    pub(super) fn weigh(&self, ty: Option<&Type>, value: &Value) -> Weight {
        let inner = |ty: &Type| match &ty.base {
            BaseType::List(inner) => (**inner).clone(),
            BaseType::Named(_) => ty.clone(),
        };
        let mut weight = Weight { values: 1, terms: 0 };
        match value {
            Value::List(items) => {
                let inner = ty.map(inner);
                for item in items {
                    weight += self.weigh(inner.as_ref(), item);
                }
            }
            Value::Object(fields) => {
                let name = ty.map(base_name).unwrap_or_default();
                let object = self.objects.get(name);
                let filter = is_filter(name);
                for (field, value) in fields {
                    let ty = object.and_then(|object| object.fields.get(field.as_str()));
                    let inside = self.weigh(ty.map(|field| &field.ty), value);
                    // Of a comparator each value, of a list of filters each member counts by itself.
                    let leaf = filter && !ty.is_some_and(|field| is_filter(base_name(&field.ty)));
                    weight += Weight { terms: if leaf { inside.values } else { inside.terms }, ..inside };
                }
                if filter {
                    weight.terms = weight.terms.saturating_add(1);
                }
            }
            _ => {}
        }
        weight
    }

    /// True when a text somewhere in the value can't be stored: Postgres has none with a zero in it.
    pub(crate) fn is_unstorable(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::List(items) => items.iter().any(Self::is_unstorable),
            Value::Object(fields) => fields.values().any(Self::is_unstorable),
            _ => false,
        }
    }

    /// True when no value of the type can say anything about a person.
    pub(crate) fn speaks_of_nobody(&self, ty: &Type) -> bool {
        self.harmless(base_name(ty), &mut HashSet::new())
    }

    fn harmless<'a>(&'a self, name: &'a str, seen: &mut HashSet<&'a str>) -> bool {
        if !seen.insert(name) || self.enums.contains_key(name) {
            return true;
        }
        match self.objects.get(name) {
            Some(object) => object.fields.values().all(|field| self.harmless(base_name(&field.ty), seen)),
            None => SPEAKS_OF_NOBODY.contains(&name),
        }
    }

    /// True when a value of the type can be large: its cost is known only with the value.
    pub(crate) fn is_sized(&self, ty: &Type) -> bool {
        let name = base_name(ty);
        matches!(ty.base, BaseType::List(_)) || self.objects.contains_key(name) || name == "Int"
    }
}

fn is_filter(name: &str) -> bool {
    name.ends_with("Filter")
}

/// The name of a type without its lists.
fn base_name(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => base_name(inner),
    }
}

fn input_field(definition: &InputValueDefinition) -> (String, InputField) {
    let field =
        InputField { ty: definition.ty.node.clone(), has_default: definition.default_value.is_some() };
    (definition.name.node.to_string(), field)
}

/// Scalars of our own are judged where they are parsed; here they only must not be a list or an object.
fn scalar_fits(name: &str, value: &Value) -> bool {
    match name {
        "Int" => {
            matches!(value, Value::Number(number) if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()))
        }
        "Float" => matches!(value, Value::Number(_)),
        "String" => matches!(value, Value::String(_)),
        "Boolean" => matches!(value, Value::Boolean(_)),
        "ID" => match value {
            Value::String(_) => true,
            Value::Number(number) => number.is_i64() || number.is_u64(),
            _ => false,
        },
        // `JSON` and the like take anything.
        _ => true,
    }
}
