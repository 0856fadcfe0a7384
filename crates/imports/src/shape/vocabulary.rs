//! Words that licence servers are known to write. Words that are also names of people are left out, and
//! with them the names of months and days.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words in lower case.
const WORDS: &str = "\
a about above access activation active actual add administrator all allowed already and any are \
as at attempted available bad be been begin borrow borrowed borrows both build busy but by \
cannot checked checkin checkout checkouts client clients closed code column command computer \
concurrent config configuration connect connected connection connections consisting consumed \
contact copyright could count counted created current currently customer daemon daemons data \
date day days dead debug default denied dequeued details display does done down dsls duration \
editor effective end ended entitlement entitlements error errors event exceeded exclude excluded \
exit exited exiting expiration expire expired expires failed failure feature features file files \
flexlm flexnet floating floats for found free from full get give given granted group groups \
handle has have held history hold holder host hostid hours id idle in inactive include included \
increment index info information initialised initialized install installed internet interval \
invalid is issue issued isv item job key last lease level library licence licences license \
licensed licenses limit line linger linux list listening lmadmin lmgrd lmstat lmutil lmx locked \
log logged login logout lost machine manager master maximum message messages minute minutes \
missing model module month more name named names network never new next no node none not note \
notice number of off ok olicense on one only open option options or order other out overdraft \
owner package path peak pending permanent pid pool pools port previous problem process product \
products program programs protocol queue queued reached read ready reason received record \
redundant refused release remote removed report request requests reread rereading reservation \
reservations reserve reserved restart restarted result return returned rlm rlmstat roam roaming \
running scontrol seat seats second secondary seconds sentinel server servers session sessions \
set share shared shm show shutdown shutting signal since site size slave slog software start \
started starting startup state statistics status still stop stopped stopping successful \
successfully supported system table tcp test than that the there this time timed timeout \
timestamp to token tokens too total trial try type unable uncounted under unexpected unknown \
unlimited unsupported until up update updated upgrade usage use used user users using value \
vendor version waiting warning was were when which while windows with without write written year \
you";

static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.split_whitespace().collect());

/// Words in lower case.
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// A longer word is none of them.
const WORD_BYTES: usize = 20;

/// Whether that is a word of a licence server, in any case.
pub(super) fn has(word: &str) -> bool {
    word.len() <= WORD_BYTES && KNOWN.contains(word.to_ascii_lowercase().as_str())
}

/// Whether that is the English name of a month, cut to three letters.
pub(super) fn is_month(word: &str) -> bool {
    MONTHS.iter().any(|month| word.eq_ignore_ascii_case(month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_any_case_and_months_are_no_words() {
        assert!(KNOWN.iter().all(|word| word.len() <= WORD_BYTES));
        assert!(has("Licenses") && has("daemon"));
        assert!(!has("ann") && !has("Jan") && !has(""));
        assert!(is_month("DEC") && !is_month("decem"));
    }
}
