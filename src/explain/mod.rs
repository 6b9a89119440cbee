//! What happens to a cookie or URL, and which rule of which file decided: for `explain` and the admin listener.
//!
//! It sends what it is given through the proxy's own filters and puts what they did into words.

mod answer;
mod choice;
mod input;
mod site;
mod words;

pub(crate) use answer::Explainer;
pub(crate) use choice::decide;
pub(crate) use input::Input;
pub(crate) use site::{Chosen, choose};
pub(crate) use words::{Words, printable};
