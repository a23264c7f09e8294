//! Counts the selections of a document with every fragment written out, without writing it out.
//!
//! Twenty fragments that each use the next one twice are a million selections in one kilobyte. The
//! size of a fragment is computed once and remembered, so the count is linear in the text.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned,
    parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet},
};

use super::{Bounds, Excess};

/// Refuses cycles, unused or unknown fragments, and documents too large or deep when written out.
pub(super) fn check(document: &ExecutableDocument, bounds: &Bounds) -> Result<(), Excess> {
    if document.operations.iter().len() > bounds.operations {
        return Err(Excess::Operations(bounds.operations));
    }
    let mut counter = Counter { fragments: &document.fragments, known: HashMap::new(), bounds };
    let mut nodes = 0_u64;
    for (_, operation) in document.operations.iter() {
        nodes = nodes.saturating_add(counter.measure(&operation.node.selection_set.node, 0)?.nodes);
        if nodes > bounds.nodes {
            return Err(Excess::Nodes(bounds.nodes));
        }
    }
    // An unused fragment would be walked by validation without ever having been counted.
    match document.fragments.keys().find(|name| !counter.known.contains_key(name.as_str())) {
        Some(name) => Err(Excess::UnusedFragment(name.clone())),
        None => Ok(()),
    }
}

#[derive(Clone, Copy, Default)]
struct Size {
    nodes: u64,
    height: usize,
}

struct Counter<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// `None` while the fragment is being measured: meeting it again is a cycle.
    known: HashMap<&'a str, Option<Size>>,
    bounds: &'a Bounds,
}

impl<'a> Counter<'a> {
    fn measure(&mut self, set: &'a SelectionSet, level: usize) -> Result<Size, Excess> {
        let mut size = Size::default();
        for item in &set.items {
            let level = level + 1;
            if level > self.bounds.nesting {
                return Err(Excess::Nesting(self.bounds.nesting));
            }
            let inner = match &item.node {
                Selection::Field(field) => self.measure(&field.node.selection_set.node, level)?,
                Selection::InlineFragment(inline) => self.measure(&inline.node.selection_set.node, level)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, level)?,
            };
            if level + inner.height > self.bounds.nesting {
                return Err(Excess::Nesting(self.bounds.nesting));
            }
            size.height = size.height.max(inner.height + 1);
            size.nodes = size.nodes.saturating_add(inner.nodes).saturating_add(1);
        }
        Ok(size)
    }

    fn fragment(&mut self, name: &Name, level: usize) -> Result<Size, Excess> {
        match self.known.get(name.as_str()) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(Excess::FragmentCycle(name.clone())),
            None => {}
        }
        let Some((name, fragment)) = self.fragments.get_key_value(name) else {
            return Err(Excess::UnknownFragment(name.clone()));
        };
        self.known.insert(name, None);
        let size = self.measure(&fragment.node.selection_set.node, level)?;
        self.known.insert(name, Some(size));
        Ok(size)
    }
}
