"""VPC endpoints: AWS's services without the way out."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.networking.firewall import Groups
from projects.networking.settings import EndpointSettings, InterfaceService
from projects.networking.vpc import Vpc
from shared.component import Component
from shared.environment import Environment
from shared.iam import Statement, policy
from shared.isolation import others_kept_out

# What the platform does with each service: through a gateway endpoint in the route tables, or an interface endpoint with an address.
_GATEWAY_ACTIONS = {
    "s3": ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:AbortMultipartUpload"],
    "dynamodb": [
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:Query",
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DescribeTable",
    ],
}
# Amazon ECR, "Interface VPC endpoints": Fargate asks both of them while it pulls an image.
_IMAGES: tuple[InterfaceService, ...] = ("ecr.api", "ecr.dkr")
_INTERFACE_ACTIONS: dict[InterfaceService, list[str]] = {
    "secretsmanager": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
    "kms": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
    "sqs": [
        "sqs:SendMessage",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
    ],
    "sns": ["sns:Publish"],
    "logs": ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
    # The endpoint is called after CloudWatch's host name, its actions are not.
    "monitoring": ["cloudwatch:PutMetricData"],
    "xray": ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
    "sts": ["sts:AssumeRole", "sts:GetCallerIdentity"],
    **{key: ["ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"] for key in _IMAGES},
}
# Of the others, some actions have no resource, and so no account that a condition could ask for.
_HAS_RESOURCES = {"s3", "dynamodb", "secretsmanager", "kms", "sqs", "sns"}


class Endpoints(Component):
    """Produces a gateway endpoint for each of `gateway`, and an interface endpoint with private DNS for each of `interface`.

    The former are in every private route table, the latter in every private subnet. Only principals of the environment's own account get
    through, to resources of that account, with the actions that the platform uses; roles that are tagged as another environment's do not.
    Layers of container images are the exception: they are in a bucket of Amazon ECR's.
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
                policy=self._policy(service, _GATEWAY_ACTIONS[service]),
                tags={"Name": environment.names(service)},
                opts=self.child(),
            )
            self.prefix_lists[service] = endpoint.prefix_list_id
        for service in settings.interface:
            aws.ec2.VpcEndpoint(
                service,
                vpc_id=vpc.id,
                vpc_endpoint_type="Interface",
                service_name=f"com.amazonaws.{environment.region}.{service}",
                subnet_ids=[subnet.id for subnet in vpc.private_subnets],
                security_group_ids=[groups.of("endpoints")],
                private_dns_enabled=True,
                policy=self._policy(service, _INTERFACE_ACTIONS[service]),
                tags={"Name": environment.names(service)},
                opts=self.child(),
            )
        self.register_outputs({"prefixLists": self.prefix_lists})

    def _policy(self, service: str, actions: list[str]) -> pulumi.Output[str]:
        account = self.environment.account
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
