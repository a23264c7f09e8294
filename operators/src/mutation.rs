//! What operators can do.

use async_graphql::{Context, Enum, Error, InputObject, Object, SimpleObject};
use praxis_fleet::{operators::Operator, registry};
use praxis_platform::{
    template::{Source, Template},
    tenancy::{NewTenant, ProvisionError, installed, provision},
};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::{
    plane::{Ground, coded, unavailable},
    tenants::Tenant,
};

/// What operators can do.
pub(crate) struct Mutation;

/// A clinic to be made.
#[derive(InputObject)]
pub(crate) struct TenantCreateInput {
    /// Its subdomain: 1 to 63 letters a-z, digits or hyphens.
    slug: String,
    /// Its name as shown.
    display_name: String,
    /// What it starts with; see `templates`.
    template: String,
    /// BCP 47 locale; the template's when left out.
    locale: Option<String>,
    /// IANA time zone; the template's when left out.
    time_zone: Option<String>,
}

/// Why something was not done.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperatorErrorCode {
    /// The subdomain is in use.
    SlugTaken,
    /// The value is not one that can be taken.
    Invalid,
    /// There is no such template.
    UnknownTemplate,
}

/// Something that the operator can put right.
#[derive(SimpleObject)]
pub(crate) struct OperatorUserError {
    /// What it is.
    code: OperatorErrorCode,
    /// The same in words.
    message: String,
    /// The field of the input that it is about.
    path: Vec<String>,
}

impl OperatorUserError {
    fn new(code: OperatorErrorCode, message: impl ToString, field: &str) -> Self {
        Self { code, message: message.to_string(), path: vec!["input".to_owned(), field.to_owned()] }
    }
}

/// What became of a clinic that was to be made.
#[derive(SimpleObject)]
pub(crate) struct TenantCreatePayload {
    /// The clinic, ready to be served.
    tenant: Option<Tenant>,
    /// Why it was not made.
    user_errors: Vec<OperatorUserError>,
}

#[Object]
impl Mutation {
    /// Makes a clinic, ready to be served. Sent again it says `SLUG_TAKEN`, and `tenant(slug:)` shows the one that was made.
    ///
    /// Codes: `SLUG_TAKEN`, `INVALID`, `UNKNOWN_TEMPLATE`.
    async fn tenant_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: TenantCreateInput,
    ) -> Result<TenantCreatePayload, Error> {
        let ground = context.data::<Ground>()?;
        let operator = context.data::<Operator>()?;
        let Ok(template) = Template::load(&Source::shipped(), &input.template) else {
            let error = OperatorUserError::new(
                OperatorErrorCode::UnknownTemplate,
                "There is no such template.",
                "template",
            );
            return Ok(TenantCreatePayload { tenant: None, user_errors: vec![error] });
        };
        let new = NewTenant {
            slug: input.slug,
            display_name: input.display_name,
            locale: input.locale,
            time_zone: input.time_zone,
        };
        let mut admin = ground.connect().await?;
        let installation = installed(&mut admin)
            .await
            .map_err(unavailable)?
            .ok_or_else(|| coded("This database holds no installation.", "UNAVAILABLE"))?;
        let made =
            provision(&mut admin, &installation, ground.keys.as_ref(), &ground.clock, &template, &new).await;
        let refused = |code, error: ProvisionError, field| {
            let error = OperatorUserError::new(code, error, field);
            Ok(TenantCreatePayload { tenant: None, user_errors: vec![error] })
        };
        match made {
            Ok(tenant) => {
                note(&mut admin, tenant.uuid(), operator, "CREATED").await?;
                let row = registry::tenant(&mut admin, &tenant.slug).await.map_err(unavailable)?;
                Ok(TenantCreatePayload { tenant: row.map(Tenant::from), user_errors: Vec::new() })
            }
            Err(error @ ProvisionError::SlugTaken) => refused(OperatorErrorCode::SlugTaken, error, "slug"),
            Err(error @ ProvisionError::SlugInvalid) => refused(OperatorErrorCode::Invalid, error, "slug"),
            Err(error @ ProvisionError::TimeZoneUnknown) => {
                refused(OperatorErrorCode::Invalid, error, "timeZone")
            }
            Err(error @ ProvisionError::NameMissing) => {
                refused(OperatorErrorCode::Invalid, error, "displayName")
            }
            Err(error) => Err(unavailable(error)),
        }
    }
}

/// Writes down who did it.
async fn note(
    connection: &mut PgConnection,
    tenant: Uuid,
    operator: &Operator,
    kind: &str,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO control.tenant_event (tenant_id, kind, actor) VALUES ($1, $2, $3)")
        .bind(tenant)
        .bind(kind)
        .bind(&operator.email)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(unavailable)
}
