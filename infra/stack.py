"""What `make deploy` and `make destroy` do beside `sam`: tell how to use a stack, and take away what it kept.

    python stack.py show STACK REGION
    python stack.py destroy STACK REGION [everything]
"""

import subprocess
import sys
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

JOB = """{"type": "integrated-ownership", "input": {"stakes": [
  {"owner": "A",   "owned": "Foo", "share": 0.33},
  {"owner": "Bar", "owned": "Foo", "share": 0.34},
  {"owner": "Foo", "owned": "Bar", "share": 0.5}]}}"""


def outputs(session, stack):
    """The outputs of a stack, by name."""
    try:
        described = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        sys.exit(f"{stack} in {session.region_name}: {error.response['Error']['Message']}")
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def show(session, stack):
    """Prints the address of the API, and calls that work."""
    found = outputs(session, stack)
    url, curl = found["ApiUrl"], "curl -s"
    print(f"The API of {stack} answers at {url}\n")
    if found["Access"] == "iam":
        curl += f' --aws-sigv4 aws:amz:{session.region_name}:execute-api --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"'
        print("Requests must be signed by someone of this account who may call execute-api:Invoke. With temporary")
        print('credentials add  -H "x-amz-security-token: $AWS_SESSION_TOKEN"  to each call.\n')
    else:
        print("Access is open: whoever knows this address reads and writes all jobs.\n")
    print(f"{curl} {url}/jobs -H 'content-type: application/json' -d '{JOB}'\n")
    print(f"{curl} {url}/jobs/ID\n{curl} {url}/jobs/ID/companies/Foo\n{curl} -L -o result.csv {url}/jobs/ID/reports/result.csv")
    print(f"\nMessages that nobody could handle: {found['JobsDeadLettersUrl']}\nFigures: {found['DashboardUrl']}")


def destroy(session, stack, everything):
    """Deletes the stack. Its table, bucket and secret stay, unless `everything` is to go."""
    kept = outputs(session, stack)
    sam = Path(sys.executable).with_name("sam")
    command = [sam, "delete", "--stack-name", stack, "--region", session.region_name, "--no-prompts"]
    subprocess.run(command, check=True)
    if not everything:
        print(f"Kept: table {kept['TableName']}, bucket {kept['BucketName']}, secret {kept['WebhookSecretArn']}")
        return
    s3 = session.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=kept["BucketName"]):
        keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
        if keys:
            s3.delete_objects(Bucket=kept["BucketName"], Delete={"Objects": keys})
    s3.delete_bucket(Bucket=kept["BucketName"])
    session.client("dynamodb").delete_table(TableName=kept["TableName"])
    secrets = session.client("secretsmanager")
    secrets.delete_secret(SecretId=kept["WebhookSecretArn"], ForceDeleteWithoutRecovery=True)
    print("Nothing is left of it.")


def main():
    match sys.argv[1:]:
        case ["show", stack, region]:
            show(boto3.Session(region_name=region), stack)
        case ["destroy", stack, region, *rest] if rest in ([], ["everything"]):
            destroy(boto3.Session(region_name=region), stack, bool(rest))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
