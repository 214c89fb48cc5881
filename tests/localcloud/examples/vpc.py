"""Examples of the rules of security groups."""

from tests.localcloud.examples import Example, Ref
from tests.localcloud.examples.ec2 import VPC

_GROUPS = {
    "vpc": VPC,
    "group": Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"name": "app", "vpcId": Ref("vpc")}),
    "other": Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"name": "database", "vpcId": Ref("vpc")}),
}

INGRESS_FROM_GROUP = Example(
    type="aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    label="from a group",
    needs=_GROUPS,
    inputs={
        "securityGroupId": Ref("other"),
        "referencedSecurityGroupId": Ref("group"),
        "ipProtocol": "tcp",
        "fromPort": 5432,
        "toPort": 5432,
        "description": "PostgreSQL from the application",
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={"fromPort": 5433, "toPort": 5434, "description": "PostgreSQL", "tags": {"Environment": "dev"}},
    replaces={"securityGroupId": "sg-0123456789abcdef0", "referencedSecurityGroupId": "sg-0123456789abcdef0", "cidrIpv4": "10.2.0.0/16"},
    bad={
        "fromPort": (65_536, -2, "5432", None),
        "toPort": (70_000, 5431, None),
        "ipProtocol": ("TCP", "all", "6", None),
        "cidrIpv4": "10.2.0.0/16",
        "referencedSecurityGroupId": "database",
        "description": "naïve",
        "port": 5432,
    },
)

INGRESS_FROM_NETWORK = Example(
    type="aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    label="from a network",
    needs=_GROUPS,
    inputs={"securityGroupId": Ref("group"), "cidrIpv4": "10.2.0.0/16", "ipProtocol": "udp", "fromPort": 53, "toPort": 53},
    updates={"cidrIpv4": "10.3.0.0/16", "ipProtocol": "tcp", "description": "DNS"},
    bad={"cidrIpv4": ("10.2.0.1/16", "anywhere"), "cidrIpv6": "::/0"},
    drift=lambda aws, rule: aws.client("ec2").modify_security_group_rules(
        GroupId=aws.client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"][0]["GroupId"],
        SecurityGroupRules=[
            {
                "SecurityGroupRuleId": rule,
                "SecurityGroupRule": {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "CidrIpv4": "0.0.0.0/0"},
            }
        ],
    ),
    drifts="cidrIpv4",
)

INGRESS_ICMP = Example(
    type="aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    label="icmp",
    needs=_GROUPS,
    inputs={"securityGroupId": Ref("group"), "cidrIpv4": "10.2.0.0/16", "ipProtocol": "icmp", "fromPort": 3, "toPort": -1},
    bad={"toPort": (None, -2)},
)

EGRESS_EVERYTHING = Example(
    type="aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    label="everything",
    needs=_GROUPS,
    inputs={"securityGroupId": Ref("group"), "cidrIpv4": "0.0.0.0/0", "ipProtocol": "-1", "description": "Anywhere"},
    updates={"cidrIpv4": "10.0.0.0/8", "description": None, "tags": {"Environment": "dev"}},
    bad={"fromPort": 443, "toPort": 0, "cidrIpv4": None},
)

EGRESS_IPV6 = Example(
    type="aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    label="IPv6",
    needs=_GROUPS,
    inputs={"securityGroupId": Ref("group"), "cidrIpv6": "2001:db8::/32", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "description": "HTTPS"},
    updates={"description": "HTTPS to the partner"},
    replaces={"cidrIpv6": "2001:db9::/32"},
    bad={"cidrIpv6": ("10.0.0.0/8", "2001:db8::1/32")},
)

EGRESS_TO_SERVICE = Example(
    type="aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    label="to a prefix list",
    needs={
        **_GROUPS,
        "endpoint": Example(type="aws:ec2/vpcEndpoint:VpcEndpoint", inputs={"vpcId": Ref("vpc"), "serviceName": "com.amazonaws.us-east-1.s3"}),
    },
    inputs={
        "securityGroupId": Ref("group"),
        "prefixListId": Ref("endpoint", "prefixListId"),
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "description": "HTTPS to S3",
    },
    updates={"description": "HTTPS to S3 through the gateway endpoint"},
    replaces={"prefixListId": "pl-0123456789abcdef0"},
    bad={"prefixListId": "com.amazonaws.us-east-1.s3"},
)

EXAMPLES = (EGRESS_EVERYTHING, EGRESS_IPV6, EGRESS_TO_SERVICE, INGRESS_FROM_GROUP, INGRESS_FROM_NETWORK, INGRESS_ICMP)
