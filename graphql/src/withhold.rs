//! Binds whatever field a clinic chose to the permission it asks for, at no price to those who hold it.
//!
//! What the clinic's policies close to this reader is known before anything runs. Only when that is something, the
//! document is walked: each selected field that is closed gets the directive `@withheld`, which answers in place of
//! the field; a filter, order or lookup by such a field refuses the whole operation, or it would be an oracle.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use async_graphql::{
    Context, CustomDirective, Directive, Name, Pos, Positioned, Request, ServerResult, Value, async_trait,
    extensions::ResolveFut,
    parser::types::{
        self as ast, BaseType, ExecutableDocument, Field, OperationType, Selection, SelectionSet,
        ServiceDocument, Type, TypeKind, TypeSystemDefinition,
    },
};
use praxis_platform::access::Permission;

use crate::{
    context::{Ask, Caller, RedactionMode},
    error::{ApiError, Code},
    policy::{self, At},
    redaction::Reason,
};

/// What is closed to a reader, with the permission that would open it.
pub(crate) type ClosedFields<'a> = HashMap<&'a str, Option<Permission>>;

/// The types of fields, arguments and inputs.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    fields: HashMap<String, HashMap<String, Slot>>,
    inputs: HashMap<String, HashMap<String, String>>,
    implementors: HashMap<String, Vec<String>>,
}

#[derive(Debug)]
struct Slot {
    of: String,
    nullable: bool,
    arguments: HashMap<String, String>,
}

fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => named(inner),
    }
}

impl Shape {
    /// Reads the schema's description.
    pub(crate) fn read(described: &ServiceDocument) -> Self {
        let mut shape = Self::default();
        for definition in &described.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            match &definition.node.kind {
                TypeKind::Object(object) => {
                    for interface in &object.implements {
                        shape.implementors.entry(interface.node.to_string()).or_default().push(name.clone());
                    }
                    shape.fields.insert(name, slots(&object.fields));
                }
                TypeKind::Interface(interface) => {
                    shape.fields.insert(name, slots(&interface.fields));
                }
                TypeKind::InputObject(input) => {
                    let field = |field: &Positioned<ast::InputValueDefinition>| {
                        (field.node.name.node.to_string(), named(&field.node.ty.node).to_owned())
                    };
                    shape.inputs.insert(name, input.fields.iter().map(field).collect());
                }
                _ => {}
            }
        }
        shape
    }

    /// The type to which a field leads.
    pub(crate) fn leads_to(&self, of: &str, field: &str) -> Option<&str> {
        Some(self.fields.get(of)?.get(field)?.of.as_str())
    }

    /// Whether a field is closed: of this type, or of any that implements it.
    fn closed<'c>(&self, closed: &ClosedFields<'c>, of: &str, field: &str) -> Option<&'c str> {
        let types =
            std::iter::once(of).chain(self.implementors.get(of).into_iter().flatten().map(String::as_str));
        types
            .into_iter()
            .find_map(|of| closed.get_key_value(format!("{of}.{field}").as_str()).map(|(name, _)| *name))
    }

    /// Every argument and input field, and the fields to which it can be given.
    pub(crate) fn inputs(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (of, fields) in &self.fields {
            for (field, slot) in fields {
                let taker = format!("{of}.{field}");
                let mut seen = HashSet::new();
                for (argument, ty) in &slot.arguments {
                    all.entry(format!("{taker}({argument}:)")).or_default().insert(taker.clone());
                    let mut waiting = vec![ty.as_str()];
                    while let Some(ty) = waiting.pop() {
                        let inner = self.inputs.get(ty).filter(|_| seen.insert(ty));
                        for (name, inner) in inner.into_iter().flatten() {
                            all.entry(format!("{ty}.{name}")).or_default().insert(taker.clone());
                            waiting.push(inner.as_str());
                        }
                    }
                }
            }
        }
        all
    }

    /// Withholds from a request what the clinic's policies close to the caller; costs nothing where that is nothing.
    pub(crate) fn bind(&self, caller: &Caller, request: &mut Request) -> Result<(), ApiError> {
        let closed = caller.closed();
        if closed.is_empty() {
            return Ok(());
        }
        let unread = |error: async_graphql::ServerError| ApiError::new(Code::Internal, error.message);
        let mut document = request.parsed_query().map_err(unread)?.clone();
        self.withhold(&mut document, &request.variables, &closed).map_err(|Probed { at, permission }| {
            let error = Reason::Permission(permission).as_error();
            caller.note_lost(&at.name, error.code());
            error
        })?;
        request.set_parsed_query(document);
        Ok(())
    }

    /// Withholds what is closed from a document, or refuses it.
    fn withhold(
        &self,
        document: &mut ExecutableDocument,
        values: &async_graphql::Variables,
        closed: &ClosedFields<'_>,
    ) -> Result<(), Probed> {
        // A variable that is not given has its default, whichever operation of the document it belongs to.
        let mut defaults: HashMap<Name, Vec<Value>> = HashMap::new();
        for (_, operation) in document.operations.iter() {
            for definition in &operation.node.variable_definitions {
                if let Some(default) = &definition.node.default_value {
                    defaults.entry(definition.node.name.node.clone()).or_default().push(default.node.clone());
                }
            }
        }
        let walk = Walk { shape: self, values, defaults, closed };
        for fragment in document.fragments.values_mut() {
            let of = fragment.node.type_condition.node.on.node.to_string();
            walk.selections(&mut fragment.node.selection_set.node, &of)?;
        }
        let operations: Vec<&mut ast::OperationDefinition> = match &mut document.operations {
            ast::DocumentOperations::Single(operation) => vec![&mut operation.node],
            ast::DocumentOperations::Multiple(operations) => {
                operations.values_mut().map(|operation| &mut operation.node).collect()
            }
        };
        for operation in operations {
            walk.selections(&mut operation.selection_set.node, root(operation.ty))?;
        }
        Ok(())
    }
}

