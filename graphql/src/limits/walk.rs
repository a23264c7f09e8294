//! Walks one operation with its fragments written out: depth, aliases, root fields and cost.
//!
//! The cost is the number of values the answer may hold: a field counts one, a page multiplies what
//! is selected in its lists by `first`/`last` (25 when absent), any other list by a handful. Large
//! arguments count too, since they are copied for every object whose field they are given to, and
//! each term of a filter counts more, since the database evaluates it for every row.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
};

use async_graphql::{
    Name, Value,
    parser::types::{ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet},
};

use super::{
    Excess, FieldSize, FieldSizes, GUESSABLE, InputTypes, Limits, Measured, inputs::Weight, introspection,
};

const DEFAULT_PAGE: u64 = 25;
const MAX_PAGE: u64 = 100;
/// Names, addresses, codings: lists that belong to one object and are short.
const PLAIN_LIST: u64 = 4;
/// So many values in an argument count as one more value in the answer.
const VALUES_PER_COST: u64 = 100;
/// What a term of a filter counts, in values of the answer.
const TERM_COST: u64 = 2;
/// Comparing with a value or two is what fields with a filter are for.
const FREE_TERMS: u64 = 10;

/// Refuses an operation out of bounds; returns its cost.
pub(super) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &HashMap<&str, &Value>,
    sizes: &FieldSizes,
    limits: &Limits,
) -> Result<Measured, Excess> {
    let mut values: HashMap<&str, &Value> = operation
        .variable_definitions
        .iter()
        .filter_map(|definition| {
            let default = definition.node.default_value.as_ref()?;
            Some((definition.node.name.node.as_str(), &default.node))
        })
        .collect();
    if values.values().any(|default| InputTypes::is_unstorable(default)) {
        return Err(Excess::Unstorable);
    }
    values.extend(variables);
    let weights = operation
        .variable_definitions
        .iter()
        .filter_map(|definition| {
            let name = definition.node.name.node.as_str();
            let value = values.get(name)?;
            Some((name, sizes.inputs.weigh(Some(&definition.node.var_type.node), value)))
        })
        .collect();
    let mut walk = Walk {
        document,
        sizes,
        limits,
        values,
        weights,
        terms: 0,
        deepest: 0,
        mutation: operation.ty == OperationType::Mutation,
        aliases: 0,
        root_keys: Vec::new(),
        guessable: HashSet::new(),
        introspection_cost: 0,
    };
    let root = match operation.ty {
        OperationType::Query => sizes.root("Query"),
        OperationType::Mutation => sizes.root("Mutation"),
        OperationType::Subscription => "Subscription",
    };
    let place = Place { of: Some(root), depth: 0, page: None, introspection: false };
    let cost = walk.selections(&operation.selection_set.node, place)?;
    if operation.ty == OperationType::Subscription && walk.root_keys.len() > 1 {
        return Err(Excess::SubscriptionRoots);
    }
    if walk.introspection_cost > limits.introspection_cost {
        return Err(Excess::IntrospectionCost);
    }
    if cost > limits.cost {
        return Err(Excess::Cost { cost, limit: limits.cost });
    }
    Ok(Measured { cost, depth: walk.deepest })
}

/// Where in the operation a selection stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    of: Option<&'a str>,
    depth: usize,
    /// The page size asked for by the enclosing field; its lists have that length.
    page: Option<u64>,
    introspection: bool,
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    sizes: &'a FieldSizes,
    limits: &'a Limits,
    values: HashMap<&'a str, &'a Value>,
    weights: HashMap<&'a str, Weight>,
    /// Terms of filters so far.
    terms: u64,
    /// How deep the deepest field lies so far.
    deepest: usize,
    mutation: bool,
    aliases: usize,
    root_keys: Vec<&'a Name>,
    guessable: HashSet<&'a str>,
    introspection_cost: u64,
}

