//! `config show|path`: works with a broken file, shows what is left of it (cli.md §10, "More codes").

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::App;
use crate::cli::{ConfigArgs, ConfigCommand};
use crate::config::{Config, Row};
use crate::error::{Error, Kind, Result};
use crate::output;

use super::show::Show;
use super::status::finish;

/// Runs `config`. Local: needs no runtime.
pub fn run(app: &App, args: &ConfigArgs) -> Result<u8> {
    match args.command {
        ConfigCommand::Show { origin } => show(app, origin),
        ConfigCommand::Path => path(app),
    }
}

fn show(app: &App, shows_origin: bool) -> Result<u8> {
    let (config, errors) = Config::load_lenient(app.config_choice(), &app.environment);
    for warning in config.warnings() {
        app.ui.warning(&warning);
    }
    let asked = |row: &Row| {
        let names = &app.global.provider;
        names.is_empty()
            || names
                .iter()
                .any(|name| row.key.starts_with(&format!("providers.{name}.")))
    };
    let rows: Vec<Row> = config
        .rows(app.clock.now())
        .into_iter()
        .filter(asked)
        .collect();
    let text = output::render_config(&rows, &errors, shows_origin, &app.ui.style())?;
    app.ui.print(&text)?;
    Ok(finish(app, &errors, false))
}

fn path(app: &App) -> Result<u8> {
    let path = Config::locate(app.config_choice(), &app.environment).ok_or_else(|| {
        Error::new(
            Kind::Config,
            "no_home",
            "there is no home directory to look for a configuration in",
        )
        .with_hint("set HOME or XDG_CONFIG_HOME, or give `--config FILE`")
    })?;
    Show::new(app).path("config-path", &path.display().to_string())?;
    Ok(0)
}
