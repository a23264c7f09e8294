//! [`KeyWrapper`]: what guards the tenant keys, and the one built on a root key.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::pin::Pin;
use std::{env, fmt};

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::VaultError;
use super::crypto::{self, Cipher, KEY_LEN, Secret};
use super::px1::{self, Body};

/// The answer of a key service, when it comes.
pub type WrapFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, VaultError>> + Send + 'a>>;

/// Wraps tenant keys under a key that never leaves it.
pub trait KeyWrapper: Send + Sync {
    /// Encrypts the key of a tenant.
    fn wrap<'a>(&'a self, tenant: Uuid, key: &'a [u8]) -> WrapFuture<'a, Vec<u8>>;

    /// Decrypts what [`wrap`](Self::wrap) gave for the same tenant.
    fn unwrap<'a>(&'a self, tenant: Uuid, wrapped: &'a [u8]) -> WrapFuture<'a, Zeroizing<Vec<u8>>>;

    /// Names the wrapping key, such as `file:5f0c9a3e7b21d486`; stored beside what it wrapped.
    fn id(&self) -> &str;
}

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

    fn fingerprint(&self) -> String {
        let digest = crypto::derive(self.0.as_ref(), b"praxis root fingerprint");
        let mut hex = HEXLOWER.encode(digest.as_ref());
        hex.truncate(16);
        hex
    }
}

/// Wraps with a root key that this process holds.
pub struct LocalKeyWrapper {
    id: String,
    wrap: Secret,
    login: Secret,
}

impl LocalKeyWrapper {
    /// Takes the root key from a file that its owner alone may read.
    ///
    /// If the file is missing and may be created, it is, with a new key.
    pub fn from_file(path: &Path, create_if_missing: bool) -> Result<Self, VaultError> {
        let failed = |error: io::Error| VaultError::KeyFile(format!("{}: {error}", path.display()));
        if create_if_missing && !path.try_exists().map_err(failed)? {
            create(path, &RootKey::generate()?).map_err(failed)?;
        }
        let file = File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() || found.permissions().mode() & 0o077 != 0 {
            let advice = "must be a file that only its owner may read (chmod 600)";
            return Err(VaultError::KeyFile(format!("{} {advice}", path.display())));
        }
        let mut text = Zeroizing::new(String::with_capacity(256));
        file.take(256).read_to_string(&mut text).map_err(failed)?;
        let key = RootKey::parse(&text)
            .map_err(|_| VaultError::KeyFile(format!("{} holds no key of 32 bytes", path.display())))?;
        Ok(Self::new("file", &key))
    }

    /// Takes the root key from an environment variable.
    pub fn from_env(variable: &str) -> Result<Self, VaultError> {
        let text = env::var(variable)
            .map(Zeroizing::new)
            .map_err(|_| VaultError::KeyFile(format!("{variable} is not set")))?;
        let key = RootKey::parse(&text)
            .map_err(|_| VaultError::KeyFile(format!("{variable} holds no key of 32 bytes")))?;
        Ok(Self::new("env", &key))
    }

    /// Takes a root key; `source` says where it is from and starts the id.
    pub fn new(source: &str, key: &RootKey) -> Self {
        let subkey = |label: &[u8]| crypto::derive(key.0.as_ref(), label);
        Self {
            id: format!("{source}:{}", key.fingerprint()),
            wrap: subkey(b"praxis root wrap"),
            login: subkey(b"praxis root login"),
        }
    }

    /// A secret of 43 characters, always the same for the same label and name.
    ///
    /// It is for passwords that two processes must agree on without storing them.
    pub fn derive_secret(&self, label: &str, name: &str) -> Zeroizing<String> {
        let key = crypto::derive(self.login.as_ref(), label.as_bytes());
        let secret = Zeroizing::new(crypto::mac(key.as_ref(), &[name.as_bytes()]));
        Zeroizing::new(BASE64URL_NOPAD.encode(secret.as_ref()))
    }
}

