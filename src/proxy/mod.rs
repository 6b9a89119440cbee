//! One exchange, start to end: `handler` reads as the list of its phases.

mod activity;
mod answer;
pub mod coding;
mod error;
mod exchange;
mod forward;
mod handler;
mod insert;
mod notes;
mod observe;
pub mod page;
mod recognise;
mod respond;
mod rewrite;
mod route;
mod told;
mod upgrade;
mod upstream;
mod visitor;
mod worker;

pub use activity::{Activity, Overdue};
pub use exchange::Tracked;
pub use handler::handle;
pub use upstream::{Fleet, check};
pub use worker::{Client, Worker};
