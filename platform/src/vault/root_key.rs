//! [`LocalKeyWrapper`]: guards the keys of tenants with root keys that this process holds.
//!
//! The file (or variable) holds one key, or several during a rotation: the first wraps, all unwrap. A
//! server that meets a key it does not know reads the file again, so that rotation needs no restart;
//! and nothing is wrapped before the file was read once more, so that no key is used that was taken
//! out of it. Whoever changes the file holds its lock from the check to the last byte ([`RootKeyFile`]).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fmt};

use arc_swap::ArcSwap;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::VaultError;
use super::crypto::{self, Cipher, KEY_LEN, Secret};
use super::px1::{self, Body};
use super::root_file;
use super::wrapper::{GuardedKey, KeyBinding, KeyWrapper, WrapFuture, not_configured};

/// The key at the top: 32 bytes, wiped when dropped.
pub struct RootKey(Secret);

impl RootKey {
    /// A new random key.
    pub fn generate() -> Result<Self, VaultError> {
        crypto::random_key().map(Self)
    }

    /// Reads a key written in hexadecimal or base64.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let text = text.trim().as_bytes();
        [HEXLOWER_PERMISSIVE, BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD]
            .iter()
            .filter_map(|encoding| encoding.decode(text).ok().map(Zeroizing::new))
            .find_map(|bytes| <[u8; KEY_LEN]>::try_from(bytes.as_slice()).ok())
            .map(|bytes| Self(Zeroizing::new(bytes)))
            .ok_or_else(|| VaultError::KeyFile("not 32 bytes in hexadecimal or base64".to_owned()))
    }

    /// The key of this material.
    pub(super) fn of(material: Secret) -> Self {
        Self(material)
    }

    /// What the keys of exports are sealed under where this key was given for them.
    pub(super) fn export_secret(&self) -> Secret {
        crypto::derive(self.0.as_ref(), b"praxis root export")
    }

    /// The key as a line of its file.
    fn line(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(64));
        BASE64.encode_append(self.0.as_ref(), &mut line);
        line.push('\n');
        line
    }

    /// Names the key without revealing it.
    pub fn fingerprint(&self) -> String {
        let digest = crypto::derive(self.0.as_ref(), b"praxis root fingerprint");
        let mut hex = HEXLOWER.encode(digest.as_ref());
        hex.truncate(16);
        hex
    }
}

/// One root key, ready to wrap.
struct Root {
    fingerprint: String,
    wrap: Secret,
}

impl Root {
    fn new(key: &RootKey) -> Self {
        Self { fingerprint: key.fingerprint(), wrap: crypto::derive(key.0.as_ref(), b"praxis root wrap") }
    }
}

/// Wraps with root keys that this process holds.
pub struct LocalKeyWrapper {
    source: &'static str,
    file: Option<PathBuf>,
    /// Newest first, never empty.
    roots: ArcSwap<Vec<Root>>,
}

impl LocalKeyWrapper {
    /// Takes the root keys from a file that its owner alone may read.
    ///
    /// If the file is missing and may be created, it is, with a new key.
    pub fn from_file(path: &Path, create_if_missing: bool) -> Result<Self, VaultError> {
        let failed = |error: io::Error| VaultError::KeyFile(format!("{}: {error}", path.display()));
        if create_if_missing && !path.try_exists().map_err(failed)? {
            root_file::create(path, &RootKey::generate()?.line()).map_err(failed)?;
        }
        let roots = read(path)?;
        Ok(Self { source: "file", file: Some(path.to_owned()), roots: ArcSwap::from_pointee(roots) })
    }

    /// Takes the root keys from an environment variable.
    pub fn from_env(variable: &str) -> Result<Self, VaultError> {
        let text = env::var(variable)
            .map(Zeroizing::new)
            .map_err(|_| VaultError::KeyFile(format!("{variable} is not set")))?;
        Self::from_text("env", &text)
            .map_err(|_| VaultError::KeyFile(format!("{variable} holds no key of 32 bytes")))
    }

    /// Takes root keys as they are written, newest first; `source` says where they are from.
    pub fn from_text(source: &'static str, text: &str) -> Result<Self, VaultError> {
        Ok(Self { source, file: None, roots: ArcSwap::from_pointee(parse_all(text)?) })
    }

