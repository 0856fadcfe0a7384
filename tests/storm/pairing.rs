//! Which session is of which run, if several may be: an assignment that leaves out as few as can
//! be (Kuhn 1955, by augmenting paths).

/// Pairs of runs and sessions.
pub(super) struct Pairing {
    /// The session of each run.
    of_run: Vec<Option<usize>>,
    /// The run of each session.
    of_session: Vec<Option<usize>>,
    /// The sessions that each run may have, likeliest first.
    fits: Vec<Vec<usize>>,
}

impl Pairing {
    /// `fits` are the sessions that each run may have, likeliest first. Those runs that `must` have
    /// one have it if there is any way.
    pub(super) fn of(fits: Vec<Vec<usize>>, sessions: usize, must: impl Fn(usize) -> bool) -> Self {
        let mut pairing = Pairing {
            of_run: vec![None; fits.len()],
            of_session: vec![None; sessions],
            fits,
        };
        let (first, then): (Vec<usize>, Vec<usize>) =
            (0..pairing.fits.len()).partition(|run| must(*run));
        // What has a pair by then keeps one: a path only ever adds to both.
        for run in first.into_iter().chain(then) {
            pairing.find(run, &mut vec![false; sessions]);
        }
        pairing
    }

    pub(super) fn session_of(&self, run: usize) -> Option<usize> {
        self.of_run[run]
    }

    /// The sessions of no run.
    pub(super) fn left(&self) -> impl Iterator<Item = usize> {
        let sessions = self.of_session.iter().enumerate();
        sessions.filter(|(_, run)| run.is_none()).map(|(at, _)| at)
    }

    fn find(&mut self, run: usize, looked_at: &mut [bool]) -> bool {
        for place in 0..self.fits[run].len() {
            let session = self.fits[run][place];
            if std::mem::replace(&mut looked_at[session], true) {
                continue;
            }
            let is_free = match self.of_session[session] {
                None => true,
                Some(other) => self.find(other, looked_at),
            };
            if is_free {
                self.of_session[session] = Some(run);
                self.of_run[run] = Some(session);
                return true;
            }
        }
        false
    }
}

#[test]
fn a_session_that_only_one_run_can_have_is_left_to_it() {
    // The first run is nearest to the session that alone fits the second.
    let pairing = Pairing::of(vec![vec![1, 0], vec![1]], 2, |_| false);
    assert_eq!(pairing.session_of(0), Some(0));
    assert_eq!(pairing.session_of(1), Some(1));
    assert_eq!(pairing.left().count(), 0);
    let doubled = Pairing::of(vec![vec![0, 1]], 2, |_| true);
    assert_eq!(doubled.left().collect::<Vec<_>>(), [1]);
    let lost = Pairing::of(vec![vec![0], vec![0]], 1, |run| run == 1);
    assert_eq!((lost.session_of(0), lost.session_of(1)), (None, Some(0)));
}
