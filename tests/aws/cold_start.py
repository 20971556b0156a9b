"""How long each function takes from the start of its process to its first request for work, and how large it is.

    python cold_start.py FOLDER [ROUNDS]

FOLDER holds a folder for each function, as `sam build` and `cargo lambda build` leave them, with `bootstrap` or
`bootstrap.zip` inside. A stub plays the runtime interface that Lambda offers to a function; functions take turns, so that
what the machine does meanwhile hits all alike. What Lambda does before it starts the process is not in the figures.
"""

import http.server
import io
import os
import pathlib
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", ""),
    "AWS_LAMBDA_FUNCTION_NAME": "cold-start",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "stub",
    "AWS_SECRET_ACCESS_KEY": "stub",
    "TABLE": "stub",
    "BUCKET": "stub",
    "JOBS_QUEUE_URL": "http://127.0.0.1:9/jobs",
    "CALLBACKS_QUEUE_URL": "http://127.0.0.1:9/callbacks",
    "WEBHOOK_SECRET": "whsec_" + "A" * 44,
}


class Stub(http.server.BaseHTTPRequestHandler):
    """Notes when it is asked for work, and leaves the asker waiting."""

    asked: "queue.Queue[float | RuntimeError]" = queue.Queue()

    def do_GET(self):
        self.asked.put(time.perf_counter())
        self.connection.settimeout(None)
        self.rfile.read(1)  # Ends when the function is gone.

    def do_POST(self):
        reason = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.asked.put(RuntimeError(f"a function could not start: {reason.decode()}"))

    def log_message(self, *_):
        pass


def binaries(folder, scratch):
    """Name, path of the binary, and size of the zip of each function."""
    for inside in sorted(path for path in folder.iterdir() if path.is_dir()):
        binary, packed = inside / "bootstrap", inside / "bootstrap.zip"
        if packed.exists():
            zipfile.ZipFile(packed).extract("bootstrap", scratch / inside.name)
            binary = scratch / inside.name / "bootstrap"
            binary.chmod(0o755)
            yield inside.name, binary, packed.stat().st_size
        elif binary.exists():
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as written:
                written.write(binary, "bootstrap")
            yield inside.name, binary, buffer.tell()


def start(binary, address):
    """Milliseconds from the start of the process to its first request for work."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(binary)], env=ENVIRONMENT | {"AWS_LAMBDA_RUNTIME_API": address}, stdout=subprocess.DEVNULL
    )
    try:
        asked = Stub.asked.get(timeout=10)
        if isinstance(asked, RuntimeError):
            raise asked
        return (asked - began) * 1000
    finally:
        process.kill()
        process.wait()


def main():
    folder = pathlib.Path(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as scratch:
        functions = list(binaries(folder, pathlib.Path(scratch)))
        if not functions:
            sys.exit(f"no function in {folder}: run `make test-aws` or `cargo lambda build --release` first")
        taken = {name: [] for name, _, _ in functions}
        for _ in range(rounds):
            for name, binary, _ in functions:
                taken[name].append(start(binary, address))
        print(f"{'function':18}{'zip MB':>8}{'binary MB':>11}{'median ms':>11}{'p90 ms':>8}{'worst ms':>10}")
        for name, binary, size in functions:
            times = sorted(taken[name])
            print(
                f"{name:18}{size / 1e6:8.1f}{binary.stat().st_size / 1e6:11.1f}"
                f"{statistics.median(times):11.1f}{times[int(len(times) * 0.9)]:8.1f}{times[-1]:10.1f}"
            )


if __name__ == "__main__":
    main()
