//! Objects whose columns are answered at once.
//!
//! async-graphql puts a future on the heap for each field of each object, though most fields are columns and have
//! nothing to wait for. [`AtOnce`] asks a field that has no fields of its own in place. Of those that have to wait only the
//! first goes on as a future on the heap: sealed fields of one row wait for the same standing and the same key, so the others
//! are asked in place once it is answered. What an answer says does not depend on it. No extension of async-graphql sees these
//! fields one by one; the schema has none. See `docs/decisions/0054-columns-are-answered-at-once.md`.

use std::{
    borrow::Cow,
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context as Task, Poll},
};

use async_graphql::{
    ContainerType, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value,
    indexmap::{IndexMap, map::Entry},
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
};
use futures::future::{BoxFuture, FutureExt, try_join, try_join_all};

/// An object that is resolved in this way.
pub(crate) struct AtOnce<T>(pub(crate) T);

impl<T: ContainerType> OutputType for AtOnce<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let mut fields = Vec::with_capacity(ctx.item.node.items.len());
        if !collect(ctx, &self.0, ctx.item, &mut fields) {
            return self.0.resolve(ctx, field).await;
        }
        let every: Vec<_> = (0..fields.len()).collect();
        let mut asked = poll_fn(|task| Poll::Ready(ask(task, ctx, &self.0, &fields, &every))).await?;
        let mut values = vec![Value::Null; fields.len()];
        put_all(&mut values, asked.answered);
        if let Some(leader) = asked.leader.take() {
            let behind = async {
                let mut answered = vec![leader.await?];
                // What it waited for is at hand now, and as a rule the others waited for the same.
                let more =
                    poll_fn(|task| Poll::Ready(ask(task, ctx, &self.0, &fields, &asked.behind))).await?;
                answered.extend(more.answered);
                let still = more.behind.iter().filter_map(|place| wait_for(ctx, &self.0, &fields, *place));
                answered.extend(try_join_all(more.leader.into_iter().chain(still)).await?);
                Ok(answered)
            };
            let (behind, others) = try_join(behind, try_join_all(asked.waiting)).await?;
            put_all(&mut values, behind.into_iter().chain(others));
        } else {
            put_all(&mut values, try_join_all(asked.waiting).await?);
        }
        let mut object = IndexMap::with_capacity(fields.len());
        for (field, value) in fields.into_iter().zip(values) {
            put(&mut object, &field.node.response_key().node, value);
        }
        Ok(Value::Object(object))
    }
}

fn put_all(values: &mut [Value], answered: impl IntoIterator<Item = (usize, Value)>) {
    for (place, value) in answered {
        if let Some(awaited) = values.get_mut(place) {
            *awaited = value;
        }
    }
}

/// The fields that are asked for, those of fragments too. False where a directive stands at one: that is left to
/// async-graphql, which knows what it does.
fn collect<'a, T: ContainerType>(
    ctx: &ContextSelectionSet<'a>,
    object: &T,
    selected: &'a Positioned<SelectionSet>,
    into: &mut Vec<&'a Positioned<Field>>,
) -> bool {
    selected.node.items.iter().all(|selection| {
        let (condition, selected) = match &selection.node {
            Selection::Field(field) => {
                into.push(field);
                return field.node.directives.is_empty();
            }
            Selection::FragmentSpread(spread) => {
                match ctx.query_env.fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) => (Some(&fragment.node.type_condition), &fragment.node.selection_set),
                    None => return false,
                }
            }
            Selection::InlineFragment(fragment) => {
                (fragment.node.type_condition.as_ref(), &fragment.node.selection_set)
            }
        };
        let applies = condition.is_none_or(|condition| {
            let (own, asked) = (object.introspection_type_name(), condition.node.on.node.as_str());
            let interfaces = ctx.schema_env.registry.implements.get(own.as_ref());
            own == asked || interfaces.is_some_and(|interfaces| interfaces.contains(asked))
        });
        !applies || collect(ctx, object, selected, into)
    })
}

type Waiting<'a> = BoxFuture<'a, ServerResult<(usize, Value)>>;

/// What became of fields that were asked, each named by its place.
#[derive(Default)]
struct Asked<'a> {
    answered: Vec<(usize, Value)>,
    /// The first of those without fields of their own that has to wait.
    leader: Option<Waiting<'a>>,
    /// Those that have to wait as well, as a rule for the same: they are asked again when the first is answered.
    behind: Vec<usize>,
    /// Those with fields of their own.
    waiting: Vec<Waiting<'a>>,
}

