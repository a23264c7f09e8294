//! TEMP: who asks.
use std::sync::Arc;

use praxis_platform::{OpFactory, access::FieldPolicies};

/// TEMP
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedactionMode {
    /// TEMP
    #[default]
    Silent,
    /// TEMP
    Error,
}

/// TEMP
#[derive(Clone)]
pub struct Caller {
    /// TEMP
    pub factory: OpFactory,
    /// TEMP
    pub policies: Arc<FieldPolicies>,
    /// TEMP
    pub redaction: RedactionMode,
    /// TEMP
    pub idempotency_key: Option<String>,
}

impl Caller {
    /// TEMP
    pub fn new(factory: OpFactory, policies: Arc<FieldPolicies>, redaction: RedactionMode, idempotency_key: Option<String>) -> Self {
        Self { factory, policies, redaction, idempotency_key }
    }
}
