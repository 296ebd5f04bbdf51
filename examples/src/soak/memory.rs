//! What processes have: memory, descriptors.

use std::fmt;
use std::io;
use std::time::Duration;

/// Reads how much memory of a process is resident, in KiB.
///
/// # Errors
///
/// If there is no such process, or no `/proc`.
pub fn resident_kib(pid: u32) -> io::Result<u64> {
    kib(pid, "VmRSS:")
}

/// Reads the most memory of a process that was ever resident, in KiB.
///
/// # Errors
///
/// If there is no such process, or no `/proc`.
pub fn peak_kib(pid: u32) -> io::Result<u64> {
    kib(pid, "VmHWM:")
}

fn kib(pid: u32, name: &str) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.ok_or_else(|| io::Error::other(format!("/proc tells no {name}")))
}

/// Counts the open descriptors of a process.
///
/// # Errors
///
/// If there is no such process, or no `/proc`.
pub fn descriptors(pid: u32) -> io::Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// What both sides had at a moment.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Sample {
    pub at: Duration,
    pub server_kib: u64,
    pub server_descriptors: usize,
    pub server_tasks: usize,
    pub client_kib: u64,
    pub client_descriptors: usize,
    pub client_tasks: usize,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>5.0} s: server {} KiB, {} descriptors, {} tasks; client {} KiB, {} descriptors, {} tasks",
            self.at.as_secs_f64(),
            self.server_kib,
            self.server_descriptors,
            self.server_tasks,
            self.client_kib,
            self.client_descriptors,
            self.client_tasks,
        )
    }
}

/// Moments in order.
#[derive(Debug, Default)]
pub struct Samples(Vec<Sample>);

impl Samples {
    /// Adds one.
    pub fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// Gives the last one.
    pub fn last(&self) -> Sample {
        self.0.last().cloned().unwrap_or_default()
    }

    /// Tells for both sides how memory grew after the first third: KiB a minute of the straight line through
    /// all samples, and KiB in all on that line.
    pub fn slopes(&self) -> [(&'static str, f64, i64); 2] {
        let settled = self.0.get(self.0.len() / 3..).unwrap_or_default();
        let of = |kib: fn(&Sample) -> u64| {
            #[expect(clippy::cast_precision_loss, reason = "figures for people")]
            let points: Vec<_> = settled
                .iter()
                .map(|sample| (sample.at.as_secs_f64() / 60.0, kib(sample) as f64))
                .collect();
            let slope = slope(&points);
            let minutes = match (points.first(), points.last()) {
                (Some((first, _)), Some((last, _))) => last - first,
                _ => 0.0,
            };
            #[expect(clippy::cast_possible_truncation, reason = "KiB of a process")]
            let growth = (slope * minutes) as i64;
            (slope, growth)
        };
        let (server, client) = (of(|sample| sample.server_kib), of(|sample| sample.client_kib));
        [("server", server.0, server.1), ("client", client.0, client.1)]
    }
}

/// Fits a straight line by least squares.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len().max(1) as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let over = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>();
    let under = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>();
    if under > 0.0 { over / under } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_that_of_the_line() {
        assert!((slope(&[(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)]) - 2.0).abs() < 1e-9);
        assert!(slope(&[(1.0, 5.0)]).abs() < 1e-9);
        assert!(slope(&[]).abs() < 1e-9);
    }
}
