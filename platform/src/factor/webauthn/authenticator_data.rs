//! What the authenticator says, byte by byte.

use ciborium::Value;

use super::Refused;

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;
/// WebAuthn allows no longer id.
const MAX_CREDENTIAL_ID: usize = 1023;
/// Keys and extensions are flat maps; deeper ones are refused.
const MAX_DEPTH: usize = 4;

/// Authenticator data, all of whose bytes were understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AuthenticatorData {
    pub(super) host_hash: [u8; 32],
    pub(super) user_present: bool,
    pub(super) user_verified: bool,
    pub(super) backup_eligible: bool,
    pub(super) sign_count: u32,
    pub(super) attested: Option<Attested>,
}

/// The new credential.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attested {
    pub(super) credential_id: Vec<u8>,
    /// The key in COSE form, as it came.
    pub(super) public_key: Vec<u8>,
}

impl AuthenticatorData {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        let mut rest = bytes;
        let host_hash = *take::<32>(&mut rest)?;
        let [flags] = *take::<1>(&mut rest)?;
        let sign_count = u32::from_be_bytes(*take::<4>(&mut rest)?);
        let has = |flag: u8| flags & flag != 0;
        if has(BACKED_UP) && !has(BACKUP_ELIGIBLE) {
            return Err(Refused::Backup);
        }
        let attested = if has(ATTESTED) { Some(attested(&mut rest)?) } else { None };
        if has(EXTENSIONS) {
            let extensions = cbor(&mut rest).ok_or(Refused::AuthenticatorData)?;
            // None was asked for; those that come unasked have to be well-formed and mean nothing.
            if !extensions.is_map() {
                return Err(Refused::AuthenticatorData);
            }
        }
        if !rest.is_empty() {
            return Err(Refused::AuthenticatorData);
        }
        Ok(Self {
            host_hash,
            user_present: has(USER_PRESENT),
            user_verified: has(USER_VERIFIED),
            backup_eligible: has(BACKUP_ELIGIBLE),
            sign_count,
            attested,
        })
    }
}

fn attested(rest: &mut &[u8]) -> Result<Attested, Refused> {
    // Which make it is says nothing that was attested.
    let _aaguid = take::<16>(rest)?;
    let length = usize::from(u16::from_be_bytes(*take::<2>(rest)?));
    if !(1..=MAX_CREDENTIAL_ID).contains(&length) {
        return Err(Refused::AuthenticatorData);
    }
    let (credential_id, after) = rest.split_at_checked(length).ok_or(Refused::AuthenticatorData)?;
    let mut end = after;
    cbor(&mut end).ok_or(Refused::AuthenticatorData)?;
    let public_key = after.get(..after.len() - end.len()).ok_or(Refused::AuthenticatorData)?;
    *rest = end;
    Ok(Attested { credential_id: credential_id.to_vec(), public_key: public_key.to_vec() })
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], Refused> {
    let (taken, left) = rest.split_first_chunk().ok_or(Refused::AuthenticatorData)?;
    *rest = left;
    Ok(taken)
}

/// The CBOR value at the start, in the one form that CTAP2 allows: whatever would be written
/// otherwise than it came (longer numbers, open-ended lengths) is refused.
pub(super) fn cbor(rest: &mut &[u8]) -> Option<Value> {
    let before = *rest;
    let value: Value = ciborium::de::from_reader_with_recursion_limit(&mut *rest, MAX_DEPTH).ok()?;
    let read = before.get(..before.len() - rest.len())?;
    let mut written = Vec::with_capacity(read.len());
    ciborium::into_writer(&value, &mut written).ok()?;
    (written == read).then_some(value)
}

/// The members of a map whose keys are all different, which CBOR itself does not ask for.
pub(super) fn distinct(map: Vec<(Value, Value)>) -> Option<Vec<(Value, Value)>> {
    let twice =
        map.iter().enumerate().any(|(at, (key, _))| map.iter().skip(at + 1).any(|(other, _)| other == key));
    (!twice).then_some(map)
}
