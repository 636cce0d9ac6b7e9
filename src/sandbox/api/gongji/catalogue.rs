//! The devices that can be rented, with price and stock, and the marks under which they are (gongji.md §3).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::wire::DeviceSpec;

const DATA: &str = include_str!("data/catalogue.json");

/// Marks of so many looks are remembered.
const REMEMBERED_LOOKS: usize = 500;

/// A device as it is listed.
#[derive(Debug, Clone, Deserialize)]
struct Device {
    #[serde(rename = "device_name")]
    name: String,
    gpu_name: Option<String>,
    gpu_count: i64,
    gpu_memory: i64,
    memory: i64,
    cpu_cores: i64,
    disk_size: i64,
    disk_type: String,
    regions: Vec<RegionOffer>,
}

#[derive(Debug, Clone, Deserialize)]
struct RegionOffer {
    region: String,
    region_name: String,
    price: Option<i64>,
    discount_price: Option<i64>,
    inventory: i64,
}

/// A device in a region.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    /// `DEVICE@REGION`: its name in switches.
    pub(super) id: String,
    pub(super) spec: DeviceSpec,
    pub(super) region_name: String,
    price: Option<i64>,
    discount_price: Option<i64>,
    inventory: i64,
    disk_size: i64,
    disk_type: String,
}

impl Offer {
    /// Points per second for the whole spec (§3, price unit); 0 where no price is known.
    pub(super) fn rate(&self) -> i64 {
        self.discount_price.or(self.price).unwrap_or_default()
    }
}

/// All offers; an offer's index is its identity.
#[derive(Debug)]
pub(super) struct Catalogue {
    offers: Vec<Offer>,
}

impl Catalogue {
    /// Reads the built-in offers.
    pub(super) fn load() -> Self {
        let devices: Vec<Device> = serde_json::from_str(DATA).unwrap_or_default();
        let offers = devices
            .into_iter()
            .flat_map(|device| {
                let regions = device.regions.clone();
                regions
                    .into_iter()
                    .map(move |region| offer(&device, region))
            })
            .collect();
        Self { offers }
    }

    pub(super) fn offers(&self) -> &[Offer] {
        &self.offers
    }

    pub(super) fn offer(&self, index: usize) -> Option<&Offer> {
        self.offers.get(index)
    }

    /// Whether a switch may name it.
    pub(super) fn has(&self, id: &str) -> bool {
        self.offers.iter().any(|offer| offer.id == id)
    }
}

fn offer(device: &Device, region: RegionOffer) -> Offer {
    Offer {
        id: format!("{}@{}", device.name, region.region),
        spec: DeviceSpec {
            device_name: device.name.clone(),
            region: region.region,
            gpu_name: device.gpu_name.clone(),
            gpu_count: device.gpu_count,
            gpu_memory: device.gpu_memory,
            memory: device.memory,
            cpu_cores: device.cpu_cores,
        },
        region_name: region.region_name,
        price: region.price,
        discount_price: region.discount_price,
        inventory: region.inventory,
        disk_size: device.disk_size,
        disk_type: device.disk_type.clone(),
    }
}

/// What is free now: the catalogue's stock without what jobs hold and what was sold out.
#[derive(Debug, Clone)]
pub(super) struct Stock(Vec<i64>);

impl Stock {
    /// All of it; `held` are the offers of live nodes.
    pub(super) fn new(
        catalogue: &Catalogue,
        sold_out: &BTreeSet<String>,
        no_stock: bool,
        held: impl Iterator<Item = usize>,
    ) -> Self {
        let mut free: Vec<i64> = catalogue
            .offers
            .iter()
            .map(|offer| {
                if no_stock || sold_out.contains(&offer.id) {
                    0
                } else {
                    offer.inventory
                }
            })
            .collect();
        for index in held {
            if let Some(free) = free.get_mut(index) {
                *free -= 1;
            }
        }
        Self(free)
    }

