//! Key services: guards of tenant keys that are not on this machine.
//!
//! Two calls of one service are needed, so they are spoken here rather than through a client of a
//! hundred packages.

mod aws_kms;
mod credentials;
mod sigv4;

pub use aws_kms::{AwsKms, AwsKmsSettings};
pub use credentials::{AwsCredentials, Source as CredentialSource};
