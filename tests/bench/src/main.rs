//! What this project does, timed step by step at the bidding of `run.py`, which
//! times others in between.
//!
//! Commands come on standard input, a line each; each is answered by a line of
//! JSON. `network NAME` makes one of the networks, without measuring, and writes
//! it to the folder given as argument. The others measure, in seconds:
//!
//! | command | what is timed |
//! |---|---|
//! | `load` | the CSV file of the network to a [`Network`], checked and sorted |
//! | `vector-first` | from a [`Network`] to `V v`: components, factors, layout, solve |
//! | `vector-again TIMES` | `V v` with all of these at hand, the median of so many in a row after the first |
//! | `pairs FLOOR` | all pairs of T at the floor, with set-up, from a [`Resolvent`] |
//! | `dense N` | the resolvent of a dense matrix |
//! | `threads N` | nothing: what follows uses so many threads |
#![expect(clippy::print_stdout, reason = "answers are what this program is for")]

mod networks;

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use formats::{ReadOptions, read_batches};
use networks::{Random, SHAPES};
use ownership::{
    Batch, Network, NetworkBuilder, OnClosed, Policies, Resolvent, Solver, dense_resolvent, integrated_ownership,
};

type Answer = Result<String, Box<dyn Error>>;

/// A network and all that was computed from it.
struct Ready {
    name: &'static str,
    network: Network,
    resolvent: Resolvent,
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give a folder for networks")?);
    let mut ready = None;
    let mut pool = rayon::ThreadPoolBuilder::new().build()?;
    for line in std::io::stdin().lines() {
        let line = line?;
        let (command, argument) = line.split_once(' ').unwrap_or((line.as_str(), ""));
        if command == "threads" {
            pool = rayon::ThreadPoolBuilder::new().num_threads(argument.parse()?).build()?;
            println!("{{}}");
            continue;
        }
        if command == "network" {
            drop(ready.take());
            let (made, answer) = make(argument, &folder)?;
            ready = Some(made);
            println!("{answer}");
            continue;
        }
        reset_peak();
        let before = peak_mib();
        let seconds =
            pool.install(|| measure(command, argument, &folder, ready.as_ref()).map_err(|e| e.to_string()))?;
        println!("{{{seconds}, \"mib_before\": {before}, \"mib_peak\": {}}}", peak_mib());
    }
    Ok(())
}

fn make(name: &str, folder: &Path) -> Result<(Ready, String), Box<dyn Error>> {
    let shape = *SHAPES
        .iter()
        .find(|shape| shape.name == name)
        .ok_or("no such network")?;
    let stakes = networks::stakes(shape);
    write_csv(&folder.join(format!("{name}.csv")), &stakes)?;
    let network = networks::build(&stakes)?;
    drop(stakes);
    write_columns(&folder.join(name), &network)?;
    let resolvent = Resolvent::new(&network, OnClosed::RingFence, &mut |_| Ok(()))?;
    let components = resolvent.components();
    let answer = format!(
        "{{\"companies\": {}, \"stakes\": {}, \"rings\": {}, \"largest\": {}, \"residual\": {:e}, \"balance\": {:e}}}",
        network.len(),
        network.stakes(),
        components.count,
        components.largest,
        resolvent.residual(),
        resolvent.balance(&network).largest_error,
    );
    let name = shape.name;
    Ok((
        Ready {
            name,
            network,
            resolvent,
        },
        answer,
    ))
}

fn measure(command: &str, argument: &str, folder: &Path, ready: Option<&Ready>) -> Answer {
    if command == "dense" {
        return dense(argument.parse()?);
    }
    let ready = ready.ok_or("make a network first")?;
    match command {
        "load" => load(&folder.join(format!("{}.csv", ready.name))),
        "vector-first" => {
            let start = Instant::now();
            let solver = Solver::direct(&ready.network, OnClosed::RingFence, &mut |_| Ok(()))?;
            let x = solver.solve(&values(&ready.network));
            Ok(seconds(start, &format!("\"sum\": {:e}", x.iter().sum::<f64>())))
        }
        "vector-again" => {
            let solver = Solver::direct(&ready.network, OnClosed::RingFence, &mut |_| Ok(()))?;
            let (values, mut x) = (values(&ready.network), Vec::new());
            solver.solve_into(&values, &mut x);
            let mut took = Vec::new();
            for _ in 0..argument.parse()? {
                let start = Instant::now();
                solver.solve_into(&values, &mut x);
                took.push(start.elapsed());
            }
            took.sort_unstable();
            let median = took.get(took.len() / 2).ok_or("at least once")?.as_secs_f64();
            Ok(format!("\"seconds\": {median}, \"sum\": {:e}", x.iter().sum::<f64>()))
        }
        "pairs" => pairs(&ready.network, &ready.resolvent, argument.parse()?),
        _ => Err(format!("no command {command:?}").into()),
    }
}

