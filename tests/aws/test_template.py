"""What the template promises, read from the template."""

import fnmatch

import pytest

from conftest import INFRA, load

TEMPLATE = load(INFRA / "template.yaml")
RESOURCES = TEMPLATE["Resources"]

# What cannot be narrowed to a resource.
UNNAMEABLE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def of_type(kind):
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


def listed(value):
    return value if isinstance(value, list) else [value]


# Names that are not known before they are used: objects, by what they begin with.
PREFIXES = ("/inputs/*", "/jobs/*/*/*.*", "/jobs/*")


def text(resource):
    """A resource as it is written: the parts of the template's functions in a row."""
    if isinstance(resource, dict):
        return "".join(text(part) for part in resource.values())
    return ".".join(map(text, resource)) if isinstance(resource, list) else str(resource)


def wildcards(statement):
    """What of an allowing statement is wider than it need be."""
    if statement["Effect"] != "Allow":
        return []
    actions = listed(statement.get("Action", "*"))
    found = [action for action in actions if "*" in action]
    for resource in map(text, listed(statement.get("Resource", "*"))):
        named = resource
        for prefix in PREFIXES:
            named = named.removesuffix(prefix)
        if "*" in named and not set(actions) <= UNNAMEABLE:
            found.append(f"{actions} on {resource}")
    return found


def statements():
    for name, role in of_type("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                # A statement under a condition counts as if it were met.
                yield name, statement["Fn::If"][1] if "Fn::If" in statement else statement


def test_rights_are_given_by_roles_alone():
    kinds = {resource["Type"] for resource in RESOURCES.values()}
    assert not kinds & {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"}


def test_no_role_has_a_wildcard():
    assert [(name, found) for name, statement in statements() if (found := wildcards(statement))] == []


def test_the_api_writes_inputs_and_reports_and_no_outputs_of_stages():
    writes = [
        resource
        for name, statement in statements()
        if name == "ApiRole" and "s3:PutObject" in listed(statement["Action"])
        for resource in map(text, listed(statement["Resource"]))
    ]
    assert writes == ["${Bucket.Arn}/inputs/*", "${Bucket.Arn}/jobs/*/*/*.*"]
    reports = writes[1].removeprefix("${Bucket.Arn}/")
    key = "jobs/01890a5d-ac96-774b-bcce-b302099a8057/1/"
    assert fnmatch.fnmatchcase(key + "result.csv", reports)
    assert not any(fnmatch.fnmatchcase(key + stage, reports) for stage in ("building", "reporting", "rows"))


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Action": "s3:*", "Resource": {"Fn::GetAtt": ["Bucket", "Arn"]}},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["s3:GetObject", "xray:PutTraceSegments"], "Resource": ["*"]},
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::*"},
        {"Effect": "Allow", "Action": ["dynamodb:Query"], "Resource": {"Fn::Sub": "${Table.Arn}/*"}},
        {"Effect": "Allow", "NotAction": ["s3:GetObject"], "NotResource": "bucket"},
    ],
)
def test_a_wildcard_would_be_found(statement):
    assert wildcards(statement)


def test_roles_have_only_their_own_statements():
    for name, role in of_type("AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role, name


def test_each_function_has_a_role_of_its_own():
    roles = [function["Role"]["Fn::GetAtt"][0] for function in of_type("AWS::Serverless::Function").values()]
    assert sorted(roles) == sorted(of_type("AWS::IAM::Role"))
    assert all("Policies" not in function for function in of_type("AWS::Serverless::Function").values())


def sources():
    """Each queue that feeds a function, with both and their event source."""
    for function in of_type("AWS::Serverless::Function").values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "SQS":
                queue = event["Properties"]["Queue"]["Fn::GetAtt"][0]
                yield function, of_type("AWS::SQS::Queue")[queue], event["Properties"]


def test_a_message_stays_hidden_for_six_runs_and_comes_five_times():
    assert len(list(sources())) == 2
    for function, queue, event in sources():
        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
        assert event["BatchSize"] == 1
        assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert "MaximumConcurrency" in event["ScalingConfig"]


def test_a_function_has_no_more_time_than_its_caller_waits():
    api = of_type("AWS::ApiGatewayV2::Integration")["HttpApiIntegration"]
    assert RESOURCES["ApiFunction"]["Properties"]["Timeout"] * 1000 < api["TimeoutInMillis"]


def test_what_holds_data_stays_when_the_stack_goes():
    for name in ("Table", "Bucket", "BucketPolicy", "WebhookSecret"):
        policies = RESOURCES[name]["DeletionPolicy"], RESOURCES[name]["UpdateReplacePolicy"]
        assert policies == ("RetainExceptOnCreate", "Retain"), name


def test_a_policy_of_a_queue_names_one_queue():
    """SQS takes no other."""
    policies = of_type("AWS::SQS::QueuePolicy").values()
    queues = [policy["Queues"] for policy in policies]
    assert sorted(queue["Ref"] for [queue] in queues) == sorted(of_type("AWS::SQS::Queue"))
    for policy in policies:
        [statement] = policy["PolicyDocument"]["Statement"]
        assert statement["Resource"] == {"Fn::GetAtt": [policy["Queues"][0]["Ref"], "Arn"]}
