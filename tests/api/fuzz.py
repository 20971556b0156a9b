"""Sends the API what its contract allows and what it forbids, for a bounded time, against a server of its own.

Usage: fuzz.py BINARY [SECONDS]. Exit status 0 if nothing was answered with a 5xx and every answer is as the contract says.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).parent
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def main(binary: str, seconds: str = "60") -> int:
    data = tempfile.mkdtemp(prefix="stakegraph-fuzz-")
    server = subprocess.Popen(
        [binary, "serve", "--listen", "127.0.0.1:0", "--data", data],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = server.stderr.readline()
        # What the server says on is read, or it would wait for somebody to read it.
        threading.Thread(target=server.stderr.read, daemon=True).start()
        found = re.search(r"http://[0-9.:]+", line)
        if not found:
            sys.exit(f"{binary} does not listen: {line}")
        return fuzz(found.group(), seconds, data)
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(data, ignore_errors=True)


def fuzz(url: str, seconds: str, folder: str) -> int:
    command = [
        Path(sys.executable).parent / "schemathesis",
        "run",
        f"{url}/openapi.json",
        f"--max-time={seconds}",
        f"--checks={CHECKS}",
        "--generation-database=none",
        "--max-redirects=0",
        "--seed=1",
        "--no-color",
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "NO_PROXY": "127.0.0.1"}
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
