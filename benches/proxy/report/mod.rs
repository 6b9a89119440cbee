//! Results for people: Markdown, and a plot.

mod plot;
mod table;

pub(crate) use plot::svg;
pub(crate) use table::markdown;
