//! Long work shows how far it is, on standard error, and only to a person at a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pipeline::env::{Note, Progress};
use server::message::Heard;

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

impl Bar {
    /// Show how far it is, here or in a running process.
    pub(crate) fn show(&self, heard: Heard) {
        match heard {
            Heard::Stage { words, steps } => {
                self.bar.set_position(0);
                self.bar.set_length(steps.unwrap_or(0));
                self.bar.set_message(words);
            }
            Heard::Step(done) => self.bar.set_position(done),
            Heard::Says(words) if !self.quiet => {
                self.bar.suspend(|| crate::out::complain(&words));
            }
            Heard::Says(_) => {}
        }
    }
}

impl Progress for Bar {
    fn hear(&self, note: Note) {
        self.show(Heard::from(note));
    }
}