    /// Takes one root key; `source` says where it is from and starts the id.
    pub fn new(source: &'static str, key: &RootKey) -> Self {
        Self { source, file: None, roots: ArcSwap::from_pointee(vec![Root::new(key)]) }
    }

    /// Takes the lock of the file, for whoever changes it: waits until nobody else does, and reads it anew.
    ///
    /// Refused where a key of the file went missing while this process held it: somebody took it out
    /// meanwhile, and what was decided with it in mind has to be decided again.
    pub fn lock_file(&self) -> Result<RootKeyFile<'_>, VaultError> {
        let path = self.file().ok_or_else(|| {
            VaultError::KeyFile("it is given in the environment, where nothing can be written".to_owned())
        })?;
        let failed = |error: io::Error| VaultError::KeyFile(format!("{}: {error}", path.display()));
        // The file itself, not a link to it: it is what is replaced.
        let path = fs::canonicalize(path).map_err(failed)?;
        let lock = root_file::lock(&path).map_err(failed)?;
        let found = read(&path)?;
        let held = self.roots.load();
        if held.iter().any(|root| !found.iter().any(|one| one.fingerprint == root.fingerprint)) {
            let reason = "a key was taken out of it meanwhile; start again";
            return Err(VaultError::KeyFile(format!("{}: {reason}", path.display())));
        }
        self.roots.store(Arc::new(found));
        Ok(RootKeyFile { wrapper: self, path, _lock: lock })
    }

    /// How many root keys there are.
    pub fn len(&self) -> usize {
        self.roots.load().len()
    }

    /// Never: there is always one.
    pub fn is_empty(&self) -> bool {
        self.roots.load().is_empty()
    }

    /// The file that the keys are in, unless they were given themselves.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Looks into the file again, for what was put there or taken out since.
    fn refresh(&self) -> Result<(), VaultError> {
        if let Some(path) = self.file() {
            self.roots.store(Arc::new(read(path)?));
        }
        Ok(())
    }

    /// The root key of a name, whatever place it was read from.
    fn find<T>(&self, id: &str, work: impl Fn(&Root) -> T) -> Option<T> {
        let fingerprint = fingerprint_in(id)?;
        let look = || self.roots.load().iter().find(|root| root.fingerprint == fingerprint).map(&work);
        look().or_else(|| {
            if let Err(error) = self.refresh() {
                tracing::warn!(error = %error, "the root keys could not be read again");
            }
            look()
        })
    }
}

/// The fingerprint in the name of a root key; the name of a key service's key is none of ours.
fn fingerprint_in(id: &str) -> Option<&str> {
    id.rsplit(':').next().filter(|name| name.len() == 16 && name.bytes().all(|c| c.is_ascii_hexdigit()))
}

/// The file of root keys, which nobody else changes for as long as this lives.
pub struct RootKeyFile<'a> {
    wrapper: &'a LocalKeyWrapper,
    path: PathBuf,
    _lock: File,
}

impl RootKeyFile<'_> {
    /// Puts a new root key before those of the file, which are kept to unwrap with.
    pub fn add(&self) -> Result<(), VaultError> {
        let text = root_file::read(&self.path)?;
        let mut lines = Zeroizing::new(String::with_capacity(text.len() + 64));
        lines.push_str(&RootKey::generate()?.line());
        lines.push_str(&text);
        self.rewrite(&lines)
    }

    /// Takes the older root keys out of the file, and says how many these were. The newest stays, and
    /// each one that something is still wrapped by: `wrapped_by` names these, as they are stored.
    pub fn retire(&self, wrapped_by: &[String]) -> Result<usize, VaultError> {
        let text = root_file::read(&self.path)?;
        let needed: Vec<&str> = wrapped_by.iter().filter_map(|id| fingerprint_in(id)).collect();
        let mut lines = Zeroizing::new(String::with_capacity(text.len() + 1));
        let (mut kept, mut gone) = (Vec::new(), 0);
        for word in words(&text) {
            let fingerprint = RootKey::parse(word)?.fingerprint();
            if kept.is_empty() || needed.contains(&fingerprint.as_str()) {
                lines.push_str(word);
                lines.push('\n');
                kept.push(fingerprint);
            } else {
                gone += 1;
            }
        }
        if let Some(missing) = needed.iter().find(|needed| !kept.iter().any(|kept| kept == *needed)) {
            let reason = format!("a key that is in use, {missing}, is not in it");
            return Err(VaultError::KeyFile(format!("{}: {reason}", self.path.display())));
        }
        if gone > 0 {
            self.rewrite(&lines)?;
        }
        Ok(gone)
    }

    fn rewrite(&self, text: &str) -> Result<(), VaultError> {
        let failed = |error: io::Error| VaultError::KeyFile(format!("{}: {error}", self.path.display()));
        root_file::replace(&self.path, text).map_err(failed)?;
        self.wrapper.refresh()
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty())
}

