"""Amazon EC2 and Amazon VPC: every resource type and look-up of `aws:ec2/…`, gathered from the modules by subject."""

from __future__ import annotations

from localcloud.resources._ec2_endpoint import VPC_ENDPOINT
from localcloud.resources._ec2_flow_log import FLOW_LOG
from localcloud.resources._ec2_group import DEFAULT_SECURITY_GROUP, SECURITY_GROUP
from localcloud.resources._ec2_instance import INSTANCE
from localcloud.resources._ec2_interface import NETWORK_INTERFACE, NETWORK_INTERFACE_ATTACHMENT
from localcloud.resources._ec2_lookups import GET_AMI, GET_MANAGED_PREFIX_LIST, GET_PREFIX_LIST
from localcloud.resources._ec2_nat import EIP, NAT_GATEWAY
from localcloud.resources._ec2_routes import ROUTE, ROUTE_TABLE, ROUTE_TABLE_ASSOCIATION
from localcloud.resources._ec2_vpc import INTERNET_GATEWAY, SUBNET, VPC

KINDS = (
    DEFAULT_SECURITY_GROUP,
    EIP,
    FLOW_LOG,
    INSTANCE,
    INTERNET_GATEWAY,
    NAT_GATEWAY,
    NETWORK_INTERFACE,
    NETWORK_INTERFACE_ATTACHMENT,
    ROUTE,
    ROUTE_TABLE,
    ROUTE_TABLE_ASSOCIATION,
    SECURITY_GROUP,
    SUBNET,
    VPC,
    VPC_ENDPOINT,
)

FUNCTIONS = (GET_AMI, GET_MANAGED_PREFIX_LIST, GET_PREFIX_LIST)
