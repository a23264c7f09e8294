//! In which order a run goes over the clinics: some first, the rest when those went well.

use std::{fmt, str::FromStr};

use super::TenantVersion;

/// How many clinics a wave takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    Count(usize),
    Percent(usize),
    Rest,
}

/// A wave as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wave {
    name: Option<String>,
    size: Size,
}

/// The waves of a run, such as `canary:5,25%,rest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waves(Vec<Wave>);

/// A text that names no waves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("waves are written as `canary:5,25%,rest`: numbers, percentages up to 100, and `rest` at the end")]
pub struct InvalidWaves;

impl Default for Waves {
    /// All at once.
    fn default() -> Self {
        Self(vec![Wave { name: None, size: Size::Rest }])
    }
}

impl FromStr for Waves {
    type Err = InvalidWaves;

    fn from_str(text: &str) -> Result<Self, InvalidWaves> {
        let waves: Vec<Wave> = text.split(',').map(|wave| read(wave.trim())).collect::<Result<_, _>>()?;
        let last = waves.len() - 1;
        let rest_ends = waves.iter().enumerate().all(|(at, wave)| at == last || wave.size != Size::Rest);
        rest_ends.then_some(Self(waves)).ok_or(InvalidWaves)
    }
}

fn read(text: &str) -> Result<Wave, InvalidWaves> {
    let (name, size) = match text.split_once(':') {
        Some((name, size)) if !name.trim().is_empty() => (Some(name.trim().to_owned()), size.trim()),
        Some(_) => return Err(InvalidWaves),
        None => (None, text),
    };
    let size = match size.strip_suffix('%') {
        Some(percent) => {
            percent.parse().ok().filter(|percent| (1..=100).contains(percent)).map(Size::Percent)
        }
        None if size == "rest" => Some(Size::Rest),
        None => size.parse().ok().filter(|count| *count > 0).map(Size::Count),
    };
    Ok(Wave { name, size: size.ok_or(InvalidWaves)? })
}

impl fmt::Display for Waves {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, wave) in self.0.iter().enumerate() {
            if at > 0 {
                formatter.write_str(",")?;
            }
            if let Some(name) = &wave.name {
                write!(formatter, "{name}:")?;
            }
            match wave.size {
                Size::Count(count) => write!(formatter, "{count}")?,
                Size::Percent(percent) => write!(formatter, "{percent}%")?,
                Size::Rest => formatter.write_str("rest")?,
            }
        }
        Ok(())
    }
}

impl Waves {
    /// Shares the clinics out: each is in one wave at the most. A percentage is of all of them. Who is not in a wave,
    /// because none is called `rest`, is left for another run.
    ///
    /// The order follows from their ids and nothing else, so a first wave is a sample of old and new clinics, and the
    /// same one when the run is resumed.
    pub(super) fn share(&self, mut tenants: Vec<TenantVersion>) -> Vec<(String, Vec<TenantVersion>)> {
        tenants.sort_by_key(|tenant| scattered(tenant.id.0));
        let all = tenants.len();
        let mut left = tenants.into_iter();
        let mut shared = Vec::new();
        for (number, wave) in (1..).zip(&self.0) {
            let size = match wave.size {
                Size::Count(count) => count,
                Size::Percent(percent) => (all * percent).div_ceil(100),
                Size::Rest => all,
            };
            let taken: Vec<_> = left.by_ref().take(size).collect();
            if !taken.is_empty() {
                shared.push((wave.name.clone().unwrap_or_else(|| number.to_string()), taken));
            }
        }
        shared
    }
}

/// An order that has nothing to do with when a clinic was made. Ids begin with the time; their end is random.
fn scattered(id: uuid::Uuid) -> u128 {
    id.as_u128().reverse_bits()
}

#[cfg(test)]
mod tests {
    use praxis_entity::ids::TenantId;
    use praxis_platform::tenancy::SchemaName;
    use uuid::Uuid;

    use super::*;

    fn tenants(count: u128) -> Vec<TenantVersion> {
        let tenant = |n: u128| {
            let id = TenantId(Uuid::from_u128(n << 64 | n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            let schema = SchemaName::stored("t_00000000000000000000000000").unwrap();
            TenantVersion { id, slug: format!("clinic-{n}"), schema, cell: "main".to_owned(), version: 1 }
        };
        (0..count).map(tenant).collect()
    }

    fn sizes(waves: &str, count: u128) -> Vec<(String, usize)> {
        let waves: Waves = waves.parse().unwrap();
        waves.share(tenants(count)).into_iter().map(|(name, wave)| (name, wave.len())).collect()
    }

    #[test]
    fn waves_share_out_every_clinic_once() {
        let expected = [("canary", 5), ("2", 25), ("3", 70)].map(|(name, size)| (name.to_owned(), size));
        assert_eq!(sizes("canary:5, 25%, rest", 100), expected);
        assert_eq!(sizes("canary:5,rest", 3), [("canary".to_owned(), 3)]);
        assert_eq!(sizes("1%", 10), [("1".to_owned(), 1)]);
        assert_eq!(sizes("rest", 0), []);
        let waves: Waves = "2,50%,rest".parse().unwrap();
        let mut slugs: Vec<_> = waves
            .share(tenants(40))
            .into_iter()
            .flat_map(|(_, wave)| wave)
            .map(|tenant| tenant.slug)
            .collect();
        slugs.sort();
        slugs.dedup();
        assert_eq!(slugs.len(), 40);
    }

    #[test]
    fn the_order_stays_when_a_run_is_resumed() {
        let waves: Waves = "canary:10,rest".parse().unwrap();
        let first = |tenants| waves.share(tenants).swap_remove(0).1;
        let mut reversed = tenants(50);
        reversed.reverse();
        let slugs =
            |tenants: Vec<TenantVersion>| tenants.into_iter().map(|tenant| tenant.slug).collect::<Vec<_>>();
        assert_eq!(slugs(first(tenants(50))), slugs(first(reversed)));
    }

    #[test]
    fn what_is_no_list_of_waves_is_refused() {
        for wrong in ["", "0", "-1", "101%", "0%", "rest,5", ":5", "canary", "5,,rest", "x:"] {
            assert_eq!(wrong.parse::<Waves>(), Err(InvalidWaves), "{wrong:?}");
        }
        for right in ["canary:5,25%,rest", "rest", "5"] {
            assert_eq!(right.parse::<Waves>().unwrap().to_string(), right);
        }
    }
}
