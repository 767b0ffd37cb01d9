//! `backup` and `restore`.

use crate::app;
use crate::args::Args;
use crate::failure::Failure;
use crate::ledger::{self, Access};
use crate::out;
use domain::time::instant_text;
use std::path::Path;
use std::process::ExitCode;

pub(crate) async fn backup(args: &Args, file: &Path) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    ledger::file_of(
        &config,
        "back the database up with the tools of PostgreSQL (pg_dump, or base backups with WAL)",
    )?;
    let store = ledger::open_store(&config, Access::Read)?;
    let manifest = store::backup::backup(&store, file).await?;
    out::line(&format!(
        "backup of {} written to {}",
        instant_text(manifest.taken_at_us),
        file.display()
    ));
    out::complain(
        "hint: keep the seal key apart from the backup; without it sealed text stays sealed",
    );
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn restore(args: &Args, file: &Path, replace: bool) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let target = ledger::file_of(
        &config,
        "restore the database with the tools of PostgreSQL while no node runs, then run \
         `counterfoil restore --in-database`",
    )?;
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    store::backup::restore(file, &target, ledger::store_options(&config)?, replace).await?;
    out::line(&format!("restored to {}", target.display()));
    out::line("posting is off until the ERP was asked about everything this backup does not know");
    out::complain("hint: `counterfoil sync` asks, and then goes on");
    Ok(ExitCode::SUCCESS)
}

/// The database was restored by other means: what was posted after the backup is unknown to it.
pub(crate) fn restored_database(args: &Args) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    ledger::mark_restored_database(&config)?;
    out::line("every earlier session is over, and what was being sent then is in doubt");
    out::line("posting is off until the ERP was asked about everything this backup does not know");
    out::complain("hint: `counterfoil sync` asks, and then goes on; then start the other nodes");
    Ok(ExitCode::SUCCESS)
}
