//! What the tests stand on.

pub mod clients;
pub mod clock;
pub mod cluster;
pub mod idp;
pub mod installation;
pub mod people;
pub mod process;
pub mod redis;
pub mod server;
pub mod smtp;
pub mod steps;
pub mod twilio;
