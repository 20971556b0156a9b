"""Times this project and others side by side and writes RESULTS.md.

    run.py PROGRAM FOLDER RESULTS

PROGRAM is the benchmark program, FOLDER a place for networks (1 GB). Sides take
turns, so that what else the machine does hits both. Figures are medians, and in
brackets the fastest and slowest; of a repeat solve each is the median of several in a row.
"""

import json
import multiprocessing
import os
import platform
import queue
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

# Which kernels OpenBLAS uses is its own choice: NumPy is to be as fast as it can.
for name in ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]:
    os.environ.pop(name, None)

import numpy as np
import peers

FLOOR = 0.01
ROUNDS = 5

# Repeated solves come so many in a row, of which the median counts.
IN_A_ROW = 9

# Seconds after which a peer is ended.
SERIES_LIMIT = 100
SPLU_LIMIT = 20


# Runs a command; prints how it went.
WATCH = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, ended, used = os.wait4(process.pid, 0)
print(json.dumps({"ended": os.waitstatus_to_exitcode(ended), "seconds": time.perf_counter() - start,
    "processor": used.ru_utime + used.ru_stime, "bytes": used.ru_maxrss * 1024}))
"""


class Program:
    """The benchmark program, spoken to line by line."""

    def __init__(self, path, folder):
        self.process = subprocess.Popen(
            [path, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"the benchmark program ended at {command!r}")
        return json.loads(answer)

    def seconds(self, command):
        return self.ask(command)["seconds"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


@dataclass
class Row:
    """One line of the table."""

    what: str
    peer: str
    least: float | None
    goal: float | None
    ours: list = field(default_factory=list)
    theirs: list = field(default_factory=list)
    # The peer was ended after this time, so it is a bound and no measurement.
    unfinished: bool = False

    def run(self, ours, theirs, rounds=ROUNDS, their_rounds=None):
        """Both sides by turns."""
        for turn in range(rounds):
            self.ours.append(ours())
            if theirs and turn < (their_rounds or rounds):
                self.theirs.append(theirs())
        print(self.text(), flush=True)
        return self

    @staticmethod
    def span(seconds):
        if not seconds:
            return "-"
        shown = lambda s: f"{s * 1000:.1f} ms" if s < 1 else f"{s:.2f} s"
        middle = shown(statistics.median(seconds))
        return f"{middle} [{shown(min(seconds))}, {shown(max(seconds))}]" if len(seconds) > 1 else middle

    def ratio(self):
        return statistics.median(self.theirs) / statistics.median(self.ours) if self.theirs else None

    def text(self):
        ratio = self.ratio()
        wanted = "-" if self.least is None else f"{self.least:g}, {self.goal:g}"
        verdict = ""
        if ratio is not None and self.least is not None and not self.unfinished:
            verdict = "goal" if ratio >= self.goal else "floor" if ratio >= self.least else "missed"
        bound = "over " if self.unfinished else ""
        cells = [self.what, self.span(self.ours), self.peer, bound + self.span(self.theirs)]
        cells += ["-" if ratio is None else f"{bound}{ratio:.2f}", wanted, verdict]
        return "| " + " | ".join(cells) + " |"


def within(limit, function, *arguments):
    """What a function returns, or None if it is not done in `limit` seconds."""
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    process = context.Process(target=lambda: answers.put(function(*arguments)))
    process.start()
    try:
        return answers.get(timeout=limit)
    except queue.Empty:
        return None
    finally:
        process.kill()
        process.join()


def splu_seconds(system, ordering):
    """SciPy's sparse LU and one solve."""
    from scipy.sparse.linalg import splu

    vector = peers.values(system.shape[0])
    options = {"SymmetricMode": True} if ordering == "MMD_AT_PLUS_A" else {}
    solve = lambda: splu(system, permc_spec=ordering, diag_pivot_thresh=0.0, options=options).solve(vector)
    return peers.timed(solve)[0]


def product_bound(size, row):
    """What no inverse of this kind can surpass here: its operations at the speed of NumPy's product."""
    factor = np.random.default_rng(2).random((size, size))
    product = min(peers.timed(lambda: factor @ factor)[0] for _ in range(ROUNDS))
    return (
        f"NumPy multiplies two matrices of n = {size}, 2 n^3 operations as in our inverse, in {product * 1000:.0f} ms: at "
        f"that speed the ratio to `inv` would be {statistics.median(row.theirs) / product:.2f}."
    )


