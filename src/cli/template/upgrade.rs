//! `praxis template plan` and `apply`: what clinics have, beside what their templates say now.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use praxis_domain::template::{self, Fate, Plan};
use praxis_platform::{
    Op, Platform, Write,
    template::{Source, Template},
    tenancy::{
        Directory, Installation,
        seed::{Kind, follow_template, note_template},
    },
};
use serde::Serialize;
use serde_json::json;
use sqlx::postgres::PgConnection;

use crate::cli::{Context, Exit, Output, exit::UnknownTenant, operator, tenant};

/// Which clinics, and what they are brought to.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["tenant", "all"]))]
pub struct Upgrade {
    /// Subdomain of the clinic
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// All clinics
    #[arg(long)]
    all: bool,
    /// The template that the clinic follows from now on; the one it follows already by default
    #[arg(long, value_name = "NAME", requires = "tenant")]
    template: Option<String>,
    /// A folder of templates, or of one template, on top of the shipped ones
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

/// What is told of clinics, as it happens.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    /// What becomes of a row.
    Change { tenant: String, kind: Kind, key: String, fate: Fate },
    /// What becomes of a clinic.
    Planned(Sum),
    /// What became of it.
    Applied(Sum),
    /// It stays as it is.
    Failed { tenant: String, error: String },
}

#[derive(Serialize)]
struct Sum {
    tenant: String,
    template: String,
    from: String,
    to: String,
    added: usize,
    renewed: usize,
    retired: usize,
    kept: usize,
    conflicts: usize,
}

/// Runs `plan`, or with `carry_out` `apply`: the same but for the end of the transaction.
pub async fn run(upgrade: Upgrade, carry_out: bool, context: &Context) -> Result<Exit> {
    let mut clinics = Clinics::find(context, upgrade.tenant.as_deref(), upgrade.templates.as_deref()).await?;
    let (mut events, mut failed, mut due) = (Vec::new(), 0, false);
    let mut tell = |event: Event| match context.output {
        Output::Ndjson => context.output.print_one(&[], &event),
        Output::Table | Output::Json => {
            events.push(event);
            Ok(())
        }
    };
    let all = std::mem::take(&mut clinics.all);
    for clinic in &all {
        let name = upgrade.template.as_deref().unwrap_or(&clinic.template);
        match clinics.bring(clinic, name, None, carry_out).await {
            Ok(Brought { changes, sum, is_due }) => {
                due |= is_due;
                for (kind, key, fate) in changes {
                    tell(Event::Change { tenant: clinic.slug.clone(), kind, key, fate })?;
                }
                tell(if carry_out { Event::Applied(sum) } else { Event::Planned(sum) })?;
            }
            Err(error) => {
                failed += 1;
                tell(Event::Failed { tenant: clinic.slug.clone(), error: format!("{error:#}") })?;
            }
        }
    }
    if context.output != Output::Ndjson {
        let columns = [
            "event",
            "tenant",
            "kind",
            "key",
            "fate",
            "template",
            "from",
            "to",
            "added",
            "renewed",
            "retired",
            "kept",
            "conflicts",
            "error",
        ];
        context.output.print_rows(&columns, &events)?;
    }
    Ok(if failed > 0 && failed == all.len() {
        Exit::Failed
    } else if failed > 0 {
        Exit::Partial
    } else if due && !carry_out {
        Exit::NotUpToDate
    } else {
        Exit::Done
    })
}

/// Clinics to be brought to their templates.
pub(in crate::cli) struct Clinics {
    /// Those that are meant, by subdomain.
    pub all: Vec<Clinic>,
    platform: Arc<Platform>,
    directory: Arc<Directory>,
    admin: PgConnection,
    installation: Installation,
    source: Source,
    loaded: HashMap<String, Arc<Template>>,
}

/// A clinic, and the template it follows.
#[derive(sqlx::FromRow)]
pub(in crate::cli) struct Clinic {
    /// Subdomain.
    pub slug: String,
    /// Name of the template.
    pub template: String,
    template_version: String,
}

