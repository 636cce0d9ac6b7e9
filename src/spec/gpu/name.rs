//! Normalising a GPU's name (job-model.md §3.1 and §3.2).

use std::fmt;

/// Words that say nothing about the model.
const NOISE: [&str; 9] = [
    "NVIDIA", "AMD", "INTEL", "GEFORCE", "TESLA", "QUADRO", "GPU", "GRAPHICS", "CARD",
];

/// How a card is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FormFactor {
    Pcie,
    Sxm,
    Nvl,
    Nvlink,
    Oam,
}

impl FormFactor {
    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pcie => "PCIE",
            Self::Sxm => "SXM",
            Self::Nvl => "NVL",
            Self::Nvlink => "NVLINK",
            Self::Oam => "OAM",
        }
    }

    /// The form factor of a word such as `SXM4`, without regard to case.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_uppercase();
        match word.as_str() {
            "PCIE" => Some(Self::Pcie),
            "NVL" => Some(Self::Nvl),
            "NVLINK" => Some(Self::Nvlink),
            "OAM" => Some(Self::Oam),
            other => {
                let rest = other.strip_prefix("SXM")?;
                (rest.is_empty() || is_one_digit(rest)).then_some(Self::Sxm)
            }
        }
    }
}

impl fmt::Display for FormFactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A GPU's name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuName {
    /// Canonical model without memory (`A100`), or the original text of an opaque one.
    pub model: String,
    /// Memory of one card in nominal GiB, where the name tells it.
    pub memory_gib: Option<u64>,
    pub form_factor: Option<FormFactor>,
    /// How many cards the name speaks of (`H20 x 8`): a hint, never the count.
    pub count_hint: Option<u32>,
    /// A vendor's code or a text the rules cannot take apart: equal to itself only.
    pub opaque: bool,
}

impl GpuName {
    /// Takes a name apart; whatever resists stays whole as an opaque model.
    pub fn parse(text: &str) -> Self {
        let original = text.trim();
        if is_vendor_code(original) {
            return Self::opaque(original);
        }
        match take_apart(original) {
            // A model that the rules would change once more is a clash: `1 X8 X9`, `GU 50`.
            Some(name) if is_stable(&name) => name,
            Some(_) | None => Self::opaque(original),
        }
    }

    /// `MODEL[-MEMG]`, such as `A100-80G`; an opaque name as it was written.
    pub fn canonical(&self) -> String {
        match self.memory_gib {
            Some(memory) if !self.opaque => format!("{}-{memory}G", self.model),
            _ => self.model.clone(),
        }
    }

    /// Whether both mean the same model, whatever its memory.
    pub fn same_model(&self, other: &Self) -> bool {
        self.opaque == other.opaque
            && if self.opaque {
                self.model.eq_ignore_ascii_case(&other.model)
            } else {
                self.model == other.model
            }
    }

    fn same_card(&self, other: &Self) -> bool {
        self.same_model(other) && self.memory_gib == other.memory_gib
    }

    fn opaque(original: &str) -> Self {
        Self {
            model: original.to_owned(),
            memory_gib: None,
            form_factor: None,
            count_hint: None,
            opaque: true,
        }
    }
}

impl fmt::Display for GpuName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.canonical())
    }
}

/// Whether the canonical text means the same card again.
fn is_stable(name: &GpuName) -> bool {
    let text = name.canonical();
    !is_vendor_code(&text) && take_apart(&text).is_some_and(|again| again.same_card(name))
}

