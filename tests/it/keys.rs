//! Keys are rotated while the clinic works, and nothing sealed is ever forgotten.

mod aws_kms;
mod generated;
mod load;
mod place;
