//! Recovery codes: each stands in once for a second factor that was lost.

use data_encoding::BASE32_NOPAD;
use praxis_entity::{ids::UserId, recovery_code};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    Failure, Op, Write,
    vault::{IndexField, crypto},
};

/// How many are given out at a time.
pub const COUNT: usize = 10;

/// Makes ten new codes; those of before are void. They are told here and nowhere again.
pub async fn renew(op: &Op<Write>, user: UserId) -> Result<Vec<String>, Failure> {
    recovery_code::Entity::delete_many().filter(recovery_code::Column::UserId.eq(user)).exec(op.db()).await?;
    let mut codes = Vec::with_capacity(COUNT);
    let mut rows = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        // 80 bits, in four groups that can be read out.
        let code = BASE32_NOPAD.encode(&crypto::random::<10>()?).to_ascii_lowercase();
        rows.push(recovery_code::ActiveModel {
            id: Set(op.new_id()),
            user_id: Set(user),
            code_hash: Set(hash(op, user, &code).await?),
            created_at: Set(op.now()),
            used_at: Set(None),
        });
        let groups: Vec<_> = code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
        codes.push(groups.join("-"));
    }
    recovery_code::Entity::insert_many(rows).exec_without_returning(op.db()).await?;
    Ok(codes)
}

/// Uses a code up; false if it is none of the user's, or was used before.
pub(super) async fn spend(op: &Op<Write>, user: UserId, code: &str) -> Result<bool, Failure> {
    let Some(code) = normal(code) else { return Ok(false) };
    let spent = recovery_code::Entity::update_many()
        .col_expr(recovery_code::Column::UsedAt, Expr::value(op.now()))
        .filter(recovery_code::Column::UserId.eq(user))
        .filter(recovery_code::Column::CodeHash.eq(hash(op, user, &code).await?))
        .filter(recovery_code::Column::UsedAt.is_null())
        .exec(op.db())
        .await?;
    Ok(spent.rows_affected == 1)
}

/// However somebody typed it: 16 letters and digits.
fn normal(code: &str) -> Option<String> {
    if code.len() > 64 {
        return None;
    }
    let plain: String = code.chars().filter(|letter| !matches!(letter, '-' | ' ')).collect();
    let well_formed = plain.len() == 16 && plain.bytes().all(|byte| byte.is_ascii_alphanumeric());
    well_formed.then(|| plain.to_ascii_lowercase())
}

async fn hash(op: &Op<Write>, user: UserId, code: &str) -> Result<Vec<u8>, Failure> {
    op.token(IndexField::RecoveryCode, &format!("{user}|{code}")).await?.ok_or(Failure::KeyUnavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for typed in ["abcd-efgh-ijkl-2345", "ABCDEFGHIJKL2345", " abcd efgh ijkl 2345 "] {
            assert_eq!(normal(typed).as_deref(), Some("abcdefghijkl2345"));
        }
        for wrong in ["", "abcd", "abcd-efgh-ijkl-2345-6", "abcd-efgh-ijkl-234ä", &"-".repeat(100)] {
            assert_eq!(normal(wrong), None, "{wrong}");
        }
    }
}
