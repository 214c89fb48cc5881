"""Examples of Amazon Route 53."""

from tests.localcloud.examples import Example, Ref

ZONE = Example(
    type="aws:route53/zone:Zone",
    inputs={"name": "example.com", "comment": "Managed by Pulumi", "forceDestroy": True, "tags": {"Environment": "dev", "Team": "payments"}},
    updates={"comment": "What the payments platform answers to", "forceDestroy": False, "tags": {"Environment": "staging"}},
    replaces={"name": "example.org"},
    bad={"name": ("with space.com", "x" * 256), "comment": "x" * 257, "vpcs": ([{"vpcId": "vpc"}], [{"vpcId": "vpc-0a"}] * 2), "zone": "example.com"},
    drift=lambda aws, id_: aws.client("route53").update_hosted_zone_comment(Id=id_, Comment="By hand"),
    drifts="comment",
)

PRIVATE_ZONE = Example(
    type="aws:route53/zone:Zone",
    label="private",
    inputs={"name": "payments.internal", "vpcs": [{"vpcId": "vpc-0a"}, {"vpcId": "vpc-0b", "vpcRegion": "eu-west-1"}]},
    updates={"vpcs": [{"vpcId": "vpc-0c"}]},
)

RECORD = Example(
    type="aws:route53/record:Record",
    needs={"zone": ZONE},
    inputs={
        "zoneId": Ref("zone", "zoneId"),
        "name": "_d930.payments",
        "type": "CNAME",
        "ttl": 60,
        "records": ["_c9ed.acm-validations.aws."],
        "allowOverwrite": True,
    },
    updates={"ttl": 300, "records": ["_other.acm-validations.aws."], "allowOverwrite": False},
    replaces={"name": "pay", "type": "TXT", "zoneId": "other"},
    bad={
        "type": "ANAME",
        "ttl": (-1, 2_147_483_648, None),
        "records": (["a.example.com", "b.example.com"], None),
        "aliases": [{"name": "d.example.com", "zoneId": "Z1", "evaluateTargetHealth": False}] * 2,
        "name": "with space",
        "value": "x",
    },
    drift=lambda aws, id_: aws.client("route53").change_resource_record_sets(
        HostedZoneId=id_.split("_")[0],
        ChangeBatch={
            "Changes": [
                {
                    "Action": "UPSERT",
                    "ResourceRecordSet": {
                        "Name": "_d930.payments.example.com.",
                        "Type": "CNAME",
                        "TTL": 5,
                        "ResourceRecords": [{"Value": "_c9ed.acm-validations.aws."}],
                    },
                }
            ]
        },
    ),
    drifts="ttl",
)

ADDRESSES = Example(
    type="aws:route53/record:Record",
    label="addresses",
    needs={"zone": ZONE},
    inputs={"zoneId": Ref("zone", "zoneId"), "name": "API.Example.com", "type": "A", "ttl": 60, "records": ["192.0.2.2", "192.0.2.1"]},
    updates={"records": ["192.0.2.3"]},
    bad={"records": (["host.example.com"], ["2001:db8::1"])},
)

TEXT = Example(
    type="aws:route53/record:Record",
    label="text",
    needs={"zone": ZONE},
    inputs={"zoneId": Ref("zone", "zoneId"), "name": "", "type": "TXT", "ttl": 3600, "records": ["v=spf1 -all"]},
    updates={"records": ["v=spf1 include:example.org -all"]},
)

ALIAS = Example(
    type="aws:route53/record:Record",
    label="alias",
    needs={"zone": ZONE},
    inputs={
        "zoneId": Ref("zone", "zoneId"),
        "name": "*.payments.example.com",
        "type": "A",
        "aliases": [{"name": "d-a1b2c3.execute-api.us-east-1.amazonaws.com", "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": False}],
    },
    updates={"aliases": [{"name": "d-d4e5f6.execute-api.us-east-1.amazonaws.com", "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": True}]},
    bad={"ttl": 60, "records": ["192.0.2.1"], "aliases": [{"name": "d.example.com"}]},
)

EXAMPLES = (ZONE, PRIVATE_ZONE, RECORD, ADDRESSES, TEXT, ALIAS)