/// What became of a clinic, or would.
pub(in crate::cli) struct Brought {
    /// Kind, key and fate of rows.
    pub changes: Vec<(Kind, String, Fate)>,
    sum: Sum,
    is_due: bool,
}

impl Clinics {
    /// The one of a subdomain, or all that are served.
    pub async fn find(
        context: &Context,
        slug: Option<&str>,
        templates: Option<&std::path::Path>,
    ) -> Result<Self> {
        let source = templates.map_or_else(|| Ok(Source::shipped()), Source::directory)?;
        let (mut admin, installation) = tenant::admin(context).await?;
        let find = "SELECT slug, template, template_version FROM control.tenant
            WHERE ($1 IS NULL AND state IN ('ACTIVE', 'PAST_DUE') OR slug = $1) ORDER BY slug";
        let all: Vec<Clinic> = sqlx::query_as(find).bind(slug).fetch_all(&mut admin).await?;
        if let Some(slug) = slug {
            anyhow::ensure!(!all.is_empty(), UnknownTenant(slug.to_owned()));
        }
        let (platform, directory) = operator::installation(context).await?;
        Ok(Self { all, platform, directory, admin, installation, source, loaded: HashMap::new() })
    }

    /// Brings a clinic to a template, all of it or one kind, in one transaction; or finds out what that would do.
    pub async fn bring(
        &mut self,
        clinic: &Clinic,
        name: &str,
        only: Option<Kind>,
        carry_out: bool,
    ) -> Result<Brought> {
        let template = self.template(name)?;
        let tenant = self.directory.by_slug(&clinic.slug).context("the clinic is not served")?;
        let id = tenant.uuid();
        let op = operator::at(&self.platform, tenant).write().await?;
        let plan = template::plan(&op, &template, only).await?;
        let changes =
            plan.changes.iter().map(|change| (change.kind, change.key.clone(), change.fate)).collect();
        let (sum, changed) = (clinic.sum(&template, &plan), plan.changes_something());
        let moved = (&clinic.template, &clinic.template_version)
            != (&template.manifest.name, &template.manifest.version);
        let other = carry_out && only.is_none() && clinic.template != template.manifest.name;
        if other {
            // At no version of it yet, for whoever comes after a run that was killed here.
            follow_template(&mut self.admin, id, (&template.manifest.name, "")).await?;
        }
        let done =
            if carry_out && changed { carry_out_plan(op, plan).await } else { Ok(op.rollback().await?) };
        if other && done.is_err() {
            follow_template(&mut self.admin, id, (&clinic.template, &clinic.template_version)).await?;
        }
        done?;
        // After the commit: killed in between, a clinic is newer than this says, and the next run finds it so.
        if carry_out && only.is_none() && (changed || moved) {
            let did = json!({
                "added": sum.added, "renewed": sum.renewed, "retired": sum.retired, "conflicts": sum.conflicts,
                "from_template": clinic.template, "from_version": clinic.template_version,
            });
            let actor = self.installation.owner_role();
            note_template(&mut self.admin, (id, &actor), &template.manifest, did).await?;
        }
        Ok(Brought { changes, sum, is_due: changed || moved })
    }

    fn template(&mut self, name: &str) -> Result<Arc<Template>> {
        if let Some(template) = self.loaded.get(name) {
            return Ok(Arc::clone(template));
        }
        let template = Arc::new(Template::load(&self.source, name)?);
        self.loaded.insert(name.to_owned(), Arc::clone(&template));
        Ok(template)
    }
}

async fn carry_out_plan(op: Op<Write>, plan: Plan) -> Result<()> {
    template::apply(&op, plan).await?;
    Ok(op.commit().await?)
}

impl Clinic {
    fn sum(&self, template: &Template, plan: &Plan) -> Sum {
        Sum {
            tenant: self.slug.clone(),
            template: template.manifest.name.clone(),
            from: self.template_version.clone(),
            to: template.manifest.version.clone(),
            added: plan.count(Fate::Added),
            renewed: plan.count(Fate::Renewed),
            retired: plan.count(Fate::Retired),
            kept: plan.count(Fate::Kept),
            conflicts: plan.count(Fate::Conflict),
        }
    }
}
