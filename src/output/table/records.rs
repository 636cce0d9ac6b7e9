//! Types, volumes, namespaces, settings, events, costs and checks.

use crate::config;
use crate::model::{
    Event, FileEntry, JobCost, Namespace, Offer, Timestamp, TransferCredentials, Volume,
};
use crate::output::json::DoctorRow;
use crate::output::{Format, Row, Style};

use super::layout::{Cell, Column, Grid, render};
use super::value::{self, local_time, money, number, size, yes_no};
use super::{Detail, Tone};

/// What can be rented.
pub(in crate::output) fn types(rows: &[Row<'_, Offer>], style: &Style, now: Timestamp) -> String {
    let is_wide = style.format == Format::Wide;
    let mut columns = vec![
        Column::text("PROVIDER"),
        Column::reference("TYPE"),
        Column::text("GPU"),
        Column::number("CPU"),
        Column::number("MEMORY"),
        Column::number("PRICE/H"),
        Column::number("PER GPU/H"),
        Column::number("STOCK"),
        Column::text("FREE"),
        Column::text("SPOT"),
        Column::text("PLACE"),
        Column::number("AGE"),
    ];
    if is_wide {
        columns.extend([
            Column::text("NAME"),
            Column::text("QUEUE"),
            Column::text("ARCH"),
            Column::text("INFINIBAND"),
            Column::text("PRICE FROM"),
            Column::text("NOTE"),
        ]);
    }
    let mut grid = Grid::new(columns);
    for row in rows {
        let offer = row.item;
        let mut cells = vec![
            Cell::new(row.provider),
            Cell::new(&offer.id),
            Cell::opt(
                offer
                    .gpu
                    .as_ref()
                    .map(|gpu| value::gpu(gpu, offer.gpu_text.as_deref())),
            ),
            Cell::opt(offer.cpu_cores.map(number)),
            Cell::opt(offer.memory_bytes.map(size)),
            Cell::opt(offer.price_per_hour.as_ref().map(money)),
            Cell::opt(offer.price_per_gpu_hour().as_ref().map(money)),
            Cell::opt(offer.stock.map(|stock| stock.to_string())),
            available(offer.available),
            Cell::opt(spot(offer)),
            Cell::opt(place(offer)),
            Cell::opt(offer.as_of.map(|as_of| value::age(as_of, now))),
        ];
        if is_wide {
            cells.extend([
                Cell::new(&offer.name),
                Cell::opt(offer.queue.as_deref()),
                Cell::opt(offer.arch.as_deref()),
                Cell::opt(yes_no(offer.infiniband)),
                Cell::opt(offer.price_source.as_deref()),
                Cell::opt(offer.note.as_deref()),
            ]);
        }
        grid.push(cells);
    }
    render(&grid, style)
}

fn available(answer: Option<bool>) -> Cell {
    let cell = Cell::opt(yes_no(answer));
    match answer {
        Some(true) => cell.toned(Tone::Good),
        Some(false) => cell.toned(Tone::Bad),
        None => cell,
    }
}

/// Region and cluster, where told.
fn place(offer: &Offer) -> Option<String> {
    let parts: Vec<&str> = [offer.region.as_deref(), offer.cluster.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Spot terms: `30% of the price`, `none now`.
fn spot(offer: &Offer) -> Option<String> {
    let spot = offer.spot.as_ref()?;
    let price = spot
        .discount
        .map(|fraction| format!("{}%", number(fraction * 100.0)));
    Some(match (spot.available, price) {
        (Some(false), _) => "none now".to_owned(),
        (_, Some(price)) => price,
        (Some(true) | None, None) => "yes".to_owned(),
    })
}

/// Storage.
pub(in crate::output) fn volumes(rows: &[Row<'_, Volume>], style: &Style) -> String {
    let is_wide = style.format == Format::Wide;
    let mut columns = vec![
        Column::reference("REF"),
        Column::text("KIND"),
        Column::text("NAME"),
        Column::number("SIZE"),
        Column::number("USED"),
        Column::text("STATUS"),
        Column::text("MOUNTABLE"),
    ];
    if is_wide {
        columns.extend([
            Column::text("ID"),
            Column::text("SCOPE"),
            Column::text("TRANSFER"),
            Column::text("BACKEND"),
        ]);
    }
    let mut grid = Grid::new(columns);
    for row in rows {
        let volume = row.item;
        let mut cells = vec![
            Cell::new(volume.volume_ref.to_string()),
            Cell::new(&volume.kind),
            Cell::opt(volume.name.as_deref()),
            Cell::opt(volume.size_bytes.map(size)),
            Cell::opt(volume.used_bytes.map(size)),
            Cell::opt(volume.status.as_deref()),
            Cell::opt(yes_no(Some(volume.mountable))),
        ];
        if is_wide {
            cells.extend([
                Cell::new(&volume.id),
                Cell::opt(volume.scope.as_deref()),
                Cell::opt(volume.transfer.as_deref()),
                Cell::new(row.backend.as_str()),
            ]);
        }
        grid.push(cells);
    }
    render(&grid, style)
}

/// A volume just created, with the access that is shown this once.
pub(in crate::output) fn created_volume(
    row: &Row<'_, Volume>,
    credentials: Option<&TransferCredentials>,
    style: &Style,
) -> String {
    let volume = row.item;
    let detail = Detail::new()
        .line("ref", volume.volume_ref.to_string())
        .line("provider", row.provider)
        .line("id", &volume.id)
        .line("kind", &volume.kind)
        .opt("name", volume.name.as_deref())
        .opt("scope", volume.scope.as_deref())
        .opt("size", volume.size_bytes.map(size))
        .opt("used", volume.used_bytes.map(size))
        .opt("status", volume.status.as_deref())
        .opt("mountable", yes_no(Some(volume.mountable)))
        .opt("transfer", volume.transfer.as_deref());
    let detail = match credentials {
        Some(credentials) => detail
            .line("username", &credentials.username)
            .line("password", credentials.password.expose())
            .opt("webdav", credentials.webdav_url.as_deref())
            .opt("sftp", credentials.sftp_address.as_deref()),
        None => detail,
    };
    detail.render(style)
}

/// What lies in a folder of a volume; folders end in a slash.
pub(in crate::output) fn files(entries: &[FileEntry], style: &Style) -> String {
    let mut grid = Grid::new(vec![
        Column::number("SIZE"),
        Column::text("MODIFIED"),
        Column::reference("NAME"),
    ]);
    for entry in entries {
        let slash = if entry.is_folder { "/" } else { "" };
        let modified = entry
            .modified_at
            .map(|time| local_time(time, &style.time_zone));
        grid.push(vec![
            Cell::opt(entry.size_bytes.map(size)),
            Cell::opt(modified),
            Cell::new(format!("{}{slash}", entry.path.name())),
        ]);
    }
    render(&grid, style)
}

/// Namespaces, workspaces, clusters.
pub(in crate::output) fn namespaces(rows: &[Row<'_, Namespace>], style: &Style) -> String {
    let mut grid = Grid::new(vec![
        Column::text("PROVIDER"),
        Column::reference("ID"),
        Column::text("NAME"),
        Column::text("DEFAULT"),
    ]);
    for row in rows {
        grid.push(vec![
            Cell::new(row.provider),
            Cell::new(&row.item.id),
            Cell::opt(row.item.name.as_deref()),
            Cell::opt(yes_no(row.item.default)),
        ]);
    }
    render(&grid, style)
}

/// A namespace just created.
pub(in crate::output) fn namespace_detail(row: &Row<'_, Namespace>, style: &Style) -> String {
    Detail::new()
        .line("id", &row.item.id)
        .line("provider", row.provider)
        .opt("name", row.item.name.as_deref())
        .opt("default", yes_no(row.item.default))
        .render(style)
}

/// Settings, and where each came from.
pub(in crate::output) fn config(rows: &[config::Row], shows_origin: bool, style: &Style) -> String {
    let mut columns = vec![Column::reference("KEY"), Column::text("VALUE")];
    if shows_origin {
        columns.push(Column::text("ORIGIN"));
    }
    let mut grid = Grid::new(columns);
    for row in rows {
        let mut cells = vec![Cell::new(&row.key), Cell::new(&row.value)];
        if shows_origin {
            let origin = row.origin.to_string();
            cells.push(Cell::new(match &row.source {
                Some(source) => format!("{origin}: {source}"),
                None => origin,
            }));
        }
        grid.push(cells);
    }
    render(&grid, style)
}

/// What happened to a job.
pub(in crate::output) fn events(rows: &[Event], style: &Style) -> String {
    let mut grid = Grid::new(vec![
        Column::reference("TIME"),
        Column::text("KIND"),
        Column::text("REASON"),
        Column::text("SOURCE"),
        Column::text("MESSAGE"),
    ]);
    for row in rows {
        grid.push(vec![
            Cell::opt(row.time.map(|time| local_time(time, &style.time_zone))),
            Cell::opt(row.kind.as_deref()),
            Cell::opt(row.reason.as_deref()),
            Cell::opt(row.source.as_deref()),
            Cell::opt(row.message.as_deref()),
        ]);
    }
    render(&grid, style)
}

/// What jobs have cost.
pub(in crate::output) fn costs(rows: &[JobCost], style: &Style) -> String {
    let is_wide = style.format == Format::Wide;
    let mut columns = vec![
        Column::reference("REF"),
        Column::number("COST"),
        Column::text("ESTIMATE"),
    ];
    if is_wide {
        columns.push(Column::text("RAW"));
    }
    let mut grid = Grid::new(columns);
    for row in rows {
        let mut cells = vec![
            Cell::new(row.job_ref.to_string()),
            Cell::opt(row.cost.as_ref().map(money)),
            Cell::opt(row.cost.as_ref().and_then(|_| yes_no(Some(row.estimate)))),
        ];
        if is_wide {
            cells.push(Cell::opt((!row.raw.is_null()).then(|| row.raw.to_string())));
        }
        grid.push(cells);
    }
    render(&grid, style)
}

/// What `doctor` found.
pub(in crate::output) fn doctor(rows: &[DoctorRow], style: &Style) -> String {
    let mut grid = Grid::new(vec![
        Column::text("PROVIDER"),
        Column::text("CHECK"),
        Column::text("OK"),
        Column::text("MESSAGE"),
        Column::text("HINT"),
    ]);
    for row in rows {
        grid.push(vec![
            Cell::opt(row.provider.as_deref()),
            Cell::new(&row.check),
            available(Some(row.ok)),
            Cell::new(&row.message),
            Cell::opt(row.hint.as_deref()),
        ]);
    }
    render(&grid, style)
}
