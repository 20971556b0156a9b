//! Seconds and rows of each measure on a network of yours:
//!
//! `cargo bench -p ownership --bench job_types -- STAKES.csv`, a file with the header
//! `owner,owned,share` and no quotes.
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::time::Instant;

use ownership::{
    BeneficialRules, ChainLimits, ControlEdges, ControlModel, Network, NetworkBuilder, OnClosed, PairLimits, Policies,
    Resolvent, Share, Unit, beneficial_owners, bow_tie, company_control, explain, network_control,
};

fn read(path: &str) -> Network {
    let text = std::fs::read_to_string(path).unwrap();
    let mut builder = NetworkBuilder::new(Policies::default());
    for (row, line) in (2..).zip(text.lines().skip(1)) {
        let fields: Vec<&str> = line.split(',').collect();
        let share = Share::parse(fields[2], Unit::Fraction).unwrap();
        builder.add(fields[0], fields[1], share, row).unwrap();
    }
    builder.finish().unwrap()
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn timed<T>(step: &str, work: impl FnOnce() -> T, rows: impl FnOnce(&T) -> usize) -> T {
    let start = Instant::now();
    let done = work();
    println!(
        "{step:<24}{:>9.3} s{:>12} rows",
        start.elapsed().as_secs_f64(),
        rows(&done)
    );
    done
}

fn main() {
    let Some(path) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        return;
    };
    let share = |text| Share::parse(text, Unit::Fraction).unwrap();
    let network = timed("build", || read(&path), Network::len);
    let solve = |network: &Network| Resolvent::new(network, OnClosed::RingFence, &mut |_| Ok(())).unwrap();
    let resolvent = timed("resolvent", || solve(&network), |_| 0);
    let half = share("0.5");
    timed(
        "company control",
        || {
            company_control(
                &network,
                &resolvent,
                half,
                ControlEdges::Ignore,
                usize::MAX,
                &mut |_| Ok(()),
            )
            .unwrap()
        },
        Vec::len,
    );
    let values = vec![1.0; network.len()];
    timed(
        "network control",
        || network_control(&network, &resolvent, &values),
        Vec::len,
    );
    timed("bow-tie", || bow_tie(&network), Vec::len);
    for model in [ControlModel::Threshold, ControlModel::Relative] {
        timed(
            &format!("{model:?} model"),
            || {
                let control = model.apply(&network);
                network_control(&control, &solve(&control), &values)
            },
            Vec::len,
        );
    }
    let rules = BeneficialRules {
        interest: share("0.25"),
        inclusive: true,
        control: half,
        edges: ControlEdges::Ignore,
    };
    let owners = timed(
        "beneficial owners",
        || beneficial_owners(&network, &resolvent, rules, PairLimits::default(), &mut |_| Ok(())).unwrap(),
        Vec::len,
    );
    let limits = ChainLimits { chains: 5, steps: 128 };
    timed(
        "their chains",
        || explain(&network, &resolvent, &owners, limits),
        Vec::len,
    );
}
