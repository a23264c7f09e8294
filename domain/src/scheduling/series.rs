//! Visits that recur.
//!
//! A series is booked as a whole, its time of day kept on the wall clock of the branch. What was booked is never
//! rewritten: who changes a series ends it and begins another.

mod book;
mod cancel;
mod read;
mod replace;

pub use book::{BookSeries, book_series};
pub use cancel::cancel_series;
pub use read::{appointments_of_series, series_by_ids};
pub use replace::{ReplaceSeries, replace_series};