/// Writes the key aside and links it in place: it appears whole or not at all,
/// and never replaces another.
fn create(path: &Path, key: &RootKey) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let draft = parent.join(format!(".root-key-{}", key.fingerprint()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let mut text = Zeroizing::new(String::with_capacity(64));
    BASE64.encode_append(key.0.as_ref(), &mut text);
    text.push('\n');
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| {
        match fs::hard_link(&draft, path) {
            // Another process was first; its key counts.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    });
    fs::remove_file(&draft)?;
    written?;
    File::open(parent)?.sync_all()
}

impl KeyWrapper for LocalKeyWrapper {
    fn wrap<'a>(&'a self, tenant: Uuid, key: &'a [u8]) -> WrapFuture<'a, Vec<u8>> {
        Box::pin(async move {
            let nonce = crypto::random()?;
            px1::seal(&Cipher::new(&self.wrap)?, 0, nonce, &context(&tenant), Body::of(key))
        })
    }

    fn unwrap<'a>(&'a self, tenant: Uuid, wrapped: &'a [u8]) -> WrapFuture<'a, Zeroizing<Vec<u8>>> {
        Box::pin(async move { px1::open(&Cipher::new(&self.wrap)?, 0, &context(&tenant), wrapped) })
    }

    fn id(&self) -> &str {
        &self.id
    }
}

fn context(tenant: &Uuid) -> [&[u8]; 2] {
    [b"tenant-key", tenant.as_bytes()]
}

impl fmt::Debug for LocalKeyWrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalKeyWrapper({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use futures::executor::block_on;

    use super::super::TenantKey;
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

    fn fixed(byte: u8) -> LocalKeyWrapper {
        LocalKeyWrapper::new("test", &RootKey(Zeroizing::new([byte; KEY_LEN])))
    }

    #[test]
    fn a_tenant_key_returns_only_with_its_root_key_tenant_and_version() {
        let wrapper: Arc<dyn KeyWrapper> = Arc::new(fixed(1));
        let tenant = Uuid::from_u128(1);
        let key = TenantKey::generate(tenant, 4).unwrap();
        let wrapped = block_on(key.wrapped(&*wrapper)).unwrap();
        let unwrap = |tenant, version, wrapper: &dyn KeyWrapper| {
            block_on(TenantKey::unwrap(tenant, version, &wrapped, wrapper))
        };
        assert_eq!(unwrap(tenant, 4, &*wrapper).unwrap().audit_seed(), key.audit_seed());
        assert_eq!(unwrap(tenant, 5, &*wrapper).unwrap_err(), VaultError::WrongKey);
        assert_eq!(unwrap(Uuid::from_u128(2), 4, &*wrapper).unwrap_err(), VaultError::Tampered);
        assert_eq!(unwrap(tenant, 4, &fixed(2)).unwrap_err(), VaultError::Tampered);
    }

    #[test]
    fn a_missing_file_is_created_once_and_closed_to_others() {
        let scratch = Scratch::new();
        let path = scratch.0.join("root.key");
        assert!(matches!(LocalKeyWrapper::from_file(&path, false), Err(VaultError::KeyFile(_))));
        let created = LocalKeyWrapper::from_file(&path, true).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 1);
        let read = LocalKeyWrapper::from_file(&path, true).unwrap();
        assert_eq!(read.id(), created.id());
        create(&path, &RootKey::generate().unwrap()).unwrap();
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

    #[test]
    fn derived_secrets_are_stable_and_apart() {
        let secret = fixed(1).derive_secret("login-role", "app");
        assert_eq!(fixed(1).derive_secret("login-role", "app"), secret);
        assert_ne!(fixed(1).derive_secret("login-role", "owner"), secret);
        assert_ne!(fixed(1).derive_secret("other", "app"), secret);
        assert_ne!(fixed(2).derive_secret("login-role", "app"), secret);
        assert_eq!(secret.len(), 43);
        assert!(secret.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
    }
}