/// The type whose fields an operation asks for.
pub(crate) fn root(operation: OperationType) -> &'static str {
    match operation {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

fn slots(fields: &[Positioned<ast::FieldDefinition>]) -> HashMap<String, Slot> {
    let slot = |field: &Positioned<ast::FieldDefinition>| {
        let field = &field.node;
        let argument = |argument: &Positioned<ast::InputValueDefinition>| {
            (argument.node.name.node.to_string(), named(&argument.node.ty.node).to_owned())
        };
        let slot = Slot {
            of: named(&field.ty.node).to_owned(),
            nullable: field.ty.node.nullable,
            arguments: field.arguments.iter().map(argument).collect(),
        };
        (field.name.node.to_string(), slot)
    };
    fields.iter().map(slot).collect()
}

/// A closed field by whose values somebody asked.
struct Probed {
    at: &'static At,
    permission: Option<Permission>,
}

struct Walk<'a> {
    shape: &'a Shape,
    values: &'a async_graphql::Variables,
    defaults: HashMap<Name, Vec<Value>>,
    closed: &'a ClosedFields<'a>,
}

impl Walk<'_> {
    fn selections(&self, set: &mut SelectionSet, of: &str) -> Result<(), Probed> {
        for item in &mut set.items {
            match &mut item.node {
                Selection::Field(field) => self.field(&mut field.node, of, item.pos)?,
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().map(|on| on.node.on.node.to_string());
                    self.selections(&mut inline.node.selection_set.node, on.as_deref().unwrap_or(of))?;
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }

    fn field(&self, field: &mut Field, of: &str, pos: Pos) -> Result<(), Probed> {
        let Some(slot) = self.shape.fields.get(of).and_then(|fields| fields.get(field.name.node.as_str()))
        else {
            return Ok(());
        };
        for (name, value) in &field.arguments {
            if let Some(ty) = slot.arguments.get(name.node.as_str()) {
                let value = value
                    .node
                    .clone()
                    .into_const_with(|variable| Ok::<_, std::convert::Infallible>(self.value(&variable)));
                let Ok(value) = value;
                self.input(&value, ty)?;
            }
        }
        // Roots name their coordinate themselves, and are refused with an error.
        let root = matches!(of, "Query" | "Mutation" | "Subscription");
        if !root && let Some(coordinate) = self.shape.closed(self.closed, of, &field.name.node) {
            let argument = |name: &str, value: Value| {
                (Positioned::new(Name::new(name), pos), Positioned::new(value.into_value(), pos))
            };
            let arguments = vec![
                argument("coordinate", Value::String(coordinate.to_owned())),
                argument("nullable", Value::Boolean(slot.nullable)),
            ];
            let directive = ast::Directive { name: Positioned::new(Name::new("withheld"), pos), arguments };
            field.directives.push(Positioned::new(directive, pos));
        }
        self.selections(&mut field.selection_set.node, &slot.of)
    }

    /// What may be given for a variable. Of several defaults any may be the one: all are looked at.
    fn value(&self, variable: &Name) -> Value {
        match (self.values.get(variable), self.defaults.get(variable).map(Vec::as_slice)) {
            (Some(given), _) => given.clone(),
            (None, Some([default])) => default.clone(),
            (None, Some(defaults)) => Value::List(defaults.to_vec()),
            (None, None) => Value::Null,
        }
    }

    /// An input that asks by the value of a field is as closed as the field.
    fn input(&self, value: &Value, ty: &str) -> Result<(), Probed> {
        match value {
            Value::List(items) => items.iter().try_for_each(|item| self.input(item, ty)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    for asked in asked_by_input(ty, name) {
                        self.refuse_if_closed(&asked)?;
                    }
                    if let Some(inner) =
                        self.shape.inputs.get(ty).and_then(|inputs| inputs.get(name.as_str()))
                    {
                        self.input(value, inner)?;
                    }
                }
                Ok(())
            }
            Value::Enum(name) => {
                asked_by_order(ty, name).map_or(Ok(()), |asked| self.refuse_if_closed(&asked))
            }
            Value::String(name) => {
                asked_by_order(ty, name).map_or(Ok(()), |asked| self.refuse_if_closed(&asked))
            }
            _ => Ok(()),
        }
    }

    fn refuse_if_closed(&self, coordinate: &str) -> Result<(), Probed> {
        match self.closed.get(coordinate) {
            Some(&permission) => Err(Probed { at: At::of(coordinate), permission }),
            None => Ok(()),
        }
    }
}

