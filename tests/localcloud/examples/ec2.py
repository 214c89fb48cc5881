"""Examples of Amazon EC2 and Amazon VPC."""

import json

from tests.localcloud.examples import Example, Ref

TAGS = {"Environment": "dev", "Team": "payments"}
FEWER_TAGS = {"Environment": "dev", "Suffix": "pr42"}

VPC = Example(
    type="aws:ec2/vpc:Vpc",
    inputs={"cidrBlock": "10.2.0.0/16", "enableDnsHostnames": True, "enableDnsSupport": True, "tags": TAGS},
    updates={"enableDnsHostnames": None, "enableDnsSupport": False, "enableNetworkAddressUsageMetrics": True, "tags": FEWER_TAGS},
    replaces={"cidrBlock": "10.3.0.0/16", "instanceTenancy": "dedicated"},
    bad={
        "cidrBlock": ("10.2.0.0/15", "10.2.0.0/29", "10.2.0.1/16", "10.2.0.0", "ten", None),
        "instanceTenancy": "shared",
        "enableDnsSupport": "yes",
        "cidr": "10.2.0.0/16",
    },
    drift=lambda aws, vpc: aws.client("ec2").modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False}),
    drifts="enableDnsHostnames",
)

SUBNET = Example(
    type="aws:ec2/subnet:Subnet",
    needs={"vpc": VPC},
    inputs={
        "vpcId": Ref("vpc"),
        "cidrBlock": "10.2.0.0/20",
        "availabilityZone": "us-east-1a",
        "mapPublicIpOnLaunch": True,
        "tags": {**TAGS, "Tier": "public"},
    },
    updates={"mapPublicIpOnLaunch": None, "enableResourceNameDnsARecordOnLaunch": True, "tags": None},
    replaces={"cidrBlock": "10.2.16.0/20", "availabilityZone": "us-east-1b", "vpcId": "vpc-0123456789abcdef0"},
    bad={"cidrBlock": ("10.2.0.0/29", "10.2.0.1/20"), "availabilityZone": "us-east-1", "vpcId": "my-vpc", "zone": "us-east-1a"},
    drift=lambda aws, subnet: aws.client("ec2").modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": False}),
    drifts="mapPublicIpOnLaunch",
)

SUBNET_BY_ZONE_ID = Example(
    type="aws:ec2/subnet:Subnet",
    label="zone id",
    needs={"vpc": VPC},
    inputs={"vpcId": Ref("vpc"), "cidrBlock": "10.2.32.0/20", "availabilityZoneId": "use1-az4"},
    replaces={"availabilityZoneId": "use1-az6"},
    bad={"availabilityZoneId": "us-east-1a"},
)

GATEWAY = Example(
    type="aws:ec2/internetGateway:InternetGateway",
    needs={"vpc": VPC},
    inputs={"vpcId": Ref("vpc"), "tags": TAGS},
    updates={"vpcId": None, "tags": FEWER_TAGS},
    bad={"vpcId": "igw-0123456789abcdef0", "vpc": "vpc-0123456789abcdef0"},
    drift=lambda aws, gateway: aws.client("ec2").delete_tags(Resources=[gateway], Tags=[{"Key": "Team"}]),
    drifts="tags",
)

TABLE = Example(
    type="aws:ec2/routeTable:RouteTable",
    needs={"vpc": VPC},
    inputs={"vpcId": Ref("vpc"), "tags": TAGS},
    updates={"tags": FEWER_TAGS},
    replaces={"vpcId": "vpc-0123456789abcdef0"},
    bad={"vpcId": 7, "routes": ([],)},
)

# Subnets and gateways of the VPC that the route table came with.
_TABLE_WITH_GATEWAY = {"table": TABLE, "gateway": Example(type=GATEWAY.type, inputs=GATEWAY.inputs)}
_ADDRESS = Example(type="aws:ec2/eip:Eip", inputs={"domain": "vpc"})
_NAT = Example(type="aws:ec2/natGateway:NatGateway", inputs={"allocationId": Ref("address"), "subnetId": Ref("subnet")})

