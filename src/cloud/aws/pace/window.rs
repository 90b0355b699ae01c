//! How many calls of a service may be under way at once: one more for each that is served until AWS refuses
//! one; then half as many, and from there on one more when a whole window of them was served.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

/// Calls under way at the beginning: as many are refused in vain when AWS's bucket is empty already.
const FIRST: f64 = 16.0;
/// Calls under way at most.
const WIDEST: f64 = 64.0;

/// The window of one service.
#[derive(Debug)]
pub(super) struct Window {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    limit: f64,
    under_way: usize,
    /// Counts the halvings: calls that began before the last one say nothing new.
    halvings: u32,
}

/// A place in a window; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    window: &'a Window,
    halvings: u32,
}

impl Window {
    /// One that nobody is in.
    pub(super) fn new() -> Self {
        let state = State { limit: FIRST, under_way: 0, halvings: 0 };
        Self { state: Mutex::new(state), freed: Notify::new() }
    }

    /// Waits for a place.
    pub(super) async fn enter(&self) -> Place<'_> {
        loop {
            let freed = self.freed.notified();
            {
                let mut state = self.state();
                if (state.under_way + 1) as f64 <= state.limit {
                    state.under_way += 1;
                    return Place { window: self, halvings: state.halvings };
                }
            }
            freed.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}

impl Place<'_> {
    /// The call was refused.
    pub(super) fn refused(&self) {
        let mut state = self.window.state();
        if state.halvings == self.halvings {
            state.halvings += 1;
            state.limit = (state.limit / 2.0).max(1.0);
        }
    }

    /// The call was served.
    pub(super) fn served(&self) {
        let mut state = self.window.state();
        let before = state.limit.floor();
        let grown = if state.halvings == 0 { 1.0 } else { 1.0 / state.limit };
        state.limit = (state.limit + grown).min(WIDEST);
        if state.limit.floor() > before {
            self.window.freed.notify_one();
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.window.state().under_way -= 1;
        self.window.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    /// Enters until it is full.
    fn fill(window: &Window) -> Vec<Place<'_>> {
        std::iter::from_fn(|| window.enter().now_or_never()).collect()
    }

    #[tokio::test]
    async fn a_refusal_halves_it_once_a_round() {
        let window = Window::new();
        let mut places = fill(&window);
        assert_eq!(places.len(), 16);
        places.iter().for_each(Place::refused);
        places.truncate(8);
        assert!(window.enter().now_or_never().is_none(), "8 are under way, and 8 may be");
        places.truncate(7);
        let place = window.enter().now_or_never().expect("one has left");
        (0..8).for_each(|_| place.served());
        assert!(window.enter().now_or_never().is_none());
        place.served();
        assert!(window.enter().now_or_never().is_some(), "a round was served: one more");
    }

    #[tokio::test]
    async fn until_the_first_refusal_it_doubles_each_round() {
        let window = Window::new();
        for width in [16, 32, 64, 64] {
            let places = fill(&window);
            assert_eq!(places.len(), width);
            places.iter().for_each(Place::served);
        }
    }
}