    pub(super) fn free(&self, offer: usize) -> i64 {
        self.0.get(offer).copied().unwrap_or_default().max(0)
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, offer: usize) -> bool {
        match self.0.get_mut(offer) {
            Some(free) if *free > 0 => {
                *free -= 1;
                true
            }
            Some(_) | None => false,
        }
    }
}

/// Marks that were handed out: every look at the list makes new ones, the old ones stay good while there is stock.
#[derive(Debug, Default)]
pub(super) struct Marks {
    known: BTreeMap<String, Mark>,
    looks: VecDeque<Vec<String>>,
}

/// What a mark stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) offer: usize,
    /// When it was handed out, as the clock's elapsed time.
    pub(super) since: Duration,
}

impl Marks {
    pub(super) fn get(&self, mark: &str) -> Option<Mark> {
        self.known.get(mark).copied()
    }

    /// New marks, one per offer.
    fn issue(
        &mut self,
        catalogue: &Catalogue,
        now: Duration,
        random: &mut fastrand::Rng,
    ) -> Vec<String> {
        let mut marks = Vec::with_capacity(catalogue.offers.len());
        for (index, offer) in catalogue.offers.iter().enumerate() {
            // Opaque, and with characters that a careless client would encode.
            let text = format!("{:016x}/{}", random.u64(..), offer.id);
            let mark = STANDARD.encode(text);
            self.known.insert(
                mark.clone(),
                Mark {
                    offer: index,
                    since: now,
                },
            );
            marks.push(mark);
        }
        self.looks.push_back(marks.clone());
        if self.looks.len() > REMEMBERED_LOOKS {
            for mark in self.looks.pop_front().unwrap_or_default() {
                self.known.remove(&mark);
            }
        }
        marks
    }
}

/// The rows of a look, with fresh marks.
pub(super) fn rows(
    catalogue: &Catalogue,
    devices: Option<&[&str]>,
    stock: &Stock,
    marks: &mut Marks,
    now: Duration,
    random: &mut fastrand::Rng,
) -> Vec<Value> {
    let marks = marks.issue(catalogue, now, random);
    let mut rows: Vec<Value> = Vec::new();
    for (index, (offer, mark)) in catalogue.offers.iter().zip(marks).enumerate() {
        let spec = &offer.spec;
        let kind = if spec.gpu_count > 0 {
            "GpuDevice"
        } else {
            "CpuDevice"
        };
        if devices.is_some_and(|devices| !devices.contains(&kind)) {
            continue;
        }
        let region = json!({
            "region": spec.region,
            "region_name": offer.region_name,
            "price": offer.price,
            "discount_price": offer.discount_price,
            "inventory": stock.free(index),
            "mark": { "mark": mark, "region_name": null, "resource": spec },
        });
        let same = rows
            .iter_mut()
            .find(|row| row["device_name"] == spec.device_name.as_str());
        if let Some(regions) = same.and_then(|row| row["regions"].as_array_mut()) {
            regions.push(region);
        } else {
            rows.push(json!({
                "device_name": spec.device_name,
                "gpu_name": spec.gpu_name,
                "gpu_count": spec.gpu_count,
                "gpu_memory": spec.gpu_memory,
                "memory": spec.memory,
                "cpu_cores": spec.cpu_cores,
                "disk_size": offer.disk_size,
                "disk_type": offer.disk_type,
                "regions": [region],
            }));
        }
    }
    rows
}

/// Other prices than the catalogue's; jobs are billed as before.
pub(super) fn reprice(rows: &mut [Value], percent: u32) {
    if percent == 100 {
        return;
    }
    let regions = rows
        .iter_mut()
        .filter_map(|row| row.get_mut("regions")?.as_array_mut())
        .flatten();
    for region in regions {
        for key in ["price", "discount_price"] {
            if let Some(price) = region.get_mut(key)
                && let Some(points) = price.as_i64()
            {
                *price = json!(points * i64::from(percent) / 100);
            }
        }
    }
}