ROUTE = Example(
    type="aws:ec2/route:Route",
    needs={**_TABLE_WITH_GATEWAY, "subnet": Example(type=SUBNET.type, inputs=SUBNET.inputs), "address": _ADDRESS, "nat": _NAT},
    inputs={"routeTableId": Ref("table"), "destinationCidrBlock": "0.0.0.0/0", "gatewayId": Ref("gateway")},
    updates={"gatewayId": None, "natGatewayId": Ref("nat")},
    replaces={"routeTableId": "rtb-0123456789abcdef0", "destinationCidrBlock": "192.168.0.0/16"},
    bad={
        "destinationCidrBlock": ("0.0.0.0/33", "10.0.0.1/8", None),
        "destinationPrefixListId": "pl-0123456789abcdef0",
        "natGatewayId": ("nat-0123456789abcdef0", "igw-0123456789abcdef0"),
        "target": "igw-0123456789abcdef0",
    },
)

ROUTE_THROUGH_INTERFACE = Example(
    type="aws:ec2/route:Route",
    label="to a network interface",
    needs={
        "subnet": SUBNET,
        "table": Example(type=TABLE.type, inputs=TABLE.inputs),
        "interface": Example(type="aws:ec2/networkInterface:NetworkInterface", inputs={"subnetId": Ref("subnet"), "sourceDestCheck": False}),
    },
    inputs={"routeTableId": Ref("table"), "destinationCidrBlock": "0.0.0.0/0", "networkInterfaceId": Ref("interface")},
)

ASSOCIATION = Example(
    type="aws:ec2/routeTableAssociation:RouteTableAssociation",
    needs={
        "subnet": SUBNET,
        "table": Example(type=TABLE.type, inputs=TABLE.inputs),
        "other": Example(type=TABLE.type, inputs=TABLE.inputs),
    },
    inputs={"routeTableId": Ref("table"), "subnetId": Ref("subnet")},
    updates={"routeTableId": Ref("other")},
    replaces={"subnetId": "subnet-0123456789abcdef0"},
    bad={"subnetId": ("vpc-0123456789abcdef0", None), "gatewayId": "igw-0123456789abcdef0", "subnet": "subnet-0123456789abcdef0"},
)

INTERFACE = Example(
    type="aws:ec2/networkInterface:NetworkInterface",
    needs={
        "subnet": SUBNET,
        "group": Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"name": "nat", "vpcId": Ref("vpc")}),
        "other": Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"name": "nat-2", "vpcId": Ref("vpc")}),
    },
    inputs={
        "subnetId": Ref("subnet"),
        "securityGroups": [Ref("group")],
        "sourceDestCheck": False,
        "description": "NAT",
        "tags": TAGS,
    },
    updates={"securityGroups": [Ref("other")], "sourceDestCheck": None, "description": "NAT instance", "tags": FEWER_TAGS},
    replaces={"subnetId": "subnet-0123456789abcdef0"},
    bad={"securityGroups": (["default"], "sg-0123456789abcdef0"), "description": "x" * 256, "groups": ["sg-0123456789abcdef0"]},
    drift=lambda aws, interface: aws.client("ec2").modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": True}),
    drifts="sourceDestCheck",
)

EIP = Example(
    type="aws:ec2/eip:Eip",
    needs={"interface": INTERFACE},
    inputs={"domain": "vpc", "networkInterface": Ref("interface"), "tags": TAGS},
    updates={"networkInterface": None, "tags": FEWER_TAGS},
    bad={"domain": "standard", "networkInterface": "nat-0123456789abcdef0", "vpc": True},
    drift=lambda aws, address: aws.client("ec2").disassociate_address(
        AssociationId=aws.client("ec2").describe_addresses(AllocationIds=[address])["Addresses"][0]["AssociationId"]
    ),
    drifts="networkInterface",
)

NAT_GATEWAY = Example(
    type="aws:ec2/natGateway:NatGateway",
    needs={"subnet": SUBNET, "address": _ADDRESS},
    inputs={"allocationId": Ref("address"), "subnetId": Ref("subnet"), "tags": TAGS},
    updates={"tags": FEWER_TAGS},
    replaces={"subnetId": "subnet-0123456789abcdef0", "allocationId": "eipalloc-0123456789abcdef0", "connectivityType": "private"},
    bad={"allocationId": ("203.0.113.7", None), "connectivityType": "open", "subnetId": None, "eip": "eipalloc-0123456789abcdef0"},
)

