//! One exchange, start to end: `handler` reads as the list of its phases.

mod activity;
mod admit;
mod answer;
pub mod coding;
mod date;
mod error;
mod exchange;
mod forward;
mod handler;
mod insert;
mod interim;
mod notes;
mod observe;
pub mod page;
mod recognise;
mod respond;
mod rewrite;
mod route;
mod told;
mod tracked;
mod upgrade;
mod upstream;
mod visitor;
mod whole;
mod worker;

pub use activity::{Activity, Overdue};
pub use handler::handle;
pub use interim::Interim;
pub use tracked::Tracked;
pub use upstream::{Fleet, check, client_config};
pub use worker::{Client, Worker};
