#!/usr/bin/env python3
"""Seeds a bug into a copy of the project, runs the fault tests that must notice it, and says whether they do.

    tests/mutants.py [NAME]...

Names: no-epoch-check, no-transaction-at-finish, sweeper-off; all of them by default. The copy is built in the folder that
MUTANTS_TARGET_DIR names, or in target/mutants; not where the project itself is built, since cargo would take the one for
the other. Exit status 0: every bug was noticed.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Name: the file, what stands there, what the bug makes of it, the tests that must fail.
MUTANTS = {
    "no-epoch-check": (
        "shared/jobs/src/protocol.rs",
        "    if state.epoch != epoch {",
        "    if state.epoch < epoch {",
        ["faults_workers", "a_worker_that_wakes"],
    ),
    "no-transaction-at-finish": (
        "shared/jobs/src/store.rs",
        "        let puts = [job_put.build(), event_put.build()].into_iter().chain(with);",
        "        drop(job_put);\n"
        "        if let Write::Lost(found) = self.put_if(job_item(job, version)?, seen).await? {\n"
        "            return Ok(Write::Lost(found));\n"
        "        }\n"
        "        let puts = [event_put.build()].into_iter().chain(with);",
        ["faults_kill", "a_job_survives_a_kill_at_each_of_its_writes"],
    ),
    "sweeper-off": (
        "functions/sweeper/src/lib.rs",
        "    for thing in things {",
        "    for thing in things.into_iter().take(0) {",
        ["faults_sweeper", "sweep"],
    ),
}


def main(names):
    missed = [name for name in names or MUTANTS if not noticed(name)]
    if missed:
        sys.exit(f"not noticed: {', '.join(missed)}")


def noticed(name):
    file, right, wrong, (test, only) = MUTANTS[name]
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = pathlib.Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("target", ".git", ".venv", ".data*"))
        mutated = copy / file
        code = mutated.read_text()
        if code.count(right) != 1:
            sys.exit(f"{name}: {file} does not have exactly one {right!r}")
        mutated.write_text(code.replace(right, wrong))
        # What another mutant left in the same folder must not be taken for fresh.
        for other, *_ in MUTANTS.values():
            os.utime(copy / other)
        target = os.environ.get("MUTANTS_TARGET_DIR", str(ROOT / "target" / "mutants"))
        command = ["cargo", "test", "--locked", "--workspace", "--test", test]
        environment = {**os.environ, "CARGO_TARGET_DIR": target, "RUST_BACKTRACE": "0"}
        built = subprocess.run([*command, "--no-run"], cwd=copy, env=environment, capture_output=True, text=True)
        if built.returncode != 0:
            sys.exit(f"{name}: does not build\n{built.stderr}")
        ran = subprocess.run([*command, only], cwd=copy, env=environment, capture_output=True, text=True)
    failed = [line for line in ran.stdout.splitlines() if line.startswith("test ") and line.endswith("FAILED")]
    reasons = [line for line in (ran.stdout + ran.stderr).splitlines() if line.startswith(("killed at", "gave up"))]
    print(f"{name}: {'noticed' if failed else 'NOT NOTICED'}", *failed, *(line[:300] for line in reasons[:3]), sep="\n    ")
    return bool(failed)


if __name__ == "__main__":
    main(sys.argv[1:])