PRIVATE_NAT_GATEWAY = Example(
    type="aws:ec2/natGateway:NatGateway",
    label="private",
    needs={"subnet": SUBNET},
    inputs={"subnetId": Ref("subnet"), "connectivityType": "private"},
    bad={"allocationId": "eipalloc-0123456789abcdef0"},
)

_PROFILE = Example(type="aws:iam/instanceProfile:InstanceProfile", inputs={"name": "nat"})
_OTHER_PROFILE = Example(type="aws:iam/instanceProfile:InstanceProfile", inputs={"name": "nat-2"})

INSTANCE = Example(
    type="aws:ec2/instance:Instance",
    needs={
        "subnet": SUBNET,
        "group": Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"name": "nat", "vpcId": Ref("vpc")}),
        "other": Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"name": "nat-2", "vpcId": Ref("vpc")}),
        "key": Example(type="aws:kms/key:Key", inputs={"description": "volumes"}),
        "profile": _PROFILE,
        "profile2": _OTHER_PROFILE,
    },
    inputs={
        "ami": "ami-03cf127a",
        "instanceType": "t4g.nano",
        "subnetId": Ref("subnet"),
        "vpcSecurityGroupIds": [Ref("group")],
        "sourceDestCheck": False,
        "iamInstanceProfile": Ref("profile", "name"),
        "userData": "#!/bin/sh\nsysctl -w net.ipv4.ip_forward=1\n",
        "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
        "rootBlockDevice": {"volumeType": "gp3", "volumeSize": 8, "encrypted": True, "kmsKeyId": Ref("key", "arn")},
        "associatePublicIpAddress": True,
        "monitoring": True,
        "ebsOptimized": True,
        "volumeTags": {"Environment": "dev"},
        "tags": TAGS,
    },
    updates={
        "instanceType": "t4g.micro",
        "vpcSecurityGroupIds": [Ref("other")],
        "sourceDestCheck": None,
        "iamInstanceProfile": Ref("profile2", "name"),
        "userData": "#!/bin/sh\ntrue\n",
        "metadataOptions": {"httpTokens": "optional", "instanceMetadataTags": "enabled"},
        "rootBlockDevice": {"volumeType": "gp2", "volumeSize": 16, "encrypted": True, "kmsKeyId": Ref("key", "arn"), "deleteOnTermination": False},
        "monitoring": None,
        "volumeTags": {"Team": "payments"},
        "tags": FEWER_TAGS,
    },
    replaces={
        "ami": "ami-0123456789abcdef0",
        "subnetId": "subnet-0123456789abcdef0",
        "associatePublicIpAddress": False,
        "ebsOptimized": False,
        "rootBlockDevice": {"volumeType": "gp3", "volumeSize": 8},
    },
    bad={
        "ami": ("al2023", None),
        "instanceType": "t4g.tiny",
        "metadataOptions": ({"httpTokens": "always"}, {"httpPutResponseHopLimit": 65}, {"tokens": "required"}),
        "rootBlockDevice": ({"volumeType": "gp9"}, {"volumeSize": 0}, {"size": 8}, {"kmsKeyId": "alias/aws/ebs"}),
        "iamInstanceProfile": "arn:aws:iam::123456789012:instance-profile/nat",
        "userData": "x" * 16_385,
        "vpcSecurityGroupIds": ["default"],
        "securityGroups": ["default"],
    },
    drift=lambda aws, instance: aws.client("ec2").modify_instance_attribute(InstanceId=instance, SourceDestCheck={"Value": True}),
    drifts="sourceDestCheck",
)

