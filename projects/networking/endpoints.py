"""VPC endpoints: AWS's services, and the payment processor, without the way out."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.networking.boundary import ACTIONS
from projects.networking.firewall import Groups
from projects.networking.settings import EndpointSettings
from projects.networking.vpc import Vpc
from shared.component import Component
from shared.environment import Environment
from shared.iam import Statement, policy
from shared.isolation import others_kept_out

# What AWS's services do in a role's name from networks of their own: API Gateway with its logs, and VPC flow logs.
_NOT_FROM_HERE = {
    "logs:CreateLogGroup",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:PutRetentionPolicy",
}
# Of the others, some actions have no resource, and so no account that a condition could ask for.
_HAS_RESOURCES = {"s3", "dynamodb", "secretsmanager", "kms", "sqs", "sns"}


def actions_of(service: str) -> list[str]:
    """What functions and containers do with the service of an endpoint; a test holds it to their roles' policies.

    Fargate asks both of ECR's endpoints while it pulls an image (Amazon ECR, "Interface VPC endpoints").
    """
    return [action for action in ACTIONS if action.partition(":")[0] == service.partition(".")[0] and action not in _NOT_FROM_HERE]


class Endpoints(Component):
    """Produces a gateway endpoint for each of `gateway`, and an interface endpoint with private DNS for each of `interface` and for `processor`.

    The former are in every private route table, the latter in every private subnet. Only principals of the environment's own account get
    through, to resources of that account, with the actions that functions and containers use; roles that are tagged as another environment's do not.
    Layers of container images are the exception: they are in a bucket of Amazon ECR's. So is the processor's service: only AWS's own have policies, and
    to others "we allow full access" (AWS PrivateLink, "Control access to VPC endpoints using endpoint policies").
    Outputs: `prefix_lists`, by service: the prefix list of each gateway endpoint, for security-group rules.
    """

    prefix_lists: dict[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        environment: Environment,
        settings: EndpointSettings,
        *,
        vpc: Vpc,
        groups: Groups,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, environment, opts)
        self.prefix_lists = {}
        for service in settings.gateway:
            endpoint = aws.ec2.VpcEndpoint(
                service,
                vpc_id=vpc.id,
                vpc_endpoint_type="Gateway",
                service_name=f"com.amazonaws.{environment.region}.{service}",
                route_table_ids=[table.id for table in vpc.private_route_tables],
                policy=self._policy(service),
                tags={"Name": environment.names(service)},
                opts=self.child(),
            )
            self.prefix_lists[service] = endpoint.prefix_list_id
        of_aws = {service: f"com.amazonaws.{environment.region}.{service}" for service in settings.interface}
        for name_, service_name in {**of_aws, **({"processor": settings.processor} if settings.processor else {})}.items():
            aws.ec2.VpcEndpoint(
                name_,
                vpc_id=vpc.id,
                vpc_endpoint_type="Interface",
                service_name=service_name,
                subnet_ids=[subnet.id for subnet in vpc.private_subnets],
                security_group_ids=[groups.of("endpoints")],
                private_dns_enabled=True,
                policy=self._policy(name_) if name_ in of_aws else None,
                tags={"Name": environment.names(name_)},
                opts=self.child(),
            )
        self.register_outputs({"prefixLists": self.prefix_lists})

    def _policy(self, service: str) -> pulumi.Output[str]:
        account, actions = self.environment.account, actions_of(service)
        own = Statement(
            sid="OwnAccount",
            principals="*",
            actions=actions,
            resources=["*"],
            because="an endpoint's policy only narrows what callers' own policies allow; the condition narrows it to this account's callers",
            conditions={"StringEquals": {"aws:PrincipalAccount": account, **({"aws:ResourceAccount": account} if service in _HAS_RESOURCES else {})}},
        )
        layers = [self._image_layers()] if service == "s3" and self.environment.shape.compute == "containers" else []
        return policy(own, *layers, *others_kept_out(self.environment, actions, ["*"]))

    def _image_layers(self) -> Statement:
        """Fargate downloads layers from ECR's own bucket by signed addresses (Amazon ECR, "Minimum Amazon S3 bucket permissions")."""
        bucket = f"prod-{self.environment.region}-starport-layer-bucket"
        layers = self.environment.arn("s3", f"{bucket}/*", region="", account="")
        return Statement(sid="ImageLayers", principals="*", actions=["s3:GetObject"], resources=[layers])
