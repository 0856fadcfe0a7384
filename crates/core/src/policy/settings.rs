//! The settings of a product: for each its key, its kind and its default.

/// The value of a setting, or of a term of an entitlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text or a word.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number; durations are in seconds.
    Number(u32),
    /// Several texts, in their order.
    Texts(Vec<String>),
}

/// The kind of a setting: its values and its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text of at most 255 bytes; by default empty.
    Text,
    /// One of these words; by default the first.
    Word(&'static [&'static str]),
    /// `true` or `false`, with the default.
    Flag(bool),
    /// A whole number.
    Count(Range),
    /// A duration in whole seconds.
    Seconds(Range),
    /// Program rules; by default none.
    Rules,
}

/// The range of a number, and its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The least value.
    pub least: u32,
    /// The largest value.
    pub most: u32,
    /// The default.
    pub usual: u32,
    /// Whether 0 is allowed, too.
    pub or_zero: bool,
}

impl Range {
    const fn of(least: u32, most: u32, usual: u32) -> Range {
        Range {
            least,
            most,
            usual,
            or_zero: false,
        }
    }

    /// Whether the range has this number.
    pub fn has(&self, number: u32) -> bool {
        (self.least..=self.most).contains(&number) || self.or_zero && number == 0
    }
}

/// A setting of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its key, the same as in the API.
    pub key: &'static str,
    /// Its kind.
    pub kind: Kind,
}

impl Setting {
    /// Its default value.
    pub fn usual(&self) -> Value {
        match self.kind {
            Kind::Text => Value::Text(String::new()),
            Kind::Word(words) => Value::Text(words.first().copied().unwrap_or_default().to_owned()),
            Kind::Flag(usual) => Value::Flag(usual),
            Kind::Count(range) | Kind::Seconds(range) => Value::Number(range.usual),
            Kind::Rules => Value::Texts(Vec::new()),
        }
    }
}

const DAY_SECONDS: u32 = 86_400;
const WEEK_SECONDS: u32 = 604_800;
const MAX_TTL_SECONDS: u32 = 366 * DAY_SECONDS;

/// All settings, in the order in which they are written. Their ranges are those of a server.
pub const SETTINGS: &[Setting] = &[
    setting("name", Kind::Text),
    setting("publisher", Kind::Text),
    setting("programs", Kind::Rules),
    setting("mode", Kind::Word(&["track", "enforce"])),
    setting("enabled", Kind::Flag(true)),
    setting(
        "counting",
        Kind::Word(&["user_on_computer", "process", "user"]),
    ),
    setting("queue_limit", Kind::Count(Range::of(0, 100_000, 1_000))),
    setting(
        "impossible_seconds",
        Kind::Seconds(Range::of(1, WEEK_SECONDS, 60)),
    ),
    setting(
        "max_ttl_seconds",
        Kind::Seconds(Range::of(1, MAX_TTL_SECONDS, DAY_SECONDS)),
    ),
    setting("on_unreachable", Kind::Word(&["run", "refuse"])),
    setting("on_lost_lease", Kind::Word(&["run", "end"])),
    setting(
        "claim_seconds",
        Kind::Seconds(Range::of(1, DAY_SECONDS, 300)),
    ),
    setting(
        "idle_seconds",
        Kind::Seconds(Range {
            least: 10,
            most: WEEK_SECONDS,
            usual: 0,
            or_zero: true,
        }),
    ),
    setting(
        "on_idle",
        Kind::Word(&["nothing", "warn", "release", "end"]),
    ),
    setting(
        "grace_seconds",
        Kind::Seconds(Range::of(10, DAY_SECONDS, 300)),
    ),
    setting("show_holders", Kind::Flag(false)),
];

const fn setting(key: &'static str, kind: Kind) -> Setting {
    Setting { key, kind }
}