INSTANCE_ON_DEFAULTS = Example(
    type="aws:ec2/instance:Instance",
    label="defaults",
    needs={"subnet": SUBNET},
    inputs={"ami": "ami-03cf127a", "instanceType": "t4g.nano", "subnetId": Ref("subnet"), "userData": "one", "userDataReplaceOnChange": True},
    replaces={"userData": "two"},
    updates={"userDataReplaceOnChange": False},
    drift=lambda aws, instance: aws.client("ec2").modify_instance_metadata_options(
        InstanceId=instance, HttpTokens="required", HttpEndpoint="enabled", HttpPutResponseHopLimit=1
    ),
    drifts="metadataOptions",
)


ATTACHMENT = Example(
    type="aws:ec2/networkInterfaceAttachment:NetworkInterfaceAttachment",
    needs={"interface": INTERFACE, "instance": Example(type=INSTANCE.type, inputs=INSTANCE_ON_DEFAULTS.inputs)},
    inputs={"deviceIndex": 1, "instanceId": Ref("instance"), "networkInterfaceId": Ref("interface")},
    replaces={"deviceIndex": 2, "instanceId": "i-0123456789abcdef0", "networkInterfaceId": "eni-0123456789abcdef0"},
    bad={"deviceIndex": (0, None), "instanceId": "eni-0123456789abcdef0", "index": 1},
)