/// Asks fields in place.
fn ask<'a, T: ContainerType>(
    task: &mut Task<'_>,
    ctx: &'a ContextSelectionSet<'_>,
    object: &'a T,
    fields: &[&'a Positioned<Field>],
    places: &[usize],
) -> ServerResult<Asked<'a>> {
    let mut asked = Asked::default();
    for &place in places {
        let Some(&field) = fields.get(place) else { continue };
        let name = field.node.name.node.as_str();
        if name == "__typename" {
            asked.answered.push((place, Value::String(object.introspection_type_name().into_owned())));
        } else if !field.node.selection_set.node.items.is_empty() {
            asked.waiting.extend(wait_for(ctx, object, fields, place));
        } else if asked.leader.is_some() && has_waited(&T::type_name(), name) {
            asked.behind.push(place);
        } else {
            let once = ctx.with_field(field);
            match pin!(object.resolve_field(&once)).poll(task) {
                Poll::Ready(value) => asked.answered.push((place, value?.unwrap_or_default())),
                Poll::Pending => {
                    note_waited(&T::type_name(), name);
                    match asked.leader {
                        None => asked.leader = wait_for(ctx, object, fields, place),
                        Some(_) => asked.behind.push(place),
                    }
                }
            }
        }
    }
    Ok(asked)
}

/// The field as a future on the heap. What had to wait is asked anew by it: so far it has only read.
fn wait_for<'a, T: ContainerType>(
    ctx: &'a ContextSelectionSet<'_>,
    object: &'a T,
    fields: &[&'a Positioned<Field>],
    place: usize,
) -> Option<Waiting<'a>> {
    let &field = fields.get(place)?;
    let resolved = async move {
        let asked = ctx.with_field(field);
        Ok((place, object.resolve_field(&asked).await?.unwrap_or_default()))
    };
    Some(resolved.boxed())
}

/// Puts a value under its key; what is asked for twice is one object of the fields of both.
fn put(object: &mut IndexMap<Name, Value>, key: &Name, value: Value) {
    match object.entry(key.clone()) {
        Entry::Vacant(free) => {
            free.insert(value);
        }
        Entry::Occupied(mut there) => merge(there.get_mut(), value),
    }
}

fn merge(there: &mut Value, more: Value) {
    match (there, more) {
        (Value::Object(there), Value::Object(more)) => {
            more.into_iter().for_each(|(key, value)| put(there, &key, value));
        }
        (Value::List(there), Value::List(more)) => {
            there.iter_mut().zip(more).for_each(|(there, more)| merge(there, more));
        }
        _ => {}
    }
}

/// Fields that had to wait once, by a hash of type and name: behind another one that waits they are not tried. Two that
/// share a hash cost no more than that one of them is asked later.
static WAITED: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];

fn has_waited(type_name: &str, field: &str) -> bool {
    let (word, bit) = place_of(type_name, field);
    WAITED.get(word).is_some_and(|word| word.load(Ordering::Relaxed) & bit != 0)
}

fn note_waited(type_name: &str, field: &str) {
    let (word, bit) = place_of(type_name, field);
    if let Some(word) = WAITED.get(word) {
        word.fetch_or(bit, Ordering::Relaxed);
    }
}

