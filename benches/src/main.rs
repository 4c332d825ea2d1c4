//! The binary `peers`: how InfloWave compares with each source's own client in the same run, and how
//! much memory it needs for a large result.
//!
//! **Owns**: the data it measures on (schema `inflowave_bench`, dropped at the end), the cases, the
//! table of results. **Never**: a limit on time: figures depend on the machine, ratios less so.
//! **Start reading at**: [`Arguments`], then [`cases`] for the comparisons and [`memory`] for the
//! proof of bounded memory.
//!
//! It needs the servers of `tests/services/services.sh up`, by the variables of `services.sh env`.

mod cases;
mod data;
mod measure;
mod memory;
mod reader;
mod report;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use inflowave_engine::Runtimes;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

/// Compare InfloWave with the sources' own clients and with PostgreSQL's wire, or prove its bound on
/// memory.
#[derive(Parser)]
#[command(name = "peers")]
struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_value_t = What::Peers)]
    what: What,
    /// Rows of the large table; by default 1,000,000 for peers, 10,000,000 for memory and 5,000,000 for
    /// wire.
    #[arg(long)]
    rows: Option<u32>,
    /// Timed runs of each side, alternately, after one that is not timed.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Only cases whose name or source holds this text; for memory the source, psql or csv; for wire
    /// latency, transfer or sessions.
    #[arg(long, default_value = "")]
    only: String,
    /// The server's binary, for memory and wire; by default the one beside this program.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// How fast the slow psql may read, in megabytes a second, for memory.
    #[arg(long, default_value_t = 40)]
    mb_per_second: u32,
    /// Requests of each kind and side, for the latencies of wire.
    #[arg(long, default_value_t = 5000)]
    requests: usize,
    /// Sessions at once, for wire.
    #[arg(long, default_value_t = 1000)]
    sessions: usize,
    /// Requests a second of all sessions together, for wire.
    #[arg(long, value_delimiter = ',', default_value = "100,300")]
    rates: Vec<u32>,
    /// How long each rate is kept up, for wire.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Each case as a ratio to the same work by the source's own client.
    Peers,
    /// Peak resident memory of a large result, to a slow psql and to a file.
    Memory,
    /// Latencies, large results and many sessions over the Postgres wire.
    Wire,
}

/// Where the servers are.
pub struct Servers {
    pub postgres: String,
    pub mysql: String,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            report::note(&format!("peers: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether what was to be shown holds.
fn run(arguments: &Arguments) -> Result<bool> {
    let servers = Servers {
        postgres: variable("INFLOWAVE_TEST_POSTGRES")?,
        mysql: variable("INFLOWAVE_TEST_MYSQL")?,
    };
    let folder = tempfile::tempdir()?;
    // The same two runtimes as the server's.
    let io = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let cpu = Runtimes::cpu()?;
    let runtimes = Runtimes {
        io: io.handle().clone(),
        cpu: cpu.handle().clone(),
    };
    let holds = io.block_on(async {
        let done = match arguments.what {
            What::Peers => peers(arguments, &servers, folder.path(), runtimes).await,
            What::Memory => memory(arguments, &servers, folder.path()).await,
            What::Wire => wire(arguments, &servers, folder.path()).await,
        };
        // Also after a failure; what failed first is what is told.
        let cleaned = data::remove(&servers).await;
        let holds = done?;
        cleaned.map(|()| holds)
    });
    cpu.shutdown_background();
    io.shutdown_background();
    holds
}

async fn peers(
    arguments: &Arguments,
    servers: &Servers,
    folder: &std::path::Path,
    runtimes: Runtimes,
) -> Result<bool> {
    let scale = data::Scale(arguments.rows.unwrap_or(1_000_000));
    data::load_all(servers, folder, scale).await?;
    let place = cases::Place::open(servers, folder, runtimes).await?;
    let mut results = Vec::new();
    for case in cases::all(&place, scale).await? {
        if case.is_about(&arguments.only) {
            results.push(measure::measure(case, arguments.runs).await?);
        }
    }
    report::peers(&results, scale, arguments.runs);
    Ok(true)
}

async fn memory(
    arguments: &Arguments,
    servers: &Servers,
    folder: &std::path::Path,
) -> Result<bool> {
    let binary = binary(arguments)?;
    let scale = data::Scale(arguments.rows.unwrap_or(10_000_000));
    data::load_large(servers, folder, scale).await?;
    let proof = memory::Proof {
        binary,
        folder: folder.to_owned(),
        postgres: servers.postgres.clone(),
        rows: u64::from(scale.0),
        bytes_per_second: u64::from(arguments.mb_per_second) * 1_000_000,
    };
    let only = arguments.only.clone();
    // Processes and pipes block; nothing else runs meanwhile.
    let peaks = tokio::task::spawn_blocking(move || proof.run(&only)).await??;
    report::memory(&peaks, scale);
    Ok(peaks.iter().all(memory::Peak::holds))
}

async fn wire(arguments: &Arguments, servers: &Servers, folder: &std::path::Path) -> Result<bool> {
    let binary = binary(arguments)?;
    let scale = data::Scale(arguments.rows.unwrap_or(5_000_000));
    data::load_postgres(servers, scale).await?;
    let place = wire::Place::open(&binary, folder, &servers.postgres)?;
    let asked = |part: &str| part.contains(&arguments.only);
    // The sessions first: what a server keeps of large results would count as theirs.
    if asked("sessions") {
        for rate in &arguments.rates {
            let load = wire::Load {
                sessions: arguments.sessions,
                rate: *rate,
                seconds: arguments.seconds,
            };
            report::sessions(&wire::load(&place, scale, load).await?);
        }
    }
    if asked("latency") {
        report::latency(&wire::latency(&place, scale, arguments.requests).await?);
    }
    if asked("transfer") {
        report::transfer(&wire::transfer(&place, arguments.runs).await?, scale);
    }
    Ok(true)
}

/// The server's own program.
fn binary(arguments: &Arguments) -> Result<PathBuf> {
    let binary = match &arguments.binary {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("inflowave"),
    };
    if !binary.is_file() {
        let hint = "build it with: cargo build --release --workspace";
        return Err(format!("there is no server at {}; {hint}", binary.display()).into());
    }
    Ok(binary)
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| {
        let how = "start the servers with 'tests/services/services.sh up' and take its variables \
                   from 'tests/services/services.sh env'";
        format!("{name} is not set; {how}").into()
    })
}
