"""The table of the template is the one that the functions make for themselves elsewhere."""

import subprocess

import boto3

from conftest import REGION, ROOT, until


def shape(description):
    """What of a table its readers and writers rely on."""
    return {
        "keys": sorted((key["AttributeName"], key["KeyType"]) for key in description["KeySchema"]),
        "attributes": sorted((one["AttributeName"], one["AttributeType"]) for one in description["AttributeDefinitions"]),
        "indexes": sorted(
            (
                index["IndexName"],
                sorted((key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]),
                index["Projection"]["ProjectionType"],
            )
            for index in description["GlobalSecondaryIndexes"]
        ),
    }


def test_template_and_program_make_the_same_table(stack, tmp_path):
    there = stack.client("dynamodb").describe_table(TableName=stack.outputs["TableName"])["Table"]
    stakegraph = ROOT / "target" / "debug" / "stakegraph-under-test"
    engines = subprocess.Popen(
        [stakegraph, "engines", "--data", tmp_path, "--functions", "http://127.0.0.1:9"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        variables = {}

        def complete():
            name, _, value = engines.stdout.readline().removeprefix("export ").strip().partition("=")
            variables[name] = value
            return {"TABLE", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_SECRET_ACCESS_KEY"} <= set(variables)

        until(complete, "the engines start")
        here = boto3.client(
            "dynamodb",
            endpoint_url=variables["AWS_ENDPOINT_URL_DYNAMODB"],
            region_name=REGION,
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        ).describe_table(TableName=variables["TABLE"])["Table"]
    finally:
        engines.terminate()
        engines.wait()
    assert shape(there) == shape(here)