_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::documents-dev/*"}],
}

GATEWAY_ENDPOINT = Example(
    type="aws:ec2/vpcEndpoint:VpcEndpoint",
    label="gateway",
    needs={"table": TABLE, "other": Example(type=TABLE.type, inputs=TABLE.inputs)},
    inputs={
        "vpcId": Ref("vpc"),
        "serviceName": "com.amazonaws.us-east-1.s3",
        "vpcEndpointType": "Gateway",
        "policy": json.dumps(_POLICY),
        "routeTableIds": [Ref("table")],
        "tags": TAGS,
    },
    updates={"routeTableIds": [Ref("other")], "policy": json.dumps({**_POLICY, "Id": "changed"}), "tags": FEWER_TAGS},
    replaces={"serviceName": "com.amazonaws.us-east-1.dynamodb", "vpcId": "vpc-0123456789abcdef0", "vpcEndpointType": "Interface"},
    bad={
        "serviceName": ("s3", "com.amazonaws.us-east-1.sqs"),
        "policy": "{",
        "routeTableIds": ["main"],
        "subnetIds": ["subnet-0123456789abcdef0"],
        "privateDnsEnabled": True,
        "vpcEndpointType": "Tunnel",
        "routeTables": [],
    },
    drift=lambda aws, endpoint: aws.client("ec2").modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=json.dumps({"Version": "2012-10-17"})),
    drifts="policy",
)

INTERFACE_ENDPOINT = Example(
    type="aws:ec2/vpcEndpoint:VpcEndpoint",
    label="interface",
    needs={
        "subnet": SUBNET,
        "subnet2": Example(type=SUBNET.type, inputs=SUBNET_BY_ZONE_ID.inputs),
        "group": Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"name": "endpoints", "vpcId": Ref("vpc")}),
        "other": Example(type="aws:ec2/securityGroup:SecurityGroup", inputs={"name": "endpoints-2", "vpcId": Ref("vpc")}),
    },
    inputs={
        "vpcId": Ref("vpc"),
        "serviceName": "com.amazonaws.us-east-1.secretsmanager",
        "vpcEndpointType": "Interface",
        "subnetIds": [Ref("subnet")],
        "securityGroupIds": [Ref("group")],
        "privateDnsEnabled": True,
    },
    updates={"subnetIds": [Ref("subnet"), Ref("subnet2")], "securityGroupIds": [Ref("other")], "privateDnsEnabled": False},
    bad={"routeTableIds": ["rtb-0123456789abcdef0"], "securityGroupIds": ["default"]},
)

SECURITY_GROUP = Example(
    type="aws:ec2/securityGroup:SecurityGroup",
    needs={"vpc": VPC},
    inputs={"name": "app-dev", "description": "Functions and tasks", "vpcId": Ref("vpc"), "revokeRulesOnDelete": True, "tags": TAGS},
    updates={"revokeRulesOnDelete": False, "tags": FEWER_TAGS},
    replaces={"name": "web-dev", "description": "Other", "vpcId": "vpc-0123456789abcdef0"},
    bad={
        "name": ("sg-app", "a" * 256, "naïve", None),
        "description": ("", "<none>"),
        "vpcId": "default",
        "ingress": ([],),
    },
    drift=lambda aws, group: aws.client("ec2").create_tags(Resources=[group], Tags=[{"Key": "Owner", "Value": "nobody"}]),
    drifts="tags",
)

DEFAULT_GROUP = Example(
    type="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    needs={"vpc": VPC},
    inputs={"vpcId": Ref("vpc"), "tags": TAGS},
    updates={"tags": FEWER_TAGS},
    replaces={"vpcId": "vpc-0123456789abcdef0"},
    bad={"vpcId": None, "name": "default", "ingress": [{"protocol": "-1", "fromPort": 0, "toPort": 0}]},
    drift=lambda aws, id_: aws.client("ec2").authorize_security_group_ingress(GroupId=id_, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"),
    drifts="ingress",
    stays="a VPC's default group cannot be deleted; as with the AWS provider, it stays as it is until its VPC goes",
)

FLOW_LOG_TO_LOGS = Example(
    type="aws:ec2/flowLog:FlowLog",
    label="to CloudWatch Logs",
    needs={"vpc": VPC},
    inputs={
        "vpcId": Ref("vpc"),
        "trafficType": "ALL",
        "logDestinationType": "cloud-watch-logs",
        "logDestination": "arn:aws:logs:us-east-1:345678901234:log-group:/vpc/flow/dev",
        "iamRoleArn": "arn:aws:iam::345678901234:role/flow-logs-dev",
        "maxAggregationInterval": 60,
        "tags": TAGS,
    },
    updates={"tags": FEWER_TAGS},
    replaces={"trafficType": "REJECT", "maxAggregationInterval": 600, "iamRoleArn": "arn:aws:iam::345678901234:role/other"},
    bad={
        "trafficType": ("SOME", None),
        "maxAggregationInterval": 300,
        "iamRoleArn": (None, "flow-logs-dev"),
        "logDestinationType": "syslog",
        "logDestination": ("/vpc/flow/dev", "arn:aws:logs:us-east-1:345678901234:log-group:/vpc/flow/dev:*"),
        "subnetId": "subnet-0123456789abcdef0",
        "destinationOptions": {"fileFormat": "parquet"},
        "logGroupName": "/vpc/flow/dev",
    },
)

FLOW_LOG_TO_S3 = Example(
    type="aws:ec2/flowLog:FlowLog",
    label="to S3",
    needs={"subnet": SUBNET, "bucket": Example(type="aws:s3/bucket:Bucket", inputs={"bucket": "audit-dev"})},
    inputs={
        "subnetId": Ref("subnet"),
        "trafficType": "REJECT",
        "logDestinationType": "s3",
        "logDestination": Ref("bucket", "arn"),
        "logFormat": "${interface-id} ${srcaddr} ${dstaddr} ${action}",
        "destinationOptions": {"fileFormat": "parquet", "hiveCompatiblePartitions": True, "perHourPartition": True},
    },
    replaces={"logFormat": "${action}", "destinationOptions": {"fileFormat": "plain-text"}},
    bad={
        "iamRoleArn": "arn:aws:iam::345678901234:role/flow-logs-dev",
        "logFormat": "srcaddr dstaddr",
        "destinationOptions": ({"fileFormat": "csv"}, {"format": "parquet"}),
    },
)

EXAMPLES = (
    ASSOCIATION,
    ATTACHMENT,
    DEFAULT_GROUP,
    EIP,
    FLOW_LOG_TO_LOGS,
    FLOW_LOG_TO_S3,
    GATEWAY,
    GATEWAY_ENDPOINT,
    INSTANCE,
    INSTANCE_ON_DEFAULTS,
    INTERFACE,
    INTERFACE_ENDPOINT,
    NAT_GATEWAY,
    PRIVATE_NAT_GATEWAY,
    ROUTE,
    ROUTE_THROUGH_INTERFACE,
    SECURITY_GROUP,
    SUBNET,
    SUBNET_BY_ZONE_ID,
    TABLE,
    VPC,
)
