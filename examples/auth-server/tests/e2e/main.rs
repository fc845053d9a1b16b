//! Tests with real servers: the normal flow, known failures, and bad input.

mod bad_input;
mod client;
mod failures;
mod flow;
mod server;
mod start;
mod store;
mod three_parties;