def dense(program, notes):
    rows = []
    for size, rounds in [(500, 15), (1000, 9), (2000, ROUNDS), (4000, 3)]:
        matrix = peers.dense_matrix(size)
        least, goal = (2.5, 3.0) if size == 2000 else (None, None)
        row = Row(f"dense inverse, n = {size}", "NumPy `inv`", least, goal)
        ours = lambda size=size: program.seconds(f"dense {size}")
        rows.append(row.run(ours, lambda matrix=matrix: peers.numpy_inverse(matrix), rounds))
        if size == 2000:
            notes.append(product_bound(size, row))
            row = Row(f"the same, n = {size}", "pymrio `calc_L`", None, None)
            rows.append(row.run(ours, lambda matrix=matrix: peers.pymrio_inverse(matrix), rounds))
    return rows


def vectors(program, matrix, klu, name):
    system = peers.identity_minus(matrix)
    vector = peers.values(system.shape[0])

    def first():
        return peers.timed(lambda: (klu.factor(system), klu.solve(vector)))[0]

    def again():
        klu.solve(vector)
        return statistics.median(peers.timed(lambda: klu.solve(vector))[0] for _ in range(IN_A_ROW))

    klu.factor(system)
    expected = klu.solve(vector).sum()
    found = program.ask("vector-again 1")["sum"]
    if abs(found - expected) > 1e-9 * expected:
        raise SystemExit(f"sums differ: {found} and {expected}")
    wanted = (4, 7, 5, 7) if name == "600k" else (None,) * 4
    rows = [
        Row(f"{name}: one vector, from edges in memory", "KLU", *wanted[:2]).run(
            lambda: program.seconds("vector-first"), first
        ),
        Row(f"{name}: repeat solve", "KLU", *wanted[2:]).run(
            lambda: program.seconds(f"vector-again {IN_A_ROW}"),
            again,
        ),
    ]
    klu.free()
    klu.numeric = None
    return rows


def pairs(program, matrix, name, wanted, notes):
    row = Row(f"{name}: all pairs at {FLOOR}, one thread", "SciPy series", *wanted)
    last = {}

    def ours():
        last.update(program.ask(f"pairs {FLOOR}"))
        return last["seconds"]

    series = "was not tried"

    def theirs():
        nonlocal series
        done = within(SERIES_LIMIT, lambda: peers.timed(lambda: peers.series(matrix, FLOOR)))
        series = f"found {done[1]:,}" if done else f"was not done in {SERIES_LIMIT} s"
        row.unfinished = not done
        return done[0] if done else SERIES_LIMIT

    program.ask("threads 1")
    rows = [row.run(ours, None if name == "4M" else theirs, 3, 1)]
    program.ask(f"threads {os.cpu_count()}")
    rows.append(Row(f"{name}: the same, {os.cpu_count()} threads", "SciPy series", None, None, theirs=row.theirs, unfinished=row.unfinished))
    rows[-1].run(ours, None, 3)
    most = {"600k": 500, "4M": 1300}.get(name)
    bound = f" (wanted: {most} MB, {verdict(last['mib_peak'] * 1.048576 < most)})" if most else ""
    notes.append(
        f"{name}: {last['pairs']:,} pairs of mass {last['mass']:.0f}; {last['left_out_pairs']:,} pairs of mass "
        f"{last['left_out_mass']:.0f} are below the floor. The series {series}. Memory "
        f"{last['mib_before']} MiB before, {last['mib_peak']} MiB at most{bound}."
    )
    return rows


def verdict(met):
    return "met" if met else "missed"


def job(folder, rows, notes):
    """The whole job as a user runs it: database, files and reports included."""
    build = ["cargo", "build", "--release", "--locked", "--package", "local", "--bin", "stakegraph"]
    if subprocess.run(build, stderr=subprocess.DEVNULL).returncode:
        notes.append("600k: the whole job was not measured, because stakegraph could not be built.")
        return
    out = os.path.join(folder, "job")
    # At the default floor of 0.0001 the result has hundreds of millions of rows: all of the time is then their writing.
    command = ["target/release/stakegraph", "run", "integrated-ownership", os.path.join(folder, "600k.csv"), "--out", out]
    command += ["--param", f"floor={FLOOR}"]
    # By a process of its own: what the system calls a process's most memory begins with that of who started it.
    outcome = json.loads(subprocess.run([sys.executable, "-c", WATCH, *command], stdout=subprocess.PIPE, text=True).stdout)
    seconds = outcome["seconds"]
    if outcome["ended"]:
        notes.append(f"600k: the whole job ended with {outcome['ended']}.")
        return
    rows.append(Row(f"600k: whole job, floor {FLOOR}", "-", None, None, ours=[seconds]))
    notes.append(f"600k, whole job at {FLOOR} (the default floor, 0.0001, was not tried): {told(out, outcome)}")


