//! The binary `stakegraph`, as the tests start it; `stakegraph-under-test system DATA` is the same system by settings
//! that the command line does not offer.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next(), arguments.next()) {
        (Some(command), Some(data)) if command == "system" => system_tests::under_test::main(data.into()),
        _ => local::main(),
    }
}
