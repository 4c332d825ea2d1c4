//! What is printed: tables in Markdown on standard output, progress on standard error.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the results of a benchmark are its output, and only this module prints"
)]

use std::time::Duration;

use crate::data::Scale;
use crate::measure::Measured;
use crate::memory::{PEAK_KB_MAX, Peak};

/// A line of progress, or a failure.
pub fn note(text: &str) {
    eprintln!("{text}");
}

/// A row for each peer of each case.
pub fn peers(results: &[Measured], scale: Scale, runs: usize) {
    println!(
        "{} rows of 8 columns, {runs} runs of each side in turn after one untimed, milliseconds.",
        scale.0
    );
    println!("The ratio is that of the medians: how many times as long as the peer.\n");
    println!(
        "| case | source | rows | InfloWave min | median | peer | peer min | median | ratio |"
    );
    println!("|---|---|---:|---:|---:|---|---:|---:|---:|");
    for measured in results {
        for peer in &measured.peers {
            println!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {:.2} |",
                measured.case,
                measured.source,
                measured.rows,
                ms(measured.ours.min()),
                ms(measured.ours.median()),
                peer.reader,
                ms(peer.min()),
                ms(peer.median()),
                measured.ours.ratio(peer)
            );
        }
    }
}

/// A row for each process.
pub fn memory(peaks: &[Peak], scale: Scale) {
    println!(
        "{} rows of 8 columns; the bound is {} MB of resident memory at the peak (VmHWM).\n",
        scale.0,
        PEAK_KB_MAX / 1024
    );
    println!("| source | client | seconds | idle MB | peak MB | |");
    println!("|---|---|---:|---:|---:|---|");
    for peak in peaks {
        println!(
            "| {} | {} | {:.1} | {} | {} | {} |",
            peak.source,
            peak.client,
            peak.time.as_secs_f64(),
            peak.idle_kb.map_or_else(String::new, mb),
            mb(peak.peak_kb),
            if peak.holds() { "holds" } else { "too much" }
        );
    }
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

fn mb(kb: u64) -> String {
    format!("{:.0}", kb as f64 / 1024.0)
}
