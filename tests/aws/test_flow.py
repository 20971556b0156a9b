"""A job from POST to report, through the real binaries, with the rights of the template and no others."""

import hashlib
import hmac
import base64
import http.server
import json
import queue
import threading
import urllib.request
import uuid

import pytest

from conftest import until

FOO_AND_BAR = [
    {"owner": "A", "owned": "Foo", "share": 0.33},
    {"owner": "Bar", "owned": "Foo", "share": 0.34},
    {"owner": "C", "owned": "Foo", "share": 0.33},
    {"owner": "Foo", "owned": "Bar", "share": 0.5},
    {"owner": "B", "owned": "Bar", "share": 0.5},
]
JOB = {"type": "integrated-ownership", "input": {"stakes": FOO_AND_BAR}}


class Receiver:
    """Whoever wants to be told."""

    def __init__(self):
        received = self.received = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                received.put((self.path, self.headers, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()


def test_a_post_is_answered_by_the_api_and_finished_by_the_worker(stack, receiver):
    job_id = stack.submit(JOB | {"callback_url": receiver.url + "/done/{job_id}"})
    job = stack.ended(job_id)
    assert (job["status"], job["percentage"], job["attempt"]) == ("SUCCESS", 100, 1), job

    # The published value of a talk's example: 0.5 * 0.34 / (1 - 0.34 * 0.5).
    _, _, foo = stack.request("GET", f"/jobs/{job_id}/companies/Foo")
    share = {row["owner"]: row["integrated"] for row in foo["rows"]}
    assert share["B"] == pytest.approx(0.20481928, abs=1e-8)

    for report in job["reports"]:
        status, headers, _ = stack.request("GET", f"/jobs/{job_id}/reports/{report['name']}")
        assert status == 302
        content = urllib.request.urlopen(headers["location"]).read()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (report["size"], report["sha256"])

    path, headers, body = receiver.received.get(timeout=30)
    assert path == f"/done/{job_id}"
    assert json.loads(body)["type"] == "job.succeeded"
    secret = stack.client("secretsmanager").get_secret_value(SecretId=stack.outputs["WebhookSecretArn"])["SecretString"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(base64.b64decode(secret), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    delivered = lambda: stack.request("GET", f"/jobs/{job_id}/deliveries")[2]["delivery"] == "delivered"
    until(delivered, "the delivery is recorded")


def test_a_file_goes_up_by_a_signed_url(stack):
    content = b"owner,owned,share\nA,B,0.6\nB,C,0.5\n"
    status, _, upload = stack.request("POST", "/uploads", {"size": len(content)})
    assert status == 201, upload
    put = urllib.request.Request(upload["url"], content, upload["headers"], method="PUT")
    assert urllib.request.urlopen(put).status == 200
    job = stack.ended(stack.submit({"type": "structure", "input": {"upload": upload["id"]}}))
    assert job["status"] == "SUCCESS", job


def test_an_upload_that_never_came_is_named(stack):
    status, _, problem = stack.request("POST", "/jobs", JOB | {"input": {"upload": str(uuid.uuid4())}})
    assert (status, problem["code"]) == (400, "upload_not_found"), problem


def test_bad_data_ends_as_failure_with_the_row(stack):
    job_id = stack.submit(JOB | {"input": {"stakes": [{"owner": "A", "owned": "B", "share": -0.1}]}})
    job = stack.ended(job_id)
    assert job["status"] == "FAILURE", job
    assert "-0.1" in json.dumps(job["error"]), job


def test_who_is_not_of_the_account_is_refused(stack):
    status, _, _ = stack.request("GET", "/jobs", sign=False)
    assert status == 403


def test_jobs_are_listed_revoked_and_retried(stack):
    job_id = stack.submit(JOB)
    stack.ended(job_id)
    _, _, listed = stack.request("GET", "/jobs?limit=50")
    assert job_id in [job["id"] for job in listed["jobs"]]
    status, _, problem = stack.request("POST", f"/jobs/{job_id}/revoke")
    assert (status, problem["code"]) == (409, "job_ended"), problem
    failed = stack.submit(JOB | {"input": {"stakes": [{"owner": "A", "owned": "B", "share": -1}]}})
    assert stack.ended(failed)["status"] == "FAILURE"
    status, _, again = stack.request("POST", f"/jobs/{failed}/retry")
    assert status == 202, again
    assert stack.ended(again["id"])["retry_of"] == failed


def test_a_key_makes_a_repeated_request_the_same_job(stack):
    key = {"Idempotency-Key": str(uuid.uuid4())}
    assert stack.submit(JOB, **key) == stack.submit(JOB, **key)


def test_the_sweeper_wakes_a_job_whose_message_was_lost(stack):
    with stack.without_source("Worker"):
        job_id = stack.submit(JOB)
        stack.client("sqs").purge_queue(QueueUrl=stack.outputs["JobsQueueUrl"])
        until(lambda: stack.messages("JobsQueueUrl") == 0, "the message is lost")
    assert stack.request("GET", f"/jobs/{job_id}")[2]["status"] == "PENDING"

    def ended():
        # On AWS a schedule does this each minute.
        answer = stack.client("lambda").invoke(FunctionName=stack.outputs["SweeperFunctionName"], Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()
        return stack.request("GET", f"/jobs/{job_id}")[2]["status"] == "SUCCESS"

    until(ended, "the job whose message was lost ends", 90)


def test_a_message_that_nobody_can_read_becomes_a_dead_letter_and_blocks_nobody(stack):
    sqs, dead = stack.client("sqs"), stack.outputs["JobsDeadLettersUrl"]
    # As the template has it, but for the wait between two receives.
    sqs.set_queue_attributes(QueueUrl=stack.outputs["JobsQueueUrl"], Attributes={"VisibilityTimeout": "1"})
    sqs.send_message(QueueUrl=stack.outputs["JobsQueueUrl"], MessageBody="not a job")
    assert stack.ended(stack.submit(JOB))["status"] == "SUCCESS"
    until(lambda: stack.messages("JobsDeadLettersUrl") == 1, "the message is set aside")
    letter = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"], WaitTimeSeconds=1)["Messages"][0]
    assert letter["Body"] == "not a job"
    refused = [line for line in stack.lines("Worker") if line["fields"].get("message_id") == letter["MessageId"]]
    assert len(refused) == 5, "received as often as the template says"
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
    sqs.set_queue_attributes(QueueUrl=stack.outputs["JobsQueueUrl"], Attributes={"VisibilityTimeout": "5400"})


def test_a_message_for_a_job_that_nobody_knows_is_forgotten(stack):
    body = json.dumps({"job_id": str(uuid.uuid4())})
    stack.client("sqs").send_message(QueueUrl=stack.outputs["JobsQueueUrl"], MessageBody=body)
    until(lambda: stack.messages("JobsQueueUrl") == 0, "the queue is empty")
    assert stack.messages("JobsDeadLettersUrl") == 0


def test_lines_of_the_log_name_the_job(stack):
    job_id = stack.submit(JOB)
    stack.ended(job_id)

    def ended():
        about = [line for line in stack.lines("Worker") if line["span"].get("job_id") == job_id]
        return "job ended" in [line["fields"]["message"] for line in about]

    until(ended, "the end of the job is in the log")
    taken = [line for line in stack.lines("Api") if line["fields"].get("job_id") == job_id]
    assert taken[0]["fields"]["message"] == "job accepted"


def test_the_end_of_a_failed_job_is_counted(stack):
    """The filters of the template look at these fields."""
    job_id = stack.submit(JOB | {"input": {"stakes": [{"owner": "A", "owned": "B", "share": -1}]}})
    code = stack.ended(job_id)["error"]["code"]
    ended = lambda: [line for line in stack.lines("Worker") if line["fields"].get("job_id") == job_id]
    assert until(ended, "the end of the job is in the log")[0]["fields"]["code"] == code


def test_a_delivered_event_is_logged_in_the_field_that_dead_ones_are_counted_by(stack, receiver):
    job_id = stack.submit(JOB | {"callback_url": receiver.url})
    delivered = lambda: [
        line for line in stack.lines("Notifier")
        if line["span"].get("job_id") == job_id and line["fields"].get("delivery") == "Delivered"
    ]
    until(delivered, "the delivery is in the log")


def test_no_function_was_refused_anything(stack):
    for function in ("Api", "Worker", "Notifier", "Sweeper"):
        lines = [json.dumps(line) for line in stack.lines(function)]
        assert lines, f"{function} wrote nothing"
        assert [line for line in lines if "AccessDenied" in line or "not authorized" in line] == []


def test_a_right_that_is_not_in_the_template_is_refused(stack):
    """So that the test above means something: without its one right to send, the API cannot wake a worker."""
    iam = stack.client("iam")
    [role] = [role["RoleName"] for role in iam.list_roles()["Roles"] if "ApiRole" in role["RoleName"]]
    granted = iam.get_role_policy(RoleName=role, PolicyName="api")["PolicyDocument"]
    narrower = [one for one in granted["Statement"] if "sqs:SendMessage" not in one["Action"]]
    assert len(narrower) == len(granted["Statement"]) - 1
    put = lambda document: iam.put_role_policy(RoleName=role, PolicyName="api", PolicyDocument=json.dumps(document))
    put(granted | {"Statement": narrower})
    try:
        job_id = stack.submit(JOB)
        refused = lambda: [line for line in stack.lines("Api") if line["fields"].get("job_id") == job_id]
        until(lambda: any("AccessDenied" in json.dumps(line) for line in refused()), "the refusal is in the log")
        assert stack.request("GET", f"/jobs/{job_id}")[2]["status"] == "PENDING"
    finally:
        put(granted)
