//! An authentication server on the crate `countersign`: see the README of this package.

#![forbid(unsafe_code)]

pub mod attempts;
pub mod body;
pub mod config;
pub mod database;
pub mod device;
pub mod keys;
pub mod life_cycle;
pub mod passwords;
pub mod refused;
pub mod request;
pub mod rotation;
pub mod routes;
pub mod server;
pub mod unattended;
pub mod users;