/// The value of each company, the same as in `run.py`.
fn values(network: &Network) -> Vec<f64> {
    (0..network.len()).map(|company| 1.0 + (company % 7) as f64).collect()
}

fn load(path: &Path) -> Answer {
    let start = Instant::now();
    let mut builder = NetworkBuilder::new(Policies::default());
    let mut file = File::open(path)?;
    let mut sink = |batch: &mut Batch| builder.append(batch);
    read_batches(&mut file, &ReadOptions::default(), &mut sink).map_err(|_| "the file cannot be read")?;
    let network = builder.finish()?;
    Ok(seconds(start, &format!("\"stakes\": {}", network.stakes())))
}

fn pairs(network: &Network, resolvent: &Resolvent, floor: f64) -> Answer {
    let order: Vec<u32> = (0..u32::try_from(network.len())?).collect();
    let start = Instant::now();
    let (mut pairs, mut mass) = (0, 0.0);
    let left_out = integrated_ownership(network, resolvent, floor, &order, &mut |_| Ok(()), &mut |_, found| {
        pairs += found.len();
        mass += found.iter().map(|pair| pair.integrated).sum::<f64>();
        Ok(())
    })?;
    let found = format!(
        "\"pairs\": {pairs}, \"mass\": {mass}, \"left_out_pairs\": {}, \"left_out_mass\": {}",
        left_out.pairs, left_out.mass
    );
    Ok(seconds(start, &found))
}

fn dense(size: usize) -> Answer {
    let mut random = Random(1);
    let mut shares: Vec<f64> = (0..size * size).map(|_| random.unit()).collect();
    for column in shares.chunks_mut(size) {
        let sum: f64 = column.iter().sum();
        column.iter_mut().for_each(|share| *share *= 0.99 / sum);
    }
    let leaks = vec![0.01; size];
    let start = Instant::now();
    let v = dense_resolvent(shares, leaks, &mut |_| Ok(()))?.ok_or("the ring is not closed")?;
    Ok(seconds(
        start,
        &format!("\"trace\": {}", (0..size).map(|i| v[i * size + i]).sum::<f64>()),
    ))
}

fn seconds(start: Instant, more: &str) -> String {
    format!("\"seconds\": {}, {more}", start.elapsed().as_secs_f64())
}

fn write_csv(path: &Path, stakes: &[(usize, usize, u32)]) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "owner,owned,share")?;
    for &(owner, owned, share) in stakes {
        let (owner, owned) = (networks::name(owner), networks::name(owned));
        writeln!(file, "{owner},{owned},{}.{:06}", share / 1_000_000, share % 1_000_000)?;
    }
    Ok(file.flush()?)
}

/// W by columns, as arrays of 32-bit starts and holders and of 64-bit shares.
fn write_columns(path: &Path, network: &Network) -> Result<(), Box<dyn Error>> {
    let file = |part: &str| File::create(path.with_extension(part)).map(BufWriter::new);
    let (mut starts, mut holders, mut shares) = (file("starts")?, file("holders")?, file("shares")?);
    let mut end = 0_u32;
    starts.write_all(&end.to_le_bytes())?;
    for company in 0..u32::try_from(network.len())? {
        for (holder, share) in network.holders(company) {
            holders.write_all(&holder.to_le_bytes())?;
            shares.write_all(&share.to_le_bytes())?;
            end += 1;
        }
        starts.write_all(&end.to_le_bytes())?;
    }
    starts.flush()?;
    holders.flush()?;
    Ok(shares.flush()?)
}

/// Lets the peak of memory start again from what is used now.
fn reset_peak() {
    // Where the system has no such file, the peak is that of the whole run.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that the process has had, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next())
        .and_then(|kib| kib.parse().ok())
        .map_or(0, |kib: u64| kib / 1024)
}
