//! [`Sealed`]: a column that holds protected health information as ciphertext.
//!
//! The type says which class of data is inside, so a query can't mix classes
//! up, and it offers no way to print or serialise what it holds. Only the
//! vault turns it back into a value.

use std::fmt;
use std::marker::PhantomData;

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, QueryResult, TryGetError, TryGetable, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that is stored sealed, as one blob per row and class.
pub trait PhiClass: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The sensitivity class, such as `identity` or `clinical`.
    ///
    /// It is bound into the ciphertext: renaming a class makes old rows unreadable.
    const CLASS: &'static str;
}

/// The ciphertext of a `T`, a `bytea` column.
pub struct Sealed<T>(Vec<u8>, PhantomData<fn() -> T>);

impl<T> Sealed<T> {
    /// Takes ciphertext as it is; whether it is genuine shows on opening.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes, PhantomData)
    }

    /// The ciphertext.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

// Written out, because the derives would ask the same of `T`.
impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        Self::from_bytes(self.0.clone())
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Sealed<T> {}

impl<T: PhiClass> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed<{}>({} bytes)", T::CLASS, self.0.len())
    }
}

impl<T> From<Sealed<T>> for Value {
    fn from(sealed: Sealed<T>) -> Self {
        sealed.0.into()
    }
}

impl<T> TryGetable for Sealed<T> {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        <Vec<u8> as TryGetable>::try_get_by(row, index).map(Self::from_bytes)
    }
}

impl<T> ValueType for Sealed<T> {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <Vec<u8> as ValueType>::try_from(value).map(Self::from_bytes)
    }

    fn type_name() -> String {
        "Sealed".to_owned()
    }

    fn array_type() -> ArrayType {
        <Vec<u8> as ValueType>::array_type()
    }

    fn column_type() -> ColumnType {
        <Vec<u8> as ValueType>::column_type()
    }
}

impl<T> Nullable for Sealed<T> {
    fn null() -> Value {
        <Vec<u8> as Nullable>::null()
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::PostgresQueryBuilder;
    use sea_orm::{ActiveModelTrait, DbBackend, EntityTrait, QueryTrait, Schema, Set};
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    pub struct Identity {
        family: String,
    }

    impl PhiClass for Identity {
        const CLASS: &'static str = "identity";
    }

    mod person {
        use sea_orm::entity::prelude::*;

        use super::{Identity, Sealed};

        #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
        #[sea_orm(table_name = "person")]
        pub struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            pub identity: Sealed<Identity>,
            pub alias: Option<Sealed<Identity>>,
        }

        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    }

    fn sealed(bytes: &[u8]) -> Sealed<Identity> {
        Sealed::from_bytes(bytes.to_vec())
    }

    #[test]
    fn debug_shows_the_class_and_the_size_only() {
        assert_eq!(format!("{:?}", sealed(b"secret")), "Sealed<identity>(6 bytes)");
        assert_eq!(format!("{:#?}", Some(sealed(b""))), "Some(\n    Sealed<identity>(0 bytes),\n)");
    }

    #[test]
    fn the_columns_are_bytea_and_optional_where_said() {
        let table = Schema::new(DbBackend::Postgres).create_table_from_entity(person::Entity);
        let sql = table.to_string(PostgresQueryBuilder);
        assert!(sql.contains(r#""identity" bytea NOT NULL"#), "{sql}");
        assert!(sql.contains(r#""alias" bytea"#) && !sql.contains(r#""alias" bytea NOT NULL"#), "{sql}");
    }

    #[test]
    fn an_entity_writes_the_bytes_and_nulls() {
        let row = person::ActiveModel {
            id: Set(sea_orm::prelude::Uuid::nil()),
            identity: Set(sealed(&[1, 2])),
            alias: Set(None),
        };
        let sql = person::Entity::insert(row).build(DbBackend::Postgres).to_string();
        assert!(sql.ends_with(r"VALUES ('00000000-0000-0000-0000-000000000000', '\x0102', NULL)"), "{sql}");
    }

    #[test]
    fn a_value_comes_back_from_an_active_model() {
        let model = person::Model {
            id: sea_orm::prelude::Uuid::nil(),
            identity: sealed(&[7]),
            alias: Some(sealed(&[8])),
        };
        let mut active = person::ActiveModel::from(model.clone());
        active.set(person::Column::Identity, sealed(&[9]).into());
        active.set(person::Column::Alias, Option::<Sealed<Identity>>::None.into());
        assert_eq!(active.identity.as_ref(), &sealed(&[9]));
        assert_eq!(active.alias.as_ref(), &None);
        assert!(matches!(<Option<Sealed<Identity>> as ValueType>::try_from(Value::Bytes(None)), Ok(None)));
        assert!(<Sealed<Identity> as ValueType>::try_from(Value::Int(Some(1))).is_err());
        assert_eq!(model.identity.as_bytes(), &[7]);
    }

    /// Names an item that is ambiguous, hence doesn't compile, if the type has the trait.
    macro_rules! assert_lacks {
        ($type:ty: $($bound:tt)+) => {{
            trait Probe<Marker> {
                fn probe() {}
            }
            struct Present;
            impl<X: ?Sized> Probe<()> for X {}
            impl<X: ?Sized + $($bound)+> Probe<Present> for X {}
            <$type as Probe<_>>::probe();
        }};
    }

    #[test]
    fn ciphertext_is_neither_displayed_nor_serialised() {
        assert_lacks!(Sealed<Identity>: fmt::Display);
        assert_lacks!(Sealed<Identity>: Serialize);
    }
}
