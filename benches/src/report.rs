//! What is printed: tables in Markdown on standard output, progress on standard error.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the results of a benchmark are its output, and only this module prints"
)]

use std::time::Duration;

use crate::data::Scale;
use crate::measure::{Measured, Times};
use crate::memory::{PEAK_KB_MAX, Peak};
use crate::wire::{Compared, Loaded, Sample, Transferred};

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

/// A row for each kind of request.
pub fn latency(all: &[Compared]) {
    println!("One request at a time, in turn with PostgreSQL; milliseconds.\n");
    println!(
        "| request | number | InfloWave P50 | P95 | P99 | PostgreSQL P50 | P95 | P99 | ratio of P50 |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for compared in all {
        let (ours, theirs) = (&compared.ours, &compared.postgres);
        let ratio = ours.percentile(50.0).as_secs_f64() / theirs.percentile(50.0).as_secs_f64();
        println!(
            "| {} | {} | {} | {} | {ratio:.2} |",
            compared.name,
            ours.len(),
            percentiles(ours),
            percentiles(theirs),
        );
    }
    println!();
}

/// A row for each form of a large result.
pub fn transfer(all: &[Transferred], scale: Scale) {
    println!(
        "{} rows of 8 columns, in turn with PostgreSQL; milliseconds.\n",
        scale.0
    );
    println!("| form | runs | InfloWave min | median | PostgreSQL min | median | ratio |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for transferred in all {
        let times = |runs: &[Duration]| Times {
            reader: transferred.form,
            runs: runs.to_vec(),
        };
        let (ours, theirs) = (times(&transferred.ours), times(&transferred.postgres));
        println!(
            "| {} | {} | {} | {} | {} | {} | {:.2} |",
            transferred.form,
            ours.runs.len(),
            ms(ours.min()),
            ms(ours.median()),
            ms(theirs.min()),
            ms(theirs.median()),
            ours.ratio(&theirs),
        );
    }
    println!();
}

/// A table of one row: a load, and how it was borne.
pub fn sessions(loaded: &Loaded) {
    let load = loaded.load;
    println!(
        "{} sessions, {} requests a second for {} seconds in an open loop; milliseconds.\n",
        load.sessions, load.rate, load.seconds
    );
    println!("| answered | failed | P50 | P95 | P99 | MB before | MB idle | MB at the peak |");
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    println!(
        "| {} | {} | {} | {} | {} | {} |\n",
        loaded.times.len(),
        loaded.failed,
        percentiles(&loaded.times),
        mb(loaded.started_kb),
        mb(loaded.idle_kb),
        mb(loaded.peak_kb),
    );
}

fn percentiles(sample: &Sample) -> String {
    let of = |percent| fine(sample.percentile(percent));
    format!("{} | {} | {}", of(50.0), of(95.0), of(99.0))
}

fn fine(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1000.0)
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

fn mb(kb: u64) -> String {
    format!("{:.0}", kb as f64 / 1024.0)
}
