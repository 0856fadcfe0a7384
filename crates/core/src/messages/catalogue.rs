//! All messages: what each means, what to check, what Usher does itself.

use super::fields;
use super::grade::{Kind, Severity};

/// A message of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The number of the message.
    pub id: u16,
    /// Which part it is about: what the manager says of a metering server is about that.
    pub component: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What sort it is.
    pub kind: Kind,
    /// The text; `{0}`, `{1}` ... are the values, `{0#seat|seats}` a word that follows a count.
    pub text: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to check, and what to do.
    pub check: &'static str,
    /// What Usher does itself.
    pub does: &'static str,
}

impl Entry {
    /// Whether number and meaning are those of SMS 2.0.
    pub fn is_of_sms(&self) -> bool {
        matches!(self.id, 9399 | 9405 | 9406)
    }

    /// Whether it is of that component. What the manager says of how a metering server is was of the
    /// manager in earlier versions: whoever asks for `server_manager` is given it still.
    pub fn is_of(&self, component: &str) -> bool {
        self.component == component || component == SERVER_MANAGER && self.is_the_managers_word()
    }

    fn is_the_managers_word(&self) -> bool {
        matches!(self.id, 9406 | 9410..=9416 | 9425..=9428 | 9438 | 9439 | 9444)
    }

    /// How many values its text takes.
    pub fn values(&self) -> usize {
        (0..10)
            .take_while(|n| self.text.contains(&format!("{{{n}}}")))
            .count()
    }

    /// The text with values in place. A value that is missing is left out; a value is never read
    /// as text again.
    pub fn fill(&self, values: &[String]) -> String {
        let value = |index: usize| values.get(index).map_or("", String::as_str);
        self.filled(|place| match place.words {
            None => value(place.index).to_owned(),
            Some((one, _)) if value(place.index) == "1" => one.to_owned(),
            Some((_, many)) => many.to_owned(),
        })
    }

    /// The text as the catalogue shows it: with `{0}`, `{1}` ... for values, and words that follow a
    /// count as they are for many.
    pub fn shown(&self) -> String {
        self.filled(|place| match place.words {
            None => format!("{{{}}}", place.index),
            Some((_, many)) => many.to_owned(),
        })
    }

    /// The text as it is explained: with what each value is, as in `<server>`.
    pub fn worded(&self) -> String {
        self.filled(|place| match place.words {
            None => format!("<{}>", self.fields().get(place.index).unwrap_or(&"value")),
            Some((_, many)) => many.to_owned(),
        })
    }

