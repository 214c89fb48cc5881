"""The network that everything else stands in."""

from projects.networking.boundary import Boundary
from projects.networking.egress import Egress
from projects.networking.endpoints import Endpoints
from projects.networking.firewall import Groups, Rules
from projects.networking.log_key import log_key
from projects.networking.settings import NetworkingSettings
from projects.networking.tiers import firewall
from projects.networking.vpc import Vpc
from shared.contracts import NetworkingOutputs
from shared.stack import Stack

stack = Stack(NetworkingSettings)
environment, settings = stack.environment, stack.settings

Boundary("boundary", environment)
key = log_key(environment)
reached = settings.endpoints
tiers = firewall(environment.shape, gateways=reached.gateway, interfaces=reached.with_addresses, tags=environment.tags)
vpc = Vpc("vpc", environment, settings.vpc, log_key_arn=key.arn)
groups = Groups("groups", environment, tiers.groups, vpc=vpc)
endpoints = Endpoints("endpoints", environment, reached, vpc=vpc, groups=groups)
Rules("rules", environment, tiers.rules, groups=groups, prefix_lists=endpoints.prefix_lists)
egress = Egress("egress", environment, settings.egress, vpc=vpc, groups=groups)

stack.publish(
    NetworkingOutputs(
        vpc_id=vpc.id,
        vpc_cidr=vpc.cidr,
        public_subnet_ids=vpc.public_subnet_ids,
        private_subnet_ids=vpc.private_subnet_ids,
        security_group_ids=groups.ids,
        log_key_arn=key.arn,
        nat_gateway_ids=egress.nat_gateway_ids,
        nat_instance_ids=egress.nat_instance_ids,
    )
)
