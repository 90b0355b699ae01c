//! Runs a command to its end and says what it took: time by the clock, time of the processor, memory.

use std::io;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a command took. Processor and memory are read from `/proc`, and unknown without it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// From start to end.
    pub(crate) wall: Duration,
    /// In user and kernel mode.
    pub(crate) cpu: Option<Duration>,
    /// The most memory that was resident, in KiB.
    pub(crate) resident: Option<u64>,
}

/// How often a running command is looked at. The peak of memory is kept by the kernel, so that only
/// what happens after the last look is missed.
const LOOK: Duration = Duration::from_millis(2);

/// The kernel's clock ticks a second, as `/proc` counts them (`USER_HZ`), on all of Linux.
const TICKS: u64 = 100;

/// Runs `command`; its cost and exit code. Its output goes to `said`.
pub(crate) fn run(mut command: Command, said: std::fs::File) -> io::Result<(Cost, Option<i32>)> {
    command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
    let started = Instant::now();
    let mut child = command.spawn()?;
    let (cpu, resident) = watch(&child);
    let status = child.wait()?;
    Ok((Cost { wall: started.elapsed(), cpu, resident }, status.code()))
}

/// Looks at a process until it has ended. Ended and not waited for yet, it still tells its times.
fn watch(child: &Child) -> (Option<Duration>, Option<u64>) {
    let (mut cpu, mut resident) = (None, None);
    loop {
        let folder = format!("/proc/{}", child.id());
        let Ok(stat) = std::fs::read_to_string(format!("{folder}/stat")) else { break };
        // Behind the name, which is in parentheses: state, … and, 12th and 13th, the two times.
        let Some((_, rest)) = stat.rsplit_once(") ") else { break };
        let fields: Vec<&str> = rest.split(' ').collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        if let (Some(user), Some(kernel)) = (ticks(11), ticks(12)) {
            cpu = Some(Duration::from_millis((user + kernel) * 1000 / TICKS));
        }
        if let Ok(status) = std::fs::read_to_string(format!("{folder}/status")) {
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok());
            resident = peak.or(resident);
        }
        if fields.first() == Some(&"Z") {
            break;
        }
        std::thread::sleep(LOOK);
    }
    (cpu, resident)
}
