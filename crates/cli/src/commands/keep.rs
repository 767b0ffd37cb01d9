//! `backup` and `restore`.

use crate::app::{self, Access};
use crate::args::Args;
use crate::failure::Failure;
use crate::out;
use domain::time::instant_text;
use std::path::Path;
use std::process::ExitCode;

pub(crate) async fn backup(args: &Args, file: &Path) -> Result<ExitCode, Failure> {
    let config = app::load_config(args)?;
    let store = app::open_store(&config, Access::Read)?;
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
    let target = app::ledger_path(&config);
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)?;
    }
    store::backup::restore(file, &target, app::store_options(&config)?, replace).await?;
    out::line(&format!("restored to {}", target.display()));
    out::line("posting is off until the ERP was asked about everything this backup does not know");
    out::complain("hint: `counterfoil sync` asks, and then goes on");
    Ok(ExitCode::SUCCESS)
}
