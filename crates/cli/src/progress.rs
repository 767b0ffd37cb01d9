//! Long work shows how far it is, on standard error, and only to a person at a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pipeline::env::{Note, Progress};

/// A progress bar, or lines where nobody watches.
pub(crate) struct Bar {
    bar: ProgressBar,
    quiet: bool,
}

impl Bar {
    /// A bar; `quiet` shows nothing at all.
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = ProgressBar::new_spinner();
        if quiet {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {pos}/{len} {wide_bar}") {
            bar.set_style(style);
        }
        Self { bar, quiet }
    }

    /// Take the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn hear(&self, note: Note) {
        match note {
            Note::Stage(words, steps) => {
                self.bar.set_position(0);
                self.bar.set_length(steps.unwrap_or(0));
                self.bar.set_message(words);
            }
            Note::Step(done) => self.bar.set_position(done),
            Note::Says(words) if !self.quiet => {
                self.bar.suspend(|| crate::out::complain(&words));
            }
            Note::Says(_) => {}
        }
    }
}
