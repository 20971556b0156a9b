"""A function that lacks a setting says which, before it takes work."""

import subprocess

import pytest

from conftest import BUILD

SETTINGS = {
    "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_FUNCTION_VERSION": "1",
    # Nobody listens there: a function that got as far as asking for work fails otherwise.
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",
    "TABLE": "t", "BUCKET": "b", "JOBS_QUEUE_URL": "http://127.0.0.1:9/jobs", "CALLBACKS_QUEUE_URL": "http://127.0.0.1:9/callbacks",
    "WEBHOOK_SECRET": "whsec_c3Rha2VncmFwaC1leGFtcGxlLXNlY3JldA==",
}


def said(function, settings):
    """What the function writes before it ends, which it does with an error."""
    ended = subprocess.run([BUILD / f"{function}Function" / "bootstrap"], env=settings, capture_output=True, text=True, timeout=20)
    assert ended.returncode != 0
    return ended.stdout + ended.stderr


@pytest.mark.parametrize("function", ["Api", "Worker", "Notifier", "Sweeper"])
def test_a_setting_that_is_missing_is_named(stack, function):
    without = {name: value for name, value in SETTINGS.items() if name != "TABLE"}
    assert "TABLE" in said(function, without)


@pytest.mark.parametrize("function, name", [("Worker", "COMMIT_AFTER_MS"), ("Worker", "MAX_MEMORY_BYTES"), ("Notifier", "WEBHOOK_SECRET"), ("Api", "CALLBACK_PORTS")])
def test_a_setting_that_makes_no_sense_is_named(stack, function, name):
    assert name in said(function, SETTINGS | {name: "nonsense"})
