//! Where a clinic is found: its subdomain, its name, and host names of its own.

use async_graphql::{Context, Error, ID, InputObject, Object};
use praxis_fleet::{operators::Right, tenant as life};

use super::{TenantPayload, whether};
use crate::{
    ground::{Ground, acting},
    tenants::clinic_id,
};

#[derive(Default)]
pub(super) struct PlaceMutation;

/// What a clinic is to be called.
#[derive(InputObject)]
pub(crate) struct TenantRenameInput {
    /// Its id.
    id: ID,
    /// The new subdomain.
    new_slug: String,
    /// Another name as shown.
    display_name: Option<String>,
}

/// A host name for a clinic.
#[derive(InputObject)]
pub(crate) struct TenantDomainAddInput {
    /// The clinic's id.
    id: ID,
    /// The host name, without port.
    host: String,
    /// The clinic has proved that the name is its own; until then it leads nowhere.
    #[graphql(default = false)]
    is_verified: bool,
}

/// A host name of a clinic.
#[derive(InputObject)]
pub(crate) struct TenantDomainRemoveInput {
    /// The clinic's id.
    id: ID,
    /// The host name.
    host: String,
}

#[Object]
impl PlaceMutation {
    /// Gives a clinic another subdomain, and if asked for another name. The old subdomain is free from then on. Needs the
    /// right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`, `SLUG_TAKEN`, `INVALID`, `REFUSED`.
    async fn tenant_rename(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and what it is to be called.")] input: TenantRenameInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = acting(context, Right::Manage).await?;
        let clinic = clinic_id(&input.id)?;
        let name = input.display_name.as_deref();
        let changed = life::rename(&mut admin, clinic, &input.new_slug, name).await;
        TenantPayload::of(&mut admin, clinic, whether(changed), "newSlug").await
    }

    /// Gives a clinic a host name of its own, or notes that one is verified. Needs the right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`, `INVALID`, `REFUSED`.
    async fn tenant_domain_add(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and which name.")] input: TenantDomainAddInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = acting(context, Right::Manage).await?;
        let clinic = clinic_id(&input.id)?;
        let base_domain = &context.data::<Ground>()?.base_domain;
        let added = life::add_domain(&mut admin, clinic, &input.host, input.is_verified, base_domain).await;
        TenantPayload::of(&mut admin, clinic, added, "host").await
    }

    /// Takes a host name away from a clinic. Needs the right MANAGE.
    ///
    /// Codes: `UNKNOWN_TENANT`.
    async fn tenant_domain_remove(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which clinic, and which name.")] input: TenantDomainRemoveInput,
    ) -> Result<TenantPayload, Error> {
        let mut admin = acting(context, Right::Manage).await?;
        let clinic = clinic_id(&input.id)?;
        let removed = life::remove_domain(&mut admin, clinic, &input.host).await;
        TenantPayload::of(&mut admin, clinic, removed, "host").await
    }
}
