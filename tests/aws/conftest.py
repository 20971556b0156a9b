"""The stack of `infra/template.yaml`, deployed by `sam deploy` to MiniStack: AWS on this machine, one process, on loopback.

MiniStack runs the functions that `sam build` made, as processes, behind its own API Gateway, event source mappings and
IAM. Nothing here knows more of the stack than its outputs.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import string
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import pytest
import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ROOT = pathlib.Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
BUILD = pathlib.Path(os.environ.get("BUILD", INFRA / ".aws-sam" / "build"))
SAM = INFRA / ".venv" / "bin" / "sam"
REGION = "us-east-1"
STACK = "stakegraph"
ADMIN = {"AWS_ACCESS_KEY_ID": "admin", "AWS_SECRET_ACCESS_KEY": "admin", "AWS_DEFAULT_REGION": REGION}

# Callbacks to this machine, and a sweeper that soon misses what is late.
# MiniStack leaves the format of logs to the function.
TEST_SETTINGS = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "ALLOW_LOOPBACK_CALLBACKS": "true", "GRACE_MS": "1000"}


def until(wanted, what, seconds=60):
    """The first true value of `wanted`, which is asked again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := wanted():
            return value
        time.sleep(0.1)
    pytest.fail(f"{what}: not within {seconds} s")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def ministack(folder):
    """MiniStack, with what it and its functions leave behind in `folder`; its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AWS_ENDPOINT_URL": url,
        "AUTH": "true",
        **ADMIN,
    }
    log = open(folder / "ministack.log", "w", encoding="utf-8")
    process = subprocess.Popen(
        [str(pathlib.Path(sys.executable).with_name("ministack"))],
        env=environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        until(lambda: process.poll() is not None or answers(f"{url}/_ministack/health"), "MiniStack answers")
        assert process.poll() is None, (folder / "ministack.log").read_text()
        yield url
    finally:
        # Its functions are processes of its group.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        log.close()


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=2).status == 200
    except OSError:
        return False


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, as the functions that they stand for."""


def short_form(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    construct = loader.construct_sequence if isinstance(node, yaml.SequenceNode) else loader.construct_mapping
    return {name: construct(node, deep=True)}


Loader.add_multi_constructor("!", short_form)


def load(path):
    return yaml.load(pathlib.Path(path).read_text(), Loader)  # noqa: S506, a loader of plain data


def for_ministack(template):
    """The built template, but for three things that MiniStack does in another way. It leaves text where CloudFormation
    makes a number of a parameter; it makes secrets of punctuation even where none was wanted; and it speaks plain HTTP
    here, which the policies of bucket and queues refuse."""
    numbers = {
        name: int(parameter["Default"])
        for name, parameter in template["Parameters"].items()
        if parameter["Type"] == "Number"
    }

    def replaced(value):
        if isinstance(value, dict):
            if value.get("Ref") in numbers:
                return numbers[value["Ref"]]
            # Variables are text in both.
            return {key: inner if key == "Environment" else replaced(inner) for key, inner in value.items()}
        return [replaced(inner) for inner in value] if isinstance(value, list) else value

    resources = {
        name: replaced(resource)
        for name, resource in template["Resources"].items()
        if resource["Type"] not in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy")
    }
    for resource in resources.values():
        wanted = resource.get("Properties", {}).get("GenerateSecretString", {})
        if wanted.get("ExcludePunctuation"):
            wanted["ExcludeCharacters"] = string.punctuation
    return template | {"Resources": resources}


class Stack:
    """A deployed stack and those who use it."""

    def __init__(self, url, folder):
        self.url = url
        self.folder = folder

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ADMIN["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ADMIN["AWS_SECRET_ACCESS_KEY"],
        )

    def deploy(self, *parameters):
        if not (BUILD / "template.yaml").exists():
            pytest.exit(f"no functions in {BUILD}: `make test-aws` builds them first", 2)
        template = BUILD / "template.ministack.json"
        template.write_text(json.dumps(for_ministack(load(BUILD / "template.yaml"))))
        command = [SAM, "deploy", "--template-file", template, "--stack-name", STACK, "--region", REGION]
        command += ["--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--no-confirm-changeset"]
        command += ["--no-progressbar", "--parameter-overrides", *parameters]
        environment = {**os.environ, **ADMIN, "AWS_ENDPOINT_URL": self.url, "SAM_CLI_TELEMETRY": "0"}
        done = subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        described = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        functions = self.client("lambda")
        for name in ("Api", "Worker", "Notifier", "Sweeper"):
            function = self.outputs[f"{name}FunctionName"]
            now = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
            functions.update_function_configuration(
                FunctionName=function, Environment={"Variables": now | TEST_SETTINGS}
            )

    def request(self, method, path, body=None, headers=None, sign=True):
        """Asks the API as a caller with credentials of the account does: status, headers and JSON."""
        address = self.outputs["ApiUrl"].split("://")[1]
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"host": address, **({"content-type": "application/json"} if data else {}), **(headers or {})}
        if sign:
            request = AWSRequest(method, f"http://{address}{path}", headers, data)
            keys = Credentials(ADMIN["AWS_ACCESS_KEY_ID"], ADMIN["AWS_SECRET_ACCESS_KEY"])
            SigV4Auth(keys, "execute-api", REGION).add_auth(request)
            headers = dict(request.headers.items())
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with no_redirects.open(request, timeout=60) as response:
                return response.status, response.headers, parsed(response.read())
        except urllib.error.HTTPError as error:
            return error.code, error.headers, parsed(error.read())

    def submit(self, job, **headers):
        status, _, answer = self.request("POST", "/jobs", job, headers)
        assert status == 202, answer
        return answer["id"]

    def ended(self, job_id, seconds=60):
        def look():
            status, _, job = self.request("GET", f"/jobs/{job_id}")
            assert status == 200, job
            return job if job["status"] in ("SUCCESS", "FAILURE", "REVOKED") else None

        return until(look, f"job {job_id} ends", seconds)

    def messages(self, queue):
        attributes = self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs[queue],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(int(count) for count in attributes.values())

    def lines(self, function):
        """What a function wrote to its log: a JSON object a line. What the runtime wrote is text, and left out."""
        logs = self.client("logs")
        [group] = [one for one in logs.describe_log_groups()["logGroups"] if f"{function}Log" in one["logGroupName"]]
        found = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for event in found.search("events[]"):
            for line in event["message"].splitlines():
                if line.startswith("{"):
                    yield json.loads(line)

    @contextlib.contextmanager
    def without_source(self, function):
        """While nobody takes messages to a function."""
        functions = self.client("lambda")
        mappings = functions.list_event_source_mappings(FunctionName=self.outputs[f"{function}FunctionName"])
        identity = mappings["EventSourceMappings"][0]["UUID"]

        def switch(on):
            functions.update_event_source_mapping(UUID=identity, Enabled=on)
            wanted = "Enabled" if on else "Disabled"
            state = lambda: functions.get_event_source_mapping(UUID=identity)["State"]
            until(lambda: state() == wanted, f"the event source is {wanted}")

        switch(False)
        try:
            yield
        finally:
            switch(True)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


no_redirects = urllib.request.build_opener(NoRedirects)


def parsed(body):
    try:
        return json.loads(body)
    except ValueError:
        return body


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("ministack")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def stack(folder):
    architecture = "arm64" if os.uname().machine in ("aarch64", "arm64") else "x86_64"
    with ministack(folder) as url:
        stack = Stack(url, folder)
        stack.deploy(f"Architecture={architecture}")
        yield stack
