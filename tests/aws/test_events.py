"""The events of `tests/events`, handed to the real binaries as Lambda hands them over."""

import json

import pytest

from conftest import ROOT

EVENTS = ROOT / "tests" / "events"
PLACEHOLDERS = ["01920000-0000-7000-8000-000000000001", "01920000-0000-7000-8000-000000000002"]
JOB = {"type": "structure", "input": {"stakes": [{"owner": "A", "owned": "B", "share": 0.6}]}}


def invoke(stack, name, job_ids=()):
    """What the function that `name` begins with answers to the event."""
    text = (EVENTS / f"{name}.json").read_text()
    for placeholder, job_id in zip(PLACEHOLDERS, job_ids):
        text = text.replace(placeholder, job_id)
    function = stack.outputs[f"{name.split('-')[0].capitalize()}FunctionName"]
    answer = stack.client("lambda").invoke(FunctionName=function, Payload=text)
    payload = answer["Payload"].read()
    assert "FunctionError" not in answer, payload
    return json.loads(payload or b"null")


@pytest.fixture
def waiting(stack):
    """Makes jobs whose messages nobody receives."""
    with stack.without_source("Worker"):
        yield lambda: stack.submit(JOB)
        stack.client("sqs").purge_queue(QueueUrl=stack.outputs["JobsQueueUrl"])


def test_one_message_runs_one_job(stack, waiting):
    job_id = waiting()
    assert invoke(stack, "worker-one", [job_id]) == {"batchItemFailures": []}
    assert stack.ended(job_id)["status"] == "SUCCESS"


def test_several_messages_run_several_jobs(stack, waiting):
    jobs = [waiting(), waiting()]
    assert invoke(stack, "worker-several", jobs) == {"batchItemFailures": []}
    assert [stack.ended(job_id)["status"] for job_id in jobs] == ["SUCCESS", "SUCCESS"]


def test_a_message_that_comes_twice_starts_work_once(stack, waiting):
    job_id = waiting()
    assert invoke(stack, "worker-duplicate", [job_id]) == {"batchItemFailures": []}
    assert stack.ended(job_id)["attempt"] == 1


def test_of_a_batch_only_what_cannot_be_read_comes_again(stack, waiting):
    job_id = waiting()
    answer = invoke(stack, "worker-malformed", [job_id])
    assert answer == {"batchItemFailures": [{"itemIdentifier": "00000000-0000-4000-8000-000000000001"}]}
    assert stack.ended(job_id)["status"] == "SUCCESS"


@pytest.mark.parametrize("name", ["worker-unknown-job", "notifier-one"])
def test_a_job_that_nobody_knows_is_no_failure(stack, name):
    assert invoke(stack, name) == {"batchItemFailures": []}


def test_the_schedule_sweeps(stack):
    invoke(stack, "sweeper-scheduled")


@pytest.mark.parametrize("name", ["api-submit", "api-submit-base64"])
def test_a_job_is_taken_plain_and_in_base64(stack, name):
    answer = invoke(stack, name)
    assert answer["statusCode"] == 202, answer
    assert stack.ended(json.loads(answer["body"])["id"])["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("api-no-headers", 415, "unsupported_media_type"),
        ("api-wrong-method", 405, "method_not_allowed"),
        ("api-bad-body", 400, "malformed_json"),
    ],
)
def test_a_request_that_cannot_be_served_gets_a_problem(stack, name, status, code):
    answer = invoke(stack, name)
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["code"]) == (status, code), answer


def test_jobs_are_listed(stack):
    newest = stack.submit(JOB)
    answer = invoke(stack, "api-list")
    assert answer["statusCode"] == 200
    assert [job["id"] for job in json.loads(answer["body"])["jobs"]] == [newest]