/// The fields by which an input object asks: `PatientFilter.email` asks by `Patient.email`.
pub(crate) fn asked_by_input(ty: &str, field: &str) -> Vec<String> {
    let Some(of) = ty.strip_suffix("Filter").or_else(|| ty.strip_suffix("Lookup")) else { return Vec::new() };
    match (of, field) {
        ("Encounter", "code") => vec!["Encounter.types".to_owned(), "Encounter.reasons".to_owned()],
        _ => vec![format!("{of}.{field}")],
    }
}

/// The fields by whose values an argument (`Query.patients(search:)`) or input field (`PatientFilter.email`) asks.
pub(crate) fn asks(name: &str) -> Vec<String> {
    if let Some((field, argument)) = name.split_once('(')
        && let Some((of, field)) = field.split_once('.')
    {
        let asked = asked_by_argument(of, field, argument.trim_end_matches(":)"));
        return asked.iter().map(|&asked| asked.to_owned()).collect();
    }
    let asked = name.split_once('.').map(|(ty, field)| asked_by_input(ty, field)).unwrap_or_default();
    asked.into_iter().filter(|asked| policy::find(asked).is_some()).collect()
}

/// The field by which an order asks: `AppointmentOrderField.STARTS_AT` asks by `Appointment.startsAt`.
pub(crate) fn asked_by_order(ty: &str, value: &str) -> Option<String> {
    let of = ty.strip_suffix("OrderField")?;
    let mut words = value.split('_').map(str::to_lowercase);
    let first = words.next()?;
    let rest = words.map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    });
    Some(format!("{of}.{first}{}", rest.collect::<String>()))
}

/// The fields by which a plain argument asks; which of them a text asks by, the search knows.
pub(crate) fn asked_by_argument(of: &str, field: &str, argument: &str) -> &'static [&'static str] {
    match (of, field, argument) {
        ("Query", "patients", "search") => &[
            "Patient.name",
            "Patient.names",
            "Patient.mrn",
            "Patient.birthDate",
            "Patient.phone",
            "Patient.email",
            "Patient.contactPoints",
        ],
        _ => &[],
    }
}

struct Withheld {
    coordinate: String,
    nullable: bool,
}

#[async_trait::async_trait]
impl CustomDirective for Withheld {
    async fn resolve_field(&self, ctx: &Context<'_>, resolve: ResolveFut<'_>) -> ServerResult<Option<Value>> {
        let caller = ctx.caller().map_err(|error| located(ctx, error))?;
        let Some(at) = policy::find(&self.coordinate) else { return resolve.await };
        // A client that writes the directive itself gets what it would get without.
        let Err(denied) = caller.check(at) else { return resolve.await };
        let reason = Reason::from(denied);
        if !self.nullable {
            return Err(located(ctx, reason.as_error()));
        }
        caller.recorder().note(&at.name, reason);
        if caller.mode() == RedactionMode::Error {
            ctx.add_error(ctx.set_error_path(located(ctx, reason.as_error())));
        }
        Ok(None)
    }
}

fn located(ctx: &Context<'_>, error: ApiError) -> async_graphql::ServerError {
    let error: async_graphql::Error = error.into();
    ctx.set_error_path(error.into_server_error(ctx.item.pos))
}

/// Put in by the server on a field that the clinic's own policy keeps back from the viewer. Of no use to a client.
#[Directive(location = "Field", name = "withheld")]
pub(crate) fn withheld(
    #[graphql(desc = "The type and name of the field.")] coordinate: String,
    #[graphql(desc = "Whether the field may be null.")] nullable: bool,
) -> impl CustomDirective {
    Withheld { coordinate, nullable }
}
