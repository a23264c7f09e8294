//! How a patient lives: smoking, alcohol, work, housing. What is said later takes the place of what was said before.

use praxis_entity::{
    ids::{EncounterId, PatientId},
    patient,
    social_history::{self, Column, SocialHistoryStatus},
    value::SocialHistoryClinical,
};
use praxis_platform::{
    Op, Write,
    access::{Permission, Table},
    literal::Literal,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};

use super::chapter::{Statement, changed, chapter, meaning, record};
use crate::{
    Result, ViolationCode,
    clinic::text::lines,
    coded::{carries, code_tokens},
    error::Violations,
};

/// LOINC: tobacco smoking status.
pub const SMOKING_STATUS: &str = "72166-2";

chapter!(
    social_history,
    SocialHistoryId,
    SocialHistoryStatus,
    SocialHistoryClinical,
    "SocialHistory",
    SocialHistory,
    ["social-history.record", "social-history.change"],
    HISTORY_READ,
    HISTORY_RECORD,
    SocialHistoryRecorded,
    SocialHistoryChanged,
    social_history,
    // What it is about; what was answered is no second subject.
    |clinical| vec![&clinical.code]
);

/// Records how a patient lives; an earlier answer to the same is not current any more.
pub async fn record_social_history(
    op: &Op<Write>,
    patient: PatientId,
    encounter: Option<EncounterId>,
    mut clinical: SocialHistoryClinical,
) -> Result<social_history::Model> {
    op.require(Permission::HISTORY_RECORD)?;
    let mut found = Violations::default();
    meaning(&mut found, "code", &clinical.code);
    match &clinical.value {
        Some(value) => meaning(&mut found, "value", value),
        None => found.add(ViolationCode::Required, &["value"], "This must be given."),
    }
    clinical.notes = lines(&mut found, "notes", &clinical.notes, 20, 2_000);
    found.check()?;
    let key = op.tenant_key().await?;
    let codes: Vec<String> = clinical.code.codings.iter().map(|one| one.search_form()).collect();
    let same = carries(&key, Column::CodeTokens, Some(&codes));
    let earlier = social_history::Entity::update_many()
        .col_expr(Column::Status, Expr::value(SocialHistoryStatus::Superseded))
        .filter(Column::PatientId.eq(patient))
        .filter(Column::Status.is(SocialHistoryStatus::Current))
        .filter(op.permitted(Permission::HISTORY_RECORD, Table::SocialHistory));
    if let Some(same) = same.filter(|_| !code_tokens(&key, [&clinical.code]).is_empty()) {
        // One answer at a time: of two, the later one finds the earlier one and takes its place.
        patient::Entity::find_by_id(patient).lock(LockType::NoKeyUpdate).one(op.db()).await?;
        for row in earlier.filter(same).exec_with_returning(op.db()).await? {
            changed::<social_history::Entity>(op, &row).await?;
        }
    }
    let status = SocialHistoryStatus::Current;
    record::<social_history::Entity>(
        op,
        Statement { patient, encounter, recorder: None, recorded_at: None, status, clinical },
    )
    .await
}
