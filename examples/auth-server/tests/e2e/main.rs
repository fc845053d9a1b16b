//! Against servers that really run: the flow, the ways in which others logged their users out, and bad input.

mod bad_input;
mod client;
mod failures;
mod flow;
mod server;
mod start;
mod store;
mod three_parties;