impl<'a> Walk<'a> {
    fn selections(&mut self, set: &'a SelectionSet, place: Place<'a>) -> Result<u64, Excess> {
        let mut cost = 0_u64;
        for item in &set.items {
            let found = match &item.node {
                Selection::Field(field) => self.field(&field.node, place)?,
                Selection::InlineFragment(inline) => {
                    let of = inline.node.type_condition.as_ref();
                    let of = of.map_or(place.of, |condition| Some(condition.node.on.node.as_str()));
                    self.selections(&inline.node.selection_set.node, Place { of, ..place })?
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) else {
                        continue;
                    };
                    let of = Some(fragment.node.type_condition.node.on.node.as_str());
                    self.selections(&fragment.node.selection_set.node, Place { of, ..place })?
                }
            };
            cost = cost.saturating_add(found);
        }
        Ok(cost)
    }

    fn field(&mut self, field: &'a Field, place: Place<'a>) -> Result<u64, Excess> {
        let name = field.name.node.as_str();
        let depth = place.depth + 1;
        self.deepest = self.deepest.max(depth);
        if depth == 1 {
            self.root_field(field)?;
        }
        if field.alias.is_some() {
            self.aliases += 1;
            if self.aliases > self.limits.aliases {
                return Err(Excess::Aliases(self.limits.aliases));
            }
        }
        let introspection = place.introspection || (depth == 1 && introspection::is_root(name));
        let deepest = if introspection { self.limits.introspection_depth } else { self.limits.depth };
        if depth > deepest {
            return Err(Excess::Depth(deepest));
        }
        let inner = Place { of: None, depth, page: None, introspection };
        let set = &field.selection_set.node;
        if introspection {
            let inside = self.selections(set, inner)?;
            let cost = introspection::factor(name).saturating_mul(inside).saturating_add(1);
            if depth == 1 {
                self.introspection_cost = self.introspection_cost.saturating_add(cost);
                return Ok(1);
            }
            return Ok(cost);
        }
        let size = place.of.and_then(|of| self.sizes.get(of, name));
        let own = self.arguments(field, size)?;
        let Some(size) = size else { return Ok(own.saturating_add(self.selections(set, inner)?)) };
        let page = size.paged.then(|| self.page(field));
        let factor = match (size.list, page) {
            (true, Some(page)) => page,
            (true, None) => place.page.unwrap_or(PLAIN_LIST),
            (false, _) => 1,
        };
        let page = if size.list { None } else { page };
        let inside = self.selections(set, Place { of: Some(&size.of), page, ..inner })?;
        Ok(own.saturating_add(factor.saturating_mul(inside)))
    }

    fn root_field(&mut self, field: &'a Field) -> Result<(), Excess> {
        let key = &field.response_key().node;
        // The framework runs both and merges the results, which is wrong for a mutation.
        if self.mutation && self.root_keys.contains(&key) {
            return Err(Excess::DuplicateMutation(key.clone()));
        }
        self.root_keys.push(key);
        if self.root_keys.len() > self.limits.root_fields {
            return Err(Excess::RootFields(self.limits.root_fields));
        }
        let name = field.name.node.as_str();
        if GUESSABLE.contains(&name) && !self.guessable.insert(name) {
            return Err(Excess::Repeated(field.name.node.clone()));
        }
        Ok(())
    }

    fn page(&self, field: &Field) -> u64 {
        let asked = ["first", "last"].iter().filter_map(|name| {
            let value = field.get_argument(name)?.node.clone();
            let value = value.into_const_with(|variable| match self.values.get(variable.as_str()) {
                Some(Value::Number(number)) => Ok(Value::Number(number.clone())),
                _ => Err(()),
            });
            match value {
                // Negative and larger ones are the resolver's to refuse; here they must not overflow.
                Ok(Value::Number(number)) => Some(number.as_u64().unwrap_or_default().clamp(1, MAX_PAGE)),
                _ => None,
            }
        });
        asked.max().unwrap_or(DEFAULT_PAGE)
    }

    /// What the field itself counts: one, and what is given to it.
    fn arguments(&mut self, field: &Field, size: Option<&FieldSize>) -> Result<u64, Excess> {
        let mut weight = Weight::default();
        for (name, value) in &field.arguments {
            let ty = size.and_then(|size| size.arguments.get(name.node.as_str()));
            // Variables are weighed once per operation instead of being copied in here.
            let literal = value.node.clone().into_const_with(|variable| {
                weight += self.weights.get(variable.as_str()).copied().unwrap_or_default();
                Ok::<_, Infallible>(Value::Null)
            });
            match literal {
                Ok(literal) if InputTypes::is_unstorable(&literal) => return Err(Excess::Unstorable),
                Ok(literal) => weight += self.sizes.inputs.weigh(ty, &literal),
                Err(never) => match never {},
            }
        }
        self.terms = self.terms.saturating_add(weight.terms);
        if self.terms > self.limits.filter_terms {
            return Err(Excess::FilterTerms(self.limits.filter_terms));
        }
        let terms = weight.terms.saturating_sub(FREE_TERMS).saturating_mul(TERM_COST);
        Ok((1 + weight.values / VALUES_PER_COST).saturating_add(terms))
    }
}