fn parse_all(text: &str) -> Result<Vec<Root>, VaultError> {
    let roots = words(text).map(|word| RootKey::parse(word).map(|key| Root::new(&key)));
    let roots = roots.collect::<Result<Vec<_>, _>>()?;
    if roots.is_empty() {
        return Err(VaultError::KeyFile("no key of 32 bytes".to_owned()));
    }
    Ok(roots)
}

fn read(path: &Path) -> Result<Vec<Root>, VaultError> {
    parse_all(&root_file::read(path)?)
        .map_err(|_| VaultError::KeyFile(format!("{} holds no key of 32 bytes", path.display())))
}

impl KeyWrapper for LocalKeyWrapper {
    fn wrap<'a>(&'a self, binding: KeyBinding, key: &'a [u8]) -> WrapFuture<'a, GuardedKey> {
        Box::pin(async move {
            // What it held at its start may have been retired: then nobody could open what it wraps.
            self.refresh()?;
            let roots = self.roots.load();
            let root = roots.first().ok_or(VaultError::Format("no root key"))?;
            let cipher = Cipher::new(&root.wrap)?;
            let (nonce, context) = (crypto::random()?, context(&binding.tenant));
            let bytes = px1::seal(&cipher, 0, nonce, &context, Body::of(key))?;
            let wrapper = format!("{}:{}", self.source, root.fingerprint);
            Ok(GuardedKey { version: binding.version, bytes, wrapper })
        })
    }

    fn unwrap<'a>(&'a self, binding: KeyBinding, key: &'a GuardedKey) -> WrapFuture<'a, Zeroizing<Vec<u8>>> {
        Box::pin(async move {
            let cipher = self.find(&key.wrapper, |root| Cipher::new(&root.wrap));
            let cipher = cipher.ok_or_else(|| VaultError::KeyUnavailable(not_configured(&key.wrapper)))?;
            px1::open(&cipher?, 0, &context(&binding.tenant), &key.bytes)
        })
    }

    fn id(&self) -> String {
        let roots = self.roots.load();
        let newest = roots.first().map(|root| root.fingerprint.as_str()).unwrap_or_default();
        format!("{}:{newest}", self.source)
    }

    fn opens(&self, id: &str) -> bool {
        self.find(id, |_| ()).is_some()
    }

    fn is_current(&self, id: &str) -> bool {
        self.id().rsplit(':').next() == id.rsplit(':').next()
    }
}

fn context(tenant: &Uuid) -> [&[u8]; 2] {
    [b"tenant-key", tenant.as_bytes()]
}