/// FNV-1a, folded to a word of `WAITED` and a bit in it.
fn place_of(type_name: &str, field: &str) -> (usize, u64) {
    let bytes = type_name.bytes().chain([b'.']).chain(field.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let folded = hash ^ (hash >> 32);
    (usize::from((folded >> 6).to_le_bytes()[0]), 1 << (folded & 63))
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Error, Interface, Object, Schema, SimpleObject};

    use super::*;

    struct Bed(i32);

    #[derive(SimpleObject)]
    struct Ward {
        name: String,
        floor: i32,
    }

    #[Object]
    impl Bed {
        async fn number(&self) -> i32 {
            self.0
        }
        async fn slow(&self, #[graphql(default = 1)] times: i32) -> i32 {
            for _ in 0..times {
                tokio::task::yield_now().await;
            }
            self.0 * 10
        }
        fn broken(&self) -> Option<Result<i32, Error>> {
            Some(Err("broken".into()))
        }
        fn missing(&self) -> Result<i32, Error> {
            Err("missing".into())
        }
        async fn lost(&self) -> Result<i32, Error> {
            tokio::task::yield_now().await;
            Err("lost".into())
        }
        fn ward(&self) -> AtOnce<Ward> {
            AtOnce(Ward { name: "West".to_owned(), floor: self.0 })
        }
        fn neighbours(&self) -> Vec<Bed> {
            vec![Bed(self.0 - 1), Bed(self.0 + 1)]
        }
    }

    #[derive(Interface)]
    #[graphql(field(name = "number", ty = "i32"))]
    enum Place {
        Bed(Bed),
    }

    struct Root;

    #[Object]
    impl Root {
        fn as_ever(&self) -> Option<Bed> {
            Some(Bed(7))
        }
        fn at_once(&self) -> Option<AtOnce<Bed>> {
            Some(AtOnce(Bed(7)))
        }
        fn place(&self) -> Place {
            Place::Bed(Bed(1))
        }
    }

    async fn both(selected: &str) -> [String; 2] {
        let schema = Schema::new(Root, EmptyMutation, EmptySubscription);
        let ask = async |root: &str| {
            let text = format!(
                "query($no: Boolean = false) {{ all: asEver {{ ...Part number @skip(if: $no) }} it: {root} {selected} }} \
                 fragment Part on Bed {{ slow ward {{ floor }} ...Rest }} fragment Rest on Place {{ number }}"
            );
            let answer = schema.execute(text).await;
            format!(
                "{} {:?}",
                answer.data,
                answer.errors.iter().map(|error| (&error.message, &error.path)).collect::<Vec<_>>()
            )
        };
        [ask("asEver").await, ask("atOnce").await]
    }

    #[tokio::test]
    async fn an_object_answers_as_it_would_without() {
        for selected in [
            "{ number slow __typename }",
            "{ b: slow(times: 3) a: number c: slow(times: 0) number }",
            "{ ...Part ward { name } number }",
            "{ ... on Bed { number } ... on Place { number } ... { slow } ...Part }",
            "{ neighbours { number } neighbours { slow ward { name } } ward { floor } ward { name floor } }",
            "{ number @include(if: $no) slow @skip(if: $no) ward @include(if: true) { name } }",
            "{ number broken slow }",
            "{ number missing slow }",
            "{ number lost slow }",
            "{ slow lost missing }",
        ] {
            // Twice: at first nobody knows what has to wait.
            for _ in 0..2 {
                let [as_ever, at_once] = both(selected).await;
                assert_eq!(as_ever, at_once, "{selected}");
                let fails = selected.contains("lost") || selected.contains("missing");
                assert_eq!(as_ever.contains("it: null"), fails, "{as_ever}");
            }
        }
    }

    /// What the future of a field takes, whichever field it is: there is room in it for the largest.
    fn room<O, C, F>(_resolve_field: fn(O, C) -> F) -> usize {
        size_of::<F>()
    }

    /// A page makes hundreds of them; see `docs/decisions/0074-rare-and-large-on-the-heap.md`.
    #[test]
    fn a_field_of_a_row_takes_little_room() {
        let rooms = [
            ("Appointment", room(<crate::scheduling::Appointment as ContainerType>::resolve_field)),
            ("ClinicalDocument", room(<crate::documents::ClinicalDocument as ContainerType>::resolve_field)),
            ("Condition", room(<crate::history::Condition as ContainerType>::resolve_field)),
            ("Encounter", room(<crate::encounters::Encounter as ContainerType>::resolve_field)),
            ("Observation", room(<crate::charting::Observation as ContainerType>::resolve_field)),
            ("Patient", room(<crate::patients::Patient as ContainerType>::resolve_field)),
            ("Practitioner", room(<crate::staff::Practitioner as ContainerType>::resolve_field)),
            ("Task", room(<crate::tasks::Task as ContainerType>::resolve_field)),
        ];
        for (object, bytes) in rooms {
            assert!(
                bytes <= 2_048,
                "a field of {object} takes {bytes} bytes: put what is large in it on the heap"
            );
        }
    }

    #[test]
    fn what_waited_once_is_remembered() {
        assert!(!has_waited("Bed", "a field of this test"));
        note_waited("Bed", "a field of this test");
        assert!(has_waited("Bed", "a field of this test"));
    }
}