    /// What its values are, in their order.
    pub fn fields(&self) -> &'static [&'static str] {
        fields::of(self.id)
    }

    fn filled(&self, fill: impl Fn(Place) -> String) -> String {
        let mut filled = String::with_capacity(self.text.len() + 64);
        let mut rest = self.text;
        while let Some(at) = rest.find('{') {
            filled.push_str(&rest[..at]);
            match Place::first(&rest[at..]) {
                Some((place, after)) => {
                    filled.push_str(&fill(place));
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = &rest[at + 1..];
                }
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// A place in a text: of a value, or of words that follow one that is a count.
struct Place {
    index: usize,
    /// For one, and for many.
    words: Option<(&'static str, &'static str)>,
}

impl Place {
    /// The place that a text begins with, and what follows it.
    fn first(text: &'static str) -> Option<(Place, &'static str)> {
        let (inner, after) = text.strip_prefix('{')?.split_once('}')?;
        let (index, words) = match inner.split_once('#') {
            None => (inner, None),
            Some((index, words)) => (index, Some(words.split_once('|')?)),
        };
        let index = index.parse().ok()?;
        Some((Place { index, words }, after))
    }
}

/// The entry of a number; of one that is not in the catalogue, as a newer version may send it, the
/// last of them, which says so.
pub fn entry(id: u16) -> &'static Entry {
    match CATALOGUE.binary_search_by_key(&id, |entry| entry.id) {
        Ok(at) => &CATALOGUE[at],
        Err(_) => &CATALOGUE[CATALOGUE.len() - 1],
    }
}

const SERVER_MANAGER: &str = "server_manager";
/// The component of what is said of a metering server.
pub const METERING_SERVER: &str = "metering_server";
const LICENSING: &str = "licensing";
const AGENTS: &str = "agents";

/// For so long a mail or webhook that does not go through is tried again; texts of the catalogue
/// say it.
pub const DELIVERY_TRIED_HOURS: u64 = 12;

/// The catalogue, by number.
pub const CATALOGUE: &[Entry] = &[
    Entry {
        id: 9399,
        component: SERVER_MANAGER,
        severity: Severity::Error,
        kind: Kind::Milestone,
        text: "The software metering server manager failed to install the service \"{0}\" on \"{1}\": {2}",
        meaning: "A unit or service could not be written or registered with the service manager.",
        check: "Whether the account may install services, whether the disk has room, and what the service manager says: the reason is at the end of the message.",
        does: "Nothing: what was there before is left as it was.",
    },
    Entry {
        id: 9405,
        component: SERVER_MANAGER,
        severity: Severity::Error,
        kind: Kind::Milestone,
        text: "The software metering server manager could not start the service \"{0}\" on \"{1}\": {2}",
        meaning: "The service manager refused to start it, or it ended before it was ready.",
        check: "The log of the service, whether its address is free and its data directory is readable.",
        does: "It tries again as often as healing may, then says 9424.",
    },
    Entry {
        id: 9406,
        component: METERING_SERVER,
        severity: Severity::Error,
        kind: Kind::Milestone,
        text: "The software metering server service is not running on {0}: {1}",
        meaning: "No process of the server is there and nobody answers at its address: it does not run. It is never said of a server that merely says so, is slow, or cannot be reached.",
        check: "Whether it was stopped on purpose; else its log, and why it ended: the evidence is in the message.",
        does: "Where healing is on, nothing else restarts it and it was not stopped on purpose, it is started again.",
    },
    Entry {
        id: 9410,
        component: METERING_SERVER,
        severity: Severity::Error,
        kind: Kind::Milestone,
        text: "The metering server {0} is stuck: {1}",
        meaning: "Its process is there, but no work moves: it does not answer, or it answers and seats nobody.",
        check: "Its disk (a hung one stops every commit), its processor time, and the evidence in the message.",
        does: "Where healing is on and nothing else does it: it is asked to stop, ended after a deadline, and started again.",
    },
    Entry {
        id: 9411,
        component: METERING_SERVER,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "The metering server {0} serves, but not all is well: {1}",
        meaning: "People are seated, or will be in a moment; after a restore nobody is until the time in the message. Something about it needs a look.",
        check: "The evidence in the message, such as a full disk, a hold after a restore, or a service manager that is contradicted by what the server does.",
        does: "It watches. A server that serves is never restarted for what its service manager says.",
    },
    Entry {
        id: 9412,
        component: METERING_SERVER,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "The metering server {0} cannot be reached: {1}",
        meaning: "The way to it is cut, or nobody listens and nobody can be asked. It may well be running.",
        check: "The network between manager and server, its name and port, and the server on its own computer (`usher status`).",
        does: "Agents that can reach it go on; those that cannot go by their policies. Nothing is restarted.",
    },
    Entry {
        id: 9413,
        component: METERING_SERVER,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "It is not known how the metering server {0} is: {1}",
        meaning: "What was found does not say whether it runs: something else answers at its address, it speaks TLS and was asked without, or it does not take the manager's token.",
        check: "The address and the token of the server: `usher servers show NAME`; `usher servers edit NAME` changes them.",
        does: "It asks again at each poll.",
    },
    Entry {
        id: 9414,
        component: METERING_SERVER,
        severity: Severity::Informational,
        kind: Kind::Milestone,
        text: "The metering server {0} is {1} again, after {2} in which it was {3} (seen {4} {4#time|times})",
        meaning: "An episode of trouble is over.",
        check: "Nothing.",
        does: "The message of that episode is closed.",
    },
    Entry {
        id: 9415,
        component: METERING_SERVER,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "The metering server {0} comes and goes: {1} episodes of trouble within {2}",
        meaning: "It recovers and fails again and again.",
        check: "What the episodes have in common; a restart loop shows in the service manager's count of restarts.",
        does: "This is said once until it has been quiet.",
    },
    Entry {
        id: 9416,
        component: METERING_SERVER,
        severity: Severity::Informational,
        kind: Kind::Milestone,
        text: "The metering server {0} is no longer {3} but {1}, after {2} (seen {4} {4#time|times})",
        meaning: "One kind of trouble has become another.",
        check: "The message of the new one.",
        does: "The message of the former episode is closed.",
    },
    Entry {
        id: 9420,
        component: SERVER_MANAGER,
        severity: Severity::Warning,
        kind: Kind::Detail,
        text: "Healing {0}: its service manager is asked to stop it",
        meaning: "It was stuck for longer than healing waits.",
        check: "Nothing yet: the next steps are messages, too.",
        does: "If it has not stopped by the deadline, its process is ended.",
    },
    Entry {
        id: 9421,
        component: SERVER_MANAGER,
        severity: Severity::Warning,
        kind: Kind::Detail,
        text: "Healing {0}: its process is ended by force",
        meaning: "It did not stop within the deadline.",
        check: "What held it: the log of the server.",
        does: "It is started again; what was answered is on disk.",
    },
    Entry {
        id: 9422,
        component: SERVER_MANAGER,
        severity: Severity::Warning,
        kind: Kind::Detail,
        text: "Healing {0}: its service manager is asked to start it",
        meaning: "It does not run and was not stopped on purpose.",
        check: "Nothing yet.",
        does: "It is watched until it serves.",
    },
    Entry {
        id: 9423,
        component: SERVER_MANAGER,
        severity: Severity::Error,
        kind: Kind::Detail,
        text: "Healing {0}: a step failed: {1}",
        meaning: "The service manager refused, the process is not the one that it was, or nothing can be done at all, as of a server without a unit here.",
        check: "The reason in the message.",
        does: "It goes on as far as its bounds allow.",
    },
    Entry {
        id: 9424,
        component: SERVER_MANAGER,
        severity: Severity::Error,
        kind: Kind::Milestone,
        text: "Healing {0} is given up for now: it was tried as often as it may be within an hour",
        meaning: "Restarting does not cure it.",
        check: "The log of the server, its disk, its data directory.",
        does: "It tries again when the hour is over.",
    },
    Entry {
        id: 9425,
        component: METERING_SERVER,
        severity: Severity::Warning,
        kind: Kind::Detail,
        text: "The metering server {0} uses {1} MB of memory, more than its limit of {2} MB: it is restarted in a good moment",
        meaning: "Its resident memory has passed the limit of --memory-limit.",
        check: "Whether the limit fits its number of leases and computers; else it is worth a report of a bug.",
        does: "It waits until few requests come and no pack runs, an hour at the most unless --memory-wait says otherwise, and restarts it then.",
    },
    Entry {
        id: 9426,
        component: METERING_SERVER,
        severity: Severity::Informational,
        kind: Kind::Detail,
        text: "The metering server {0} is restarted for its memory now: {1}",
        meaning: "A good moment has come, or has not come in time.",
        check: "Nothing: its socket keeps connections meanwhile, and what was answered is on disk.",
        does: "It says how much memory it uses afterwards (9427), or why the restart failed (9423).",
    },
    Entry {
        id: 9427,
        component: METERING_SERVER,
        severity: Severity::Informational,
        kind: Kind::Milestone,
        text: "The metering server {0} was restarted for its memory: {1} MB before, {2} MB after",
        meaning: "The restart is done.",
        check: "How often that happens.",
        does: "It watches on.",
    },
    Entry {
        id: 9428,
        component: METERING_SERVER,
        severity: Severity::Error,
        kind: Kind::Milestone,
        text: "The metering server {0} uses {1} MB of memory again: restarts are given up for now, it was restarted as often as it may be within an hour",
        meaning: "Restarting does not cure it, or the limit is lower than what it needs.",
        check: "The limit of --memory-limit, and the log of the server.",
        does: "It tries again when the hour is over.",
    },
    Entry {
        id: 9429,
        component: LICENSING,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "Notice on the entitlement {0} of {1} is to be given by {2}: it ends on {3}, and {4} {4#seat goes|seats go} with it",
        meaning: "The contract of an entitlement may go on by itself, or end for good, if nobody says in time what is wanted.",
        check: "Whether it is to go on. If so, enter the renewal with `usher entitlement add PRODUCT --from DAY`; if notice is given, `usher entitlement edit NAME --notice-days ''` ends this message.",
        does: "Nothing: it says when. It is silent if another entitlement takes over.",
    },
    Entry {
        id: 9430,
        component: LICENSING,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "The entitlement {0} of {1} with {2} {2#seat|seats} ends on {3}: from then on {4} {4#seat is|seats are} left",
        meaning: "An entitlement ends soon.",
        check: "Whether it is to be renewed: `usher entitlement add PRODUCT --from DAY` enters what follows, and ends this message.",
        does: "On that day its seats are no longer granted; who holds one keeps it until it is given back.",
    },
    Entry {
        id: 9431,
        component: LICENSING,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "Seats of {0}: {1} of {2} in use, {3} waiting, {4} refused within the last hour",
        meaning: "The next checkouts will wait or be refused.",
        check: "`usher leases --product ID` shows who holds them; `usher denials --product ID` who was refused.",
        does: "Nobody is thrown out.",
    },
    Entry {
        id: 9432,
        component: AGENTS,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "The agent on {0} has not reported to {2} for {1}",
        meaning: "The computer is off, cut, or its agent does not run.",
        check: "Whether the computer is on; `usher doctor` on it.",
        does: "Its leases end by their ttl; sessions are kept there and sent later. One that has been silent for long is taken for gone for good, and its message is closed.",
    },
    Entry {
        id: 9433,
        component: AGENTS,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "{0} {0#start was|starts were} allowed on {1} {1#computer|computers} while no server could be reached: of {3} on {2}",
        meaning: "Products whose policy says so ran without a seat.",
        check: "The network between agents and server at that time.",
        does: "The sessions are recorded as unseated.",
    },
    Entry {
        id: 9434,
        component: METERING_SERVER,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "Disk space of {0} is low: {1} of {2} left; {3}",
        meaning: "When it is full nothing more can be granted.",
        check: "What fills the disk; `usher pack now` frees what is past retention.",
        does: "It serves on; on a full disk it refuses clearly and loses nothing.",
    },
    Entry {
        id: 9435,
        component: METERING_SERVER,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "The last backup of {0} {1}; {2}",
        meaning: "A lost disk would lose what was recorded since.",
        check: "The job that runs `usher backup`.",
        does: "Nothing.",
    },
    Entry {
        id: 9436,
        component: METERING_SERVER,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "The pack of {0} is overdue: it was to run {1} and has not; {2}",
        meaning: "Upkeep of the store was skipped; it grows and slows down.",
        check: "`usher pack status`: what the last one says.",
        does: "It runs at the next chance.",
    },
    Entry {
        id: 9437,
        component: AGENTS,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "The rule {0} of {1} has matched nothing since {2}: since {5} {3} is started on {4} of the same computers, and is of no product",
        meaning: "What the rule matched is started no more, and on the same computers something of that name, or of one like it, is started that no rule matches: an update has renamed, moved or changed the program, and it is no longer metered.",
        check: "`usher product learn` on a computer with the new version.",
        does: "Nothing: rules are an administrator's.",
    },
    Entry {
        id: 9438,
        component: METERING_SERVER,
        severity: Severity::Informational,
        kind: Kind::Milestone,
        text: "{0} runs version {1} in the place of {2} since {3}, and is watched until its first scheduled pack is done; {4}",
        meaning: "A new version may serve well for days and fail in its first upkeep, as in KB Q299261. Until its first scheduled pack is done, the version before can take the data over again; the recovery of this message says that the pack is done.",
        check: "`usher pack status` says when it is due. `usher upgrade --back` returns to the version before.",
        does: "It keeps the version before, and tells when the pack is done or fails.",
    },
    Entry {
        id: 9439,
        component: METERING_SERVER,
        severity: Severity::Error,
        kind: Kind::Milestone,
        text: "The first pack of version {1} on {0} did not get done: {3}; version {2} can take the data over again; {4}",
        meaning: "The version that came last serves, and fails in the upkeep of its data.",
        check: "`usher pack status` says what was skipped and why; with a full or failing disk mend that. `usher upgrade --back` returns to the version before, on the same data.",
        does: "It tries the pack again after a while, and serves on.",
    },
    Entry {
        id: 9440,
        component: SERVER_MANAGER,
        severity: Severity::Informational,
        kind: Kind::Audit,
        text: "{0} added the metering server {1} at {2}",
        meaning: "The manager watches it from now on.",
        check: "Nothing.",
        does: "It polls it each cycle.",
    },
    Entry {
        id: 9441,
        component: SERVER_MANAGER,
        severity: Severity::Informational,
        kind: Kind::Audit,
        text: "{0} removed the metering server {1}",
        meaning: "The manager watches it no longer.",
        check: "Nothing.",
        does: "Its messages are kept.",
    },
    Entry {
        id: 9442,
        component: SERVER_MANAGER,
        severity: Severity::Informational,
        kind: Kind::Audit,
        text: "{0} changed the message rules",
        meaning: "Other things become of messages from now on.",
        check: "`usher messages rules`.",
        does: "Nothing.",
    },
    Entry {
        id: 9443,
        component: SERVER_MANAGER,
        severity: Severity::Informational,
        kind: Kind::Audit,
        text: "{0} changed the thresholds",
        meaning: "Other things are of concern from now on, or components stand otherwise.",
        check: "`usher messages thresholds`.",
        does: "Nothing.",
    },
    Entry {
        id: 9444,
        component: METERING_SERVER,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "The metering server {0} is paused since {1} and grants nothing; {2}",
        meaning: "Somebody paused it, and it was not continued. Leases are renewed and given back, and who waits keeps the place; nobody gets a seat.",
        check: "Who paused it and whether that is still wanted: `usher service continue server` ends it.",
        does: "Nothing: a pause is somebody's wish. The recovery of this message says that it is over.",
    },
    Entry {
        id: 9445,
        component: SERVER_MANAGER,
        severity: Severity::Warning,
        kind: Kind::Detail,
        text: "Too many messages wait for {0}: {1} {1#was|were} dropped since its queue was last empty ({2} may wait)",
        meaning: "What the rules send there does not go through, or not as fast as messages come. Other destinations have queues of their own and wait for nothing.",
        check: "Whether it answers; the messages themselves are kept: `usher messages`.",
        does: "It delivers what waits, drops and counts what comes beyond, and says this at the first, the tenth, the hundredth.",
    },
    Entry {
        id: 9446,
        component: METERING_SERVER,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "The log beside the data file of {0} has grown to {1} and cannot be taken in: {2} reads that file without an end",
        meaning: "A reader of cache.db that stays open keeps what was written since in the write-ahead log beside it, which grows until the disk is full and makes the server slower.",
        check: "End that reader, or have it read a copy (`usher backup`). A tool that was left open in a terminal or notebook is the usual case.",
        does: "It tries again all the time, and takes the log in as soon as the reader ends.",
    },
    Entry {
        id: 9447,
        component: SERVER_MANAGER,
        severity: Severity::Warning,
        kind: Kind::Detail,
        text: "The rule {0} {1}, which no setting names: that is not done",
        meaning: "A stored rule names a program or a webhook itself. Rules only refer to those that the \
                  settings of the manager's computer name, so that the manager's token runs nothing \
                  else.",
        check: "Add the line {2} to /etc/usher/usher.toml, with a name of your choice, and restart the \
                manager: the rule then refers to it. Or put the rules again.",
        does: "It leaves the action out and says so at each start.",
    },
    Entry {
        id: 9448,
        component: SERVER_MANAGER,
        severity: Severity::Warning,
        kind: Kind::Detail,
        text: "What the rule {0} says for message {1} failed: {2}",
        meaning: "A webhook, mail or program of a message rule did not go through.",
        check: "Its address and credentials, or the program. `usher messages rules` shows what waits, and why.",
        does: "It tries a mail or webhook again for 12 hours, less and less often and after a restart of the manager, too, if that may help. What was refused for good is given up at once, a program after three tries; both are counted, and what waits behind is tried.",
    },
    Entry {
        id: 9449,
        component: SERVER_MANAGER,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "A flood of messages: {0} more of number {1} are only counted",
        meaning: "More different messages of one number came within a minute than are kept.",
        check: "What raises them.",
        does: "They are counted, so that nothing else is held up.",
    },
    Entry {
        id: 9450,
        component: SERVER_MANAGER,
        severity: Severity::Error,
        kind: Kind::Milestone,
        text: "The {0} on {1} ended by a fault of its own in {2} at {3}, and was restarted: {4}",
        meaning: "A panic in a thread that others wait for ended the process, so that its supervisor starts it again. What was answered before is kept.",
        check: "The log of that role at that time, and report it as a bug. If it ends five times in ten minutes it is not restarted any more.",
        does: "The supervisor or systemd restarts it, five times in ten minutes at most.",
    },
    Entry {
        id: 9451,
        component: SERVER_MANAGER,
        severity: Severity::Error,
        kind: Kind::Milestone,
        text: "{1} {1#request or item|requests or items} of {0} ended by a fault of its own, the last at {2}: {3}",
        meaning: "A panic of a server, an agent or the manager while one request, item or connection was handled. A request was answered with 500, nothing of it was kept, and everything else went on.",
        check: "The log of that role at that time, and report it as a bug.",
        does: "It answers 500 to that request, and goes on.",
    },
    Entry {
        id: 9452,
        component: METERING_SERVER,
        severity: Severity::Warning,
        kind: Kind::Milestone,
        text: "{0} has been turning away agents or clients at {1} since {2}: {3}",
        meaning: "Agents show a token that the server does not take (unknown, revoked, expired, or another computer's), or clients do not trust its certificate. What they meter does not arrive.",
        check: "The token of the agents there (`usher token create --role agent --computer ID`), or their --ca-file. `usher agent status` there says the same. Several may be behind one address: each reason is told, with the computers if the server knows whose token it was.",
        does: "It says what was answered, and closes the message a quarter of an hour after the last time.",
    },
    Entry {
        id: 9453,
        component: SERVER_MANAGER,
        severity: Severity::Informational,
        kind: Kind::Detail,
        text: "This is a test of the message rule {0}",
        meaning: "Somebody asked for it by `usher messages rules test`. Nothing has happened.",
        check: "Nothing: it has arrived.",
        does: "It is sent once, and not kept.",
    },
    Entry {
        id: 9454,
        component: SERVER_MANAGER,
        severity: Severity::Warning,
        kind: Kind::Detail,
        text: "{1} {1#message|messages} to {0} {1#was|were} given up after 12 hours of tries: {2}",
        meaning: "A mail or webhook of a message rule did not go through for so long.",
        check: "Its address and credentials, the relay, the network. The messages are kept as their rules say: `usher messages` shows them.",
        does: "It counts them, and goes on trying what came later.",
    },
    Entry {
        id: 9455,
        component: SERVER_MANAGER,
        severity: Severity::Informational,
        kind: Kind::Audit,
        text: "{0} changed how the metering server {1} is watched: {2}",
        meaning: "Its address, its token, its unit or its data directory is another for the manager from now on.",
        check: "Nothing.",
        does: "It looks at it at once. Its messages and its trouble go on.",
    },
    Entry {
        id: 9499,
        component: SERVER_MANAGER,
        severity: Severity::Informational,
        kind: Kind::Detail,
        text: "A message that this version does not know: {0} {1} {2} {3}",
        meaning: "A newer version has raised it.",
        check: "Whether all parts of the site are of one version.",
        does: "It is kept as it came.",
    },
];
