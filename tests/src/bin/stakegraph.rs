//! The binary `stakegraph`, as the tests start it.

use std::process::ExitCode;

fn main() -> ExitCode {
    local::main()
}
