"""The table of the template is the one that the functions make for themselves elsewhere."""

import json
import os
import subprocess
import sys

import boto3

from conftest import ROOT

STAKEGRAPH = ROOT / "target" / "debug" / "stakegraph-under-test"


def shape(description):
    """What of a table its readers and writers rely on, as JSON has it."""
    keys = lambda schema: sorted([key["AttributeName"], key["KeyType"]] for key in schema)
    return {
        "keys": keys(description["KeySchema"]),
        "attributes": sorted([one["AttributeName"], one["AttributeType"]] for one in description["AttributeDefinitions"]),
        "indexes": sorted(
            [index["IndexName"], keys(index["KeySchema"]), index["Projection"]["ProjectionType"]]
            for index in description["GlobalSecondaryIndexes"]
        ),
    }


def test_template_and_program_make_the_same_table(stack, tmp_path):
    there = stack.client("dynamodb").describe_table(TableName=stack.outputs["TableName"])["Table"]
    command = [STAKEGRAPH, "engines", "--data", tmp_path, "--functions", "http://127.0.0.1:9"]
    here = subprocess.run([*command, "--", sys.executable, __file__], stdout=subprocess.PIPE, check=True, text=True)
    assert shape(there) == json.loads(here.stdout)


if __name__ == "__main__":
    # What `stakegraph engines` runs.
    table = boto3.client("dynamodb", os.environ["AWS_REGION"]).describe_table(TableName=os.environ["TABLE"])["Table"]
    print(json.dumps(shape(table)))
