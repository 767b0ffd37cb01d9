//! The command line.

use crate::out::Output;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Approved hours into the ERP: billed once, at a provable price, in the right period.
#[derive(Debug, Parser)]
#[command(name = "counterfoil", version, about, max_term_width = 100)]
pub(crate) struct Args {
    /// The configuration file.
    #[arg(
        long,
        global = true,
        default_value = "counterfoil.toml",
        env = "COUNTERFOIL_CONFIG"
    )]
    pub(crate) config: PathBuf,
    /// How data is written.
    #[arg(long, global = true, value_enum, default_value = "table")]
    pub(crate) output: Output,
    /// Show no progress.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented configuration and the key that seals personal text.
    Init {
        /// The folder to write into.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// The tracker: redmine or reference.
        #[arg(long, default_value = "redmine")]
        source: String,
        /// The ERP: tryton or reference.
        #[arg(long, default_value = "tryton")]
        target: String,
    },
    /// Look at configuration, ledger and both connections; change nothing.
    Check,
    /// One pass: take in, price, post, tell.
    Sync {
        /// Show the plan in lines and money; write nothing anywhere.
        #[arg(long)]
        dry_run: bool,
        /// Believe that many entries were deleted at once.
        #[arg(long)]
        accept_deletions: bool,
        /// The day of the pass, for tests and catching up.
        #[arg(long)]
        today: Option<jiff::civil::Date>,
    },
    /// Pass after pass until stopped.
    Run {
        /// The pause between two passes, in seconds.
        #[arg(long, default_value_t = 300)]
        every_seconds: u64,
        /// End after so many passes.
        #[arg(long)]
        passes: Option<u64>,
    },
    /// Where everything stands.
    Status,
    /// The whole life of one entry: why it is where it is and costs what it costs.
    Explain {
        /// The item's id, the tracker's id of the entry, or the name of a fixed amount.
        id: String,
    },
    /// The exception queue.
    Exceptions {
        #[command(subcommand)]
        command: Exceptions,
    },
    /// What contracts count and bill beside work: limits, retainers, hour banks, milestones.
    Contracts {
        #[command(subcommand)]
        command: crate::commands::contracts::Contracts,
    },
    /// Compare tracker, ledger and ERP per entry, to the cent.
    Reconcile {
        /// The first day.
        #[arg(long)]
        from: Option<jiff::civil::Date>,
        /// The last day.
        #[arg(long)]
        to: Option<jiff::civil::Date>,
        /// List every entry, not only differences.
        #[arg(long)]
        all: bool,
    },
    /// What the ledger holds, a JSON value a line, for other programs.
    Export {
        #[command(subcommand)]
        command: Export,
    },
    /// Stop posting; entries are still taken in.
    Pause {
        /// Why, for whoever finds it paused.
        reason: String,
    },
    /// Go on posting.
    Resume,
    /// The audit chain.
    Audit {
        #[command(subcommand)]
        command: Audit,
    },
    /// Copy the ledger to a file while it is in use.
    Backup {
        /// The file to write.
        file: PathBuf,
    },
    /// Put a backup in the place of the ledger. Posting stays off until the ERP was asked about
    /// everything the backup does not know.
    Restore {
        /// The file to read.
        #[arg(required_unless_present = "in_database")]
        file: Option<PathBuf>,
        /// Replace the present ledger.
        #[arg(long)]
        replace: bool,
        /// The ledger is in PostgreSQL and was restored with its tools: only say so.
        #[arg(long, conflicts_with_all = ["file", "replace"])]
        in_database: bool,
    },
    /// The schema of the ledger, and the way from a file into a database.
    Migrate {
        #[command(subcommand)]
        command: crate::commands::migrate::Migrate,
    },
    /// Rate cards: what is wrong with them, in and out of files.
    Rates {
        #[command(subcommand)]
        command: crate::commands::rates::Rates,
    },
    /// A proposed contract over the ledger's work: what it would have billed, beside what was.
    Rehearse(crate::commands::rehearse::RehearseArgs),
    /// Publish customers, projects and tasks of the ERP into the tracker.
    Publish {
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// A simulated tracker or ERP that misbehaves like a real one.
    Twin(crate::commands::twin::TwinArgs),
    /// A month end of a simulated firm, with faults, judged at the end.
    Demo(crate::commands::demo::DemoArgs),
    /// Price a scenario file: contracts, rates and entries in one file, without a ledger.
    Price {
        /// The scenario, TOML or JSON.
        scenario: PathBuf,
        /// Show how every charge came about.
        #[arg(long)]
        explain: bool,
    },
    /// Print a published schema: labor-transaction, contract, scenario, exceptions.
    Schema {
        /// Which one.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Exceptions {
    /// What is open, with money, owner and remedy.
    List {
        /// Only this code.
        #[arg(long)]
        code: Option<String>,
    },
    /// One exception with the original record and the ERP's words.
    Show {
        /// The item's id, or the tracker's id of the entry.
        id: String,
    },
    /// Take exceptions up again after the cause was mended.
    Replay {
        /// The items.
        ids: Vec<String>,
        /// All of this code.
        #[arg(long)]
        code: Option<String>,
        /// All of them.
        #[arg(long)]
        all: bool,
        /// Who replays, for the audit chain.
        #[arg(long, default_value = "operator")]
        actor: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// Labor transactions: validated, enriched and priced time, as booked (see `schema
    /// labor-transaction`).
    Labor {
        /// The first work date.
        #[arg(long)]
        from: Option<jiff::civil::Date>,
        /// The last work date.
        #[arg(long)]
        to: Option<jiff::civil::Date>,
        /// The file to write, which must not exist; standard output without it.
        #[arg(long, value_name = "FILE")]
        output_file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Recompute the chain and compare it with every row.
    Verify,
    /// Price every booked charge again, as it was known then, and compare bit for bit.
    Reprice,
}
