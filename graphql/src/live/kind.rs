//! The kinds of events, as an enumeration of the schema: read from the list of events, which is their only home.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, Name, OutputType, Positioned,
    ServerResult, Value,
    parser::types::Field,
    registry::{MetaEnumValue, MetaType, MetaTypeId, Registry},
};
use praxis_domain::event::Event;

/// A kind of event, by its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventKind(pub(super) String);

const NAME: &str = "EventKind";

fn describe(_: &mut Registry) -> MetaType {
    let value = |(code, meaning): (String, &str)| {
        let description = Some(meaning.trim().to_owned());
        (code.clone(), MetaEnumValue { description, ..MetaEnumValue::new(code) })
    };
    MetaType::Enum {
        name: NAME.to_owned(),
        description: Some("What happened. More kinds may come.".to_owned()),
        enum_values: Event::kinds().map(value).collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: Some(std::any::type_name::<EventKind>()),
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

impl InputType for EventKind {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::Enum, describe)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let code = match value.unwrap_or_default() {
            Value::Enum(code) => code.to_string(),
            Value::String(code) => code,
            other => return Err(InputValueError::expected_type(other)),
        };
        if Event::kinds().any(|(known, _)| known == code) {
            Ok(Self(code))
        } else {
            Err(InputValueError::custom("This is no kind of event."))
        }
    }

    fn to_value(&self) -> Value {
        Value::Enum(Name::new(&self.0))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl OutputType for EventKind {
    fn type_name() -> Cow<'static, str> {
        NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Enum, describe)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(self.to_value())
    }
}
