//! The wish of a user, or of whatever runs us, that we end: Ctrl-C and SIGTERM.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(not(unix))]
use tokio::signal::windows::{CtrlC, ctrl_c};

/// Hears signals from its making on: one that comes while nobody waits is not lost.
pub(super) struct Signals {
    #[cfg(unix)]
    pressed: Signal,
    #[cfg(not(unix))]
    pressed: CtrlC,
    #[cfg(unix)]
    terminate: Signal,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen.
    pub(super) fn new() -> std::io::Result<Self> {
        let pressed = signal(SignalKind::interrupt())?;
        Ok(Self { pressed, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.pressed.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { pressed: ctrl_c()? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        self.pressed.recv().await;
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_signal_between_two_waits_is_heard() {
        let mut signals = Signals::new().unwrap();
        let me = std::process::id().to_string();
        for _ in 0..2 {
            let sent = std::process::Command::new("kill").args(["-TERM", &me]).status();
            assert!(sent.unwrap().success());
            tokio::time::timeout(Duration::from_secs(10), signals.next())
                .await
                .expect("it is heard");
        }
    }
}
