//! Judging an operation that is to be registered: as every request is, and by its default variables.

use async_graphql::parser::types::OperationType;
use data_encoding::HEXLOWER;
use futures::future::BoxFuture;
use praxis_platform::vault::crypto;

use super::{Api, admit::select};
use crate::limits::{self, Limits};

/// An operation that may be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// SHA-256 of the text, in hexadecimal.
    pub sha256: String,
    /// Its name.
    pub name: String,
    /// It changes something.
    pub mutation: bool,
    /// What it costs with the defaults of its variables; a page without a size counts its default.
    pub cost: u64,
    /// Fields inside each other.
    pub depth: usize,
    /// A query whose variables can say nothing about a person: they may stand in an address.
    pub by_get: bool,
}

impl Api {
    /// Judges a document with one operation; the errors say what is wrong with it.
    pub fn judge<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Judged, Vec<String>>> {
        Box::pin(async move {
            let prepared = self.engine.prepare(text, false).await.map_err(|refusal| refusal.reasons())?;
            let (name, operation) = select(&prepared.document, None).map_err(|refusal| refusal.reasons())?;
            let Some(name) = name else { return Err(vec!["The operation has no name.".to_owned()]) };
            let whatever = Limits { cost: u64::MAX, ..self.engine.limits };
            let (sizes, none) = (&self.engine.sizes, Default::default());
            let measured = limits::measure(&prepared.document, operation, &none, sizes, &whatever)
                .map_err(|excess| vec![excess.to_string()])?;
            // What depends on variables may be less in a call; what does not never is.
            if prepared.fixed.contains_key(&Some(name.clone())) && measured.cost > self.engine.limits.cost {
                let limit = self.engine.limits.cost;
                return Err(vec![format!(
                    "The operation costs {}; at most {limit} is allowed.",
                    measured.cost
                )]);
            }
            let mutation = operation.ty == OperationType::Mutation;
            let harmless = operation
                .variable_definitions
                .iter()
                .all(|definition| sizes.inputs.speaks_of_nobody(&definition.node.var_type.node));
            Ok(Judged {
                sha256: HEXLOWER.encode(&crypto::sha256(text.as_bytes())),
                name: name.to_string(),
                mutation,
                cost: measured.cost,
                depth: measured.depth,
                by_get: operation.ty == OperationType::Query && harmless,
            })
        })
    }
}