/// The `GU…` family of PAI quotas: no public equivalence is assumed.
fn is_vendor_code(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    upper.strip_prefix("GU").is_some_and(|rest| {
        rest.starts_with(|first: char| first.is_ascii_digit())
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The rules in their order; `None` where nothing is left or they clash.
fn take_apart(text: &str) -> Option<GpuName> {
    let folded: String = text.chars().map(fold).collect();
    let words: Vec<&str> = folded
        .split_whitespace()
        .filter(|word| !NOISE.contains(word))
        .collect();
    let (text, count_hint) = cut_multiplier(&words.join(" "));
    let mut memory_gib = None;
    let mut form_factor = None;
    let mut left: Vec<&str> = Vec::new();
    let mut words = text.split(' ').filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        let next = words.peek().copied();
        if let Some((memory, takes_next)) = memory_of(word, next) {
            if memory_gib.is_some_and(|known| known != memory) {
                return None;
            }
            memory_gib = Some(memory);
            if takes_next {
                words.next();
            }
        } else if word == "PCI" && next == Some("E") {
            // `PCI-E`: the dash has become a space.
            form_factor = form_factor.or(Some(FormFactor::Pcie));
            words.next();
        } else if let Some(factor) = FormFactor::from_word(word) {
            form_factor = form_factor.or(Some(factor));
        } else if !is_memory_kind(word) {
            left.push(word);
        }
    }
    let model = join_model(&left)?;
    Some(GpuName {
        model,
        memory_gib,
        form_factor,
        count_hint,
        opaque: false,
    })
}

/// Upper case; full-width forms and Unicode dashes to ASCII; separators to spaces.
fn fold(character: char) -> char {
    let ascii = match character {
        '\u{ff01}'..='\u{ff5e}' => u32::from(character)
            .checked_sub(0xfee0)
            .and_then(char::from_u32)
            .unwrap_or(character),
        '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{d7}' => '*',
        other => other,
    };
    match ascii {
        '_' | '-' | '/' => ' ',
        other => other.to_ascii_uppercase(),
    }
}

/// Cuts `X 8`, `X8`, `*8` or `×8` off the end.
fn cut_multiplier(text: &str) -> (String, Option<u32>) {
    let whole = || (text.to_owned(), None);
    let before_digits = text.trim_end_matches(|character: char| character.is_ascii_digit());
    let Some(digits) = text.strip_prefix(before_digits) else {
        return whole();
    };
    // `RTX 4090` ends with an X and digits too: a multiplier has at most three, and stands apart.
    let Some(count) = (1..=3)
        .contains(&digits.len())
        .then(|| digits.parse::<u32>().ok())
        .flatten()
        .filter(|count| *count > 0)
    else {
        return whole();
    };
    let before_space = before_digits.trim_end_matches(' ');
    if let Some(rest) = before_space.strip_suffix('*') {
        return (rest.trim_end().to_owned(), Some(count));
    }
    let Some(rest) = before_space.strip_suffix('X') else {
        return whole();
    };
    let attached = before_space.len() == before_digits.len();
    let stands_apart = rest.is_empty()
        || rest.ends_with(' ')
        // `H20x8`, but not `MI300X8`: AMD's own names end in an X.
        || (attached && rest.ends_with(|last: char| last.is_ascii_digit()) && !rest.starts_with("MI"));
    if stands_apart {
        (rest.trim_end().to_owned(), Some(count))
    } else {
        whole()
    }
}

/// The memory a word tells, alone (`80GB`) or with the next one (`80 GB`), rounded to whole GiB.
fn memory_of(word: &str, next: Option<&str>) -> Option<(u64, bool)> {
    const UNITS: [&str; 4] = ["GIB", "GB", "GI", "G"];
    for unit in UNITS {
        if let Some(memory) = word.strip_suffix(unit).and_then(rounded) {
            return Some((memory, false));
        }
    }
    let memory = rounded(word)?;
    next.is_some_and(|next| UNITS.contains(&next))
        .then_some((memory, true))
}

/// `23.7` is 24; `None` for what is no `\d+(\.\d+)?`.
fn rounded(number: &str) -> Option<u64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if digits(fraction) => (whole, fraction),
        Some(_) => return None,
        None => (number, "0"),
    };
    if !digits(whole) {
        return None;
    }
    let rounds_up = fraction.starts_with(|first: char| ('5'..='9').contains(&first));
    whole
        .parse::<u64>()
        .ok()?
        .checked_add(u64::from(rounds_up))
        .filter(|memory| *memory > 0 && *memory <= 1 << 20)
}

/// `HBM2E` and the like: true of the card, and no help in telling cards apart.
fn is_memory_kind(word: &str) -> bool {
    word.strip_prefix("HBM").is_some_and(|rest| {
        let rest = rest.strip_suffix('E').unwrap_or(rest);
        rest.is_empty() || is_one_digit(rest)
    })
}

fn is_one_digit(text: &str) -> bool {
    text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Joins what is left and puts `GTX` or `RTX` where people leave it out.
fn join_model(left: &[&str]) -> Option<String> {
    let joined = left.concat();
    if joined.is_empty()
        || !joined
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'+')
    {
        return None;
    }
    let bare = joined
        .strip_prefix("RTX")
        .filter(|rest| {
            let mut characters = rest.chars();
            characters.next() == Some('A')
                && characters
                    .next()
                    .is_some_and(|second| second.is_ascii_digit())
        })
        .map(str::to_owned)
        .unwrap_or(joined);
    let digits: String = bare.chars().take_while(char::is_ascii_digit).collect();
    let generation = (digits.len() == 4)
        .then(|| digits.get(..2))
        .flatten()
        .and_then(|generation| generation.parse::<u8>().ok());
    Some(match generation {
        Some(10 | 16) => format!("GTX{bare}"),
        Some(20..=59) => format!("RTX{bare}"),
        Some(_) | None => bare,
    })
}
