//! What happens, as it happens: subscriptions.
//!
//! A subscription's document is run anew for each event, like a query whose root holds the event: with loaders, rights
//! and an account of what was disclosed of its own. So an event and everything selected below it is judged as any other
//! reading, at the moment it is delivered. The framework's own streams hold one context for hours; of them only the
//! description is used, for the published schema and for validation.

mod inputs;
mod kind;
mod root;
mod source;
mod types;

use std::borrow::Cow;

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, OutputType, Response, Schema, SubscriptionType,
    registry::Registry,
};
use futures::stream::BoxStream;

pub use source::Source;
pub(crate) use source::{Delivery, is_shown};

use crate::{
    policy::{Access, Rule, open},
    withhold::withheld,
};
use root::Subscription;

pub(crate) const POLICY: &[Rule] = &[
    open(
        "Subscription",
        Access::SignedIn,
        &["events", "patientEvents", "encounterEvents", "appointmentEvents"],
    ),
    open(
        "Event",
        Access::Inherited,
        &[
            "id",
            "kind",
            "at",
            "actorId",
            "actor",
            "subjectId",
            "subject",
            "patientId",
            "patient",
            "encounterId",
            "encounter",
            "encounterSequence",
        ],
    ),
];

/// What documents of subscriptions are run on.
pub(crate) type DeliverySchema = Schema<Subscription, EmptyMutation, EmptySubscription>;

/// The schema that delivers events.
pub(crate) fn delivery_schema() -> DeliverySchema {
    let schema = Schema::build(Subscription, EmptyMutation, EmptySubscription).directive(withheld);
    crate::api::hardened(schema)
        .validation_mode(async_graphql::ValidationMode::Fast)
        .disable_introspection()
        .finish()
}

/// The subscription root as it is published.
pub(crate) struct Published;

impl SubscriptionType for Published {
    fn type_name() -> Cow<'static, str> {
        <Subscription as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Subscription as OutputType>::create_type_info(registry)
    }

    fn create_field_stream<'a>(&'a self, _: &'a Context<'_>) -> Option<BoxStream<'a, Response>> {
        None
    }
}
