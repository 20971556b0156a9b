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
    described = answered(stack, session, "describe_stacks")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def kept(session, stack):
    """What stays when a stack goes: names by logical name. A stack that broke off may have made only some of it."""
    resources = answered(stack, session, "list_stack_resources")["StackResourceSummaries"]
    names = {resource["LogicalResourceId"]: resource.get("PhysicalResourceId") for resource in resources}
    return {name: names[name] for name in ("Table", "Bucket", "WebhookSecret") if names.get(name)}


def answered(stack, session, call):
    try:
        return getattr(session.client("cloudformation"), call)(StackName=stack)
    except ClientError as error:
        sys.exit(f"{stack} in {session.region_name}: {error.response['Error']['Message']}")


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
    print(f"{curl} {url}/jobs/ID\n{curl} {url}/jobs/ID/companies/Foo")
    # The signed address wants none of these headers.
    print(f"curl -s -o result.csv \"$({curl} -o /dev/null -w '%{{redirect_url}}' {url}/jobs/ID/reports/result.csv)\"")
    print(f"\nCompletion events are signed with whsec_ and the value of secret {found['WebhookSecretArn']}")
    print(f"\nMessages that nobody could handle: {found['JobsDeadLettersUrl']}\nFigures: {found['DashboardUrl']}")


def destroy(session, stack, everything):
    """Deletes the stack. Its table, bucket and secret stay, unless `everything` is to go; a stack that is deployed under
    the same name later makes new ones."""
    names = kept(session, stack)
    sam = Path(sys.executable).with_name("sam")
    command = [sam, "delete", "--stack-name", stack, "--region", session.region_name, "--no-prompts"]
    subprocess.run(command, check=True)
    if not everything:
        print("Kept: " + ", ".join(f"{name} {physical}" for name, physical in names.items()))
        return
    if bucket := names.get("Bucket"):
        s3 = session.resource("s3")
        for answer in s3.Bucket(bucket).objects.delete():
            if errors := answer.get("Errors"):
                sys.exit(f"not deleted: {errors}")
        s3.Bucket(bucket).delete()
    if table := names.get("Table"):
        session.client("dynamodb").delete_table(TableName=table)
    if secret := names.get("WebhookSecret"):
        session.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
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