impl fmt::Debug for LocalKeyWrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalKeyWrapper({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use futures::executor::block_on;

    use super::*;

    /// A directory of its own, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            let path =
                env::temp_dir().join(format!("praxis-vault-{}", RootKey::generate().unwrap().fingerprint()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn files(scratch: &Scratch) -> Vec<String> {
        let names = fs::read_dir(&scratch.0).unwrap().map(|file| file.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn fixed(byte: u8) -> LocalKeyWrapper {
        LocalKeyWrapper::new("test", &RootKey(Zeroizing::new([byte; KEY_LEN])))
    }

    const BINDING: KeyBinding = KeyBinding { tenant: Uuid::from_u128(1), version: 4 };

    #[test]
    fn a_key_returns_only_with_its_root_key_and_tenant() {
        let guarded = block_on(fixed(1).wrap(BINDING, b"secret")).unwrap();
        assert_eq!(guarded.version, 4);
        let unwrap = |wrapper: &LocalKeyWrapper, binding, key: &GuardedKey| {
            block_on(wrapper.unwrap(binding, key)).map(|plain| plain.to_vec())
        };
        assert_eq!(unwrap(&fixed(1), BINDING, &guarded), Ok(b"secret".to_vec()));
        let other = KeyBinding { tenant: Uuid::from_u128(2), ..BINDING };
        assert_eq!(unwrap(&fixed(1), other, &guarded), Err(VaultError::Tampered));
        assert!(matches!(unwrap(&fixed(2), BINDING, &guarded), Err(VaultError::KeyUnavailable(_))));
        let renamed = GuardedKey { wrapper: fixed(2).id(), ..guarded };
        assert_eq!(unwrap(&fixed(2), BINDING, &renamed), Err(VaultError::Tampered));
    }

    #[test]
    fn the_name_of_a_root_key_does_not_depend_on_where_it_was_read() {
        let elsewhere = LocalKeyWrapper::new("env", &RootKey(Zeroizing::new([1; KEY_LEN])));
        assert!(fixed(1).opens(&elsewhere.id()) && fixed(1).is_current(&elsewhere.id()));
        assert!(!fixed(2).opens(&elsewhere.id()));
        assert_ne!(fixed(1).id(), elsewhere.id());
    }

    #[test]
    fn a_rotated_file_opens_both_and_an_open_wrapper_finds_the_new_key() {
        let scratch = Scratch::new();
        let path = scratch.0.join("root.key");
        let server = LocalKeyWrapper::from_file(&path, true).unwrap();
        let before = block_on(server.wrap(BINDING, b"secret")).unwrap();
        let operator = LocalKeyWrapper::from_file(&path, false).unwrap();
        operator.lock_file().unwrap().add().unwrap();
        assert_eq!((operator.len(), server.len()), (2, 1));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let after = block_on(operator.wrap(BINDING, b"secret")).unwrap();
        assert_ne!(before.wrapper, after.wrapper);
        assert!(operator.is_current(&after.wrapper) && !operator.is_current(&before.wrapper));
        for key in [&before, &after] {
            assert_eq!(*block_on(server.unwrap(BINDING, key)).unwrap(), b"secret");
        }
        assert_eq!(operator.lock_file().unwrap().retire(std::slice::from_ref(&after.wrapper)).unwrap(), 1);
        assert_eq!(files(&scratch), ["root.key", "root.key.lock"]);
        let reader = LocalKeyWrapper::from_file(&path, false).unwrap();
        assert!(block_on(reader.unwrap(BINDING, &before)).is_err());
        assert_eq!(*block_on(reader.unwrap(BINDING, &after)).unwrap(), b"secret");
        assert!(fixed(1).lock_file().is_err());
    }

    #[test]
    fn a_key_that_something_is_wrapped_by_is_never_retired() {
        let scratch = Scratch::new();
        let path = scratch.0.join("root.key");
        let server = LocalKeyWrapper::from_file(&path, true).unwrap();
        let before = block_on(server.wrap(BINDING, b"secret")).unwrap();
        // Another operator prepares a new key between the check and the rewriting of the first.
        let first = LocalKeyWrapper::from_file(&path, false).unwrap();
        LocalKeyWrapper::from_file(&path, false).unwrap().lock_file().unwrap().add().unwrap();
        let file = first.lock_file().unwrap();
        assert_eq!(file.retire(std::slice::from_ref(&before.wrapper)).unwrap(), 0);
        assert_eq!(first.len(), 2);
        assert_eq!(*block_on(first.unwrap(BINDING, &before)).unwrap(), b"secret");
        // What is in use and not there at all stops it, whatever else could go.
        let error = file.retire(&[before.wrapper.clone(), fixed(1).id()]).unwrap_err().to_string();
        assert!(error.contains("is in use"), "{error}");
        // A key service's key is not in the file and need not be.
        assert_eq!(file.retire(&[before.wrapper, "aws-kms:alias/praxis".to_owned()]).unwrap(), 0);
    }

    #[test]
    fn nobody_changes_a_file_that_lost_a_key_they_hold() {
        let scratch = Scratch::new();
        let path = scratch.0.join("root.key");
        let [one, two] = [(); 2].map(|()| LocalKeyWrapper::from_file(&path, true).unwrap());
        one.lock_file().unwrap().add().unwrap();
        two.lock_file().unwrap().add().unwrap();
        assert_eq!(two.len(), 3, "the second saw what the first had made");
        two.lock_file().unwrap().retire(&[]).unwrap();
        let error = one.lock_file().map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("taken out"), "{error}");
        assert_eq!(LocalKeyWrapper::from_file(&path, false).unwrap().id(), two.id());
        // And nothing is wrapped by what is in it no more.
        assert_eq!(block_on(one.wrap(BINDING, b"secret")).unwrap().wrapper, two.id());
    }

    #[test]
    fn a_link_stays_one_and_a_forgotten_draft_goes() {
        let scratch = Scratch::new();
        let (path, link) = (scratch.0.join("root.key"), scratch.0.join("link"));
        LocalKeyWrapper::from_file(&path, true).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        fs::write(scratch.0.join("root.key.draft"), "what a killed process left").unwrap();
        let linked = LocalKeyWrapper::from_file(&link, false).unwrap();
        linked.lock_file().unwrap().add().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(LocalKeyWrapper::from_file(&path, false).unwrap().len(), 2);
        assert_eq!(files(&scratch), ["link", "root.key", "root.key.lock"]);
    }

    #[test]
    fn a_full_file_takes_no_more_keys_and_stays_readable() {
        let scratch = Scratch::new();
        let path = scratch.0.join("root.key");
        let wrapper = LocalKeyWrapper::from_file(&path, true).unwrap();
        let file = wrapper.lock_file().unwrap();
        let error = (0..100).find_map(|_| file.add().err()).unwrap().to_string();
        assert!(error.contains("praxis key retire"), "{error}");
        assert_eq!(LocalKeyWrapper::from_file(&path, false).unwrap().len(), wrapper.len());
        assert_eq!(file.retire(&[]).unwrap(), 90);
        fs::write(&path, " ".repeat(4097)).unwrap();
        let error = LocalKeyWrapper::from_file(&path, false).unwrap_err().to_string();
        assert!(error.contains("longer than 4096"), "{error}");
    }

    #[test]
    fn several_keys_may_be_given_at_once() {
        let [new, old] = [[1; KEY_LEN], [2; KEY_LEN]].map(|bytes| BASE64.encode(&bytes));
        for text in [format!("{new},{old}"), format!("{new}\n{old}\n"), format!(" {new} , {old}")] {
            let both = LocalKeyWrapper::from_text("test", &text).unwrap();
            assert_eq!((both.id(), both.len()), (fixed(1).id(), 2));
            assert!(both.opens(&fixed(2).id()));
        }
        assert!(LocalKeyWrapper::from_text("test", &format!("{new},x")).is_err());
        assert!(LocalKeyWrapper::from_text("test", " ").is_err());
    }

    #[test]
    fn a_missing_file_is_created_once_and_closed_to_others() {
        let scratch = Scratch::new();
        let path = scratch.0.join("root.key");
        assert!(matches!(LocalKeyWrapper::from_file(&path, false), Err(VaultError::KeyFile(_))));
        let created = LocalKeyWrapper::from_file(&path, true).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(files(&scratch), ["root.key", "root.key.lock"]);
        let read = LocalKeyWrapper::from_file(&path, true).unwrap();
        assert_eq!(read.id(), created.id());
        root_file::create(&path, &RootKey::generate().unwrap().line()).unwrap();
        assert_eq!(LocalKeyWrapper::from_file(&path, false).unwrap().id(), created.id());
    }

    #[test]
    fn a_file_open_to_others_or_without_a_key_is_refused() {
        let scratch = Scratch::new();
        let path = scratch.0.join("root.key");
        LocalKeyWrapper::from_file(&path, true).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o700 | 0o001] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = LocalKeyWrapper::from_file(&path, false).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(LocalKeyWrapper::from_file(&path, false).is_ok());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "a secret that is none").unwrap();
        let error = LocalKeyWrapper::from_file(&path, false).unwrap_err().to_string();
        assert!(error.contains("32 bytes") && !error.contains("secret"), "{error}");
        assert!(LocalKeyWrapper::from_file(&scratch.0, false).is_err());
    }

    #[test]
    fn a_root_key_reads_from_each_encoding() {
        let bytes = [0xfb; KEY_LEN];
        let texts = [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, data_encoding::HEXUPPER]
            .map(|encoding| encoding.encode(&bytes));
        for text in texts {
            assert_eq!(*RootKey::parse(&format!(" {text}\n")).unwrap().0, bytes);
            assert!(RootKey::parse(&text[2..]).is_err());
        }
    }
}