def told(out, outcome):
    """Where the time of a whole job went; `outcome` is what `WATCH` says of its process."""
    seconds = outcome["seconds"]
    with open(os.path.join(out, "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    stages = summary["stages"]
    count = summary["result"]["rows"]
    size = sum(os.path.getsize(os.path.join(out, name)) for name in ["result.csv", "result.parquet"])
    # Those of `reporting` are until the rows were written: the summary is written after them.
    rest = seconds - sum(stages.values())
    shown = ", ".join(f"{name} {took:.1f} s" for name, took in stages.items())
    memory = outcome["bytes"] / 1e6
    return (
        f"{shown}, the rest and fetching the files {rest:.1f} s; {seconds:.1f} s in all (wanted: 10, "
        f"{verdict(seconds < 10)}), {outcome['processor']:.1f} s of processor time. {count:,} rows, "
        f"{count / seconds / 1e6:.2f} million a second, {size / 1e6:.0f} MB of files; memory at most {memory:.0f} MB "
        f"(wanted: 2000, {verdict(memory < 2000)})."
    )


def networks(program, folder, klu, rows, notes, write):
    write()
    wanted = {"600k": (80, 190), "4M": (None, None), "UK": (10, 20)}
    for name in ["600k", "4M", "UK"]:
        made = program.ask(f"network {name}")
        notes.append(
            f"{name}: {made['companies']:,} companies, {made['stakes']:,} stakes, {made['rings']:,} rings, the largest "
            f"of {made['largest']:,}; residual {made['residual']:.1e}, owners add up to 1 within {made['balance']:.1e}."
        )
        matrix = peers.read_network(folder, name)
        load = Row(f"{name}: loading CSV", "polars, interned", *((4, 7) if name == "600k" else (None, None)))
        path = os.path.join(folder, f"{name}.csv")
        rounds = ROUNDS if name == "600k" else 2
        rows.append(load.run(lambda: program.seconds("load"), lambda: peers.polars_load(path), rounds))
        rows += vectors(program, matrix, klu, name)
        rows += pairs(program, matrix, name, wanted[name], notes)
        write()


def growth(rows, notes):
    """How 4 million companies compare with 600,000, for the part of each."""
    size = {"600k": 600_508 + 1_006_987, "4M": 3_900_000 + 6_000_000}
    seconds = {row.what: statistics.median(row.ours) for row in rows}
    for what in ["loading CSV", "one vector, from edges in memory", f"all pairs at {FLOOR}, one thread"]:
        factor = seconds[f"4M: {what}"] / seconds[f"600k: {what}"] / (size["4M"] / size["600k"])
        notes.append(f"4M against 600k, {what}: {factor:.2f} times linear (wanted: 1.2, {verdict(factor < 1.2)}).")


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii") as lines:
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    load = os.getloadavg()[0]
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip()
    found = [f"{model}, {os.cpu_count()} cores, load {load:.1f} before the run", platform.platform(), rust]
    return found + [f"Python {platform.python_version()}"] + peers.versions()


def write(path, rows, notes, about, start):
    """The file of results, as far as there are any."""
    text = ["# Benchmark", "", f"`make bench` writes this file. Medians, and in brackets the fastest and slowest; of a repeat solve each is the median of {IN_A_ROW} in a row.", ""]
    text += ["| what | stakegraph | peer | its time | ratio | floor, goal | met |", "|---|---|---|---|---|---|---|"]
    text += [row.text() for row in rows] + [""] + [f"- {note}" for note in notes]
    text += ["", "## Machine and versions", ""] + [f"- {line}" for line in about]
    text += ["", f"The run took {(time.perf_counter() - start) / 60:.1f} minutes; load at its end {os.getloadavg()[0]:.1f}."]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(text) + "\n")


def main():
    path, folder, results = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    start, notes, about = time.perf_counter(), [], machine()
    klu = peers.Klu()
    program = Program(path, folder)
    rows = dense(program, notes)
    networks(program, folder, klu, rows, notes, lambda: write(results, rows, notes, about, start))
    program.close()
    growth(rows, notes)
    job(folder, rows, notes)
    system = peers.identity_minus(peers.read_network(folder, "600k"))
    for ordering in ["COLAMD", "MMD_AT_PLUS_A"]:
        took = within(SPLU_LIMIT, splu_seconds, system, ordering)
        took = f"not done in {SPLU_LIMIT} s" if took is None else f"{took:.2f} s"
        notes.append(f"600k: SciPy `splu`, {ordering}: {took}.")
    write(results, rows, notes, about, start)


if __name__ == "__main__":
    main()
