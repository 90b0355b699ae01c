//! The journal: each event, written down before anything is done about it. A hint and a diary, never a
//! truth: recovery looks at AWS.

use std::io;

use super::event::Event;

/// Where events go before they take effect. An error stops the run.
pub trait Journal: Send {
    /// Writes the event down, so that it outlives this process.
    fn record(&mut self, event: &Event) -> io::Result<()>;
}

/// A journal in memory, for tests and for runs that leave no trace.
#[derive(Debug, Default)]
pub struct InMemory {
    /// What has been recorded.
    pub events: Vec<Event>,
}

impl Journal for InMemory {
    fn record(&mut self, event: &Event) -> io::Result<()> {
        self.events.push(event.clone());
        Ok(())
    }
}
