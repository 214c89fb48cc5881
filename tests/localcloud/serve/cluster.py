"""A small service of ECS behind a load balancer, deployed on a local cloud of the tests' own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localcloud.serve.containers import Image
from tests.localcloud.serve.deployment import Deployment

# What the image holds: a server that tells what it was asked, and what it knows; and a program that ends by itself.
PROGRAM = """
import http.server, json, os, signal, ssl, sys, time, threading

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode()
        if self.path == "/exit":
            os._exit(3)
        if self.path == "/slow":
            time.sleep(5)
        if self.path == "/broken":
            self.wfile.write(b"no HTTP at all")
            self.close_connection = True
            return
        ready = self.path != "/ready" or os.environ.get("READY", "yes") == "yes"
        said = {"method": self.command, "path": self.path, "headers": self.headers.items(), "body": body, "env": dict(os.environ), "pid": os.getpid(),
                "arguments": sys.argv[1:], "modules": sys.path}
        answer = json.dumps(said).encode()
        self.send_response(200 if ready else 503)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer)
    do_POST = do_PUT = do_GET
    def log_message(self, *_):
        pass

def main():
    signal.signal(signal.SIGTERM, lambda *_: (print("ended as told", flush=True), os._exit(0)))
    print("started", sys.argv[1:], flush=True)
    if sys.argv[1:2] == ["once"]:
        print(json.dumps({"message": "done", "secret": os.environ.get("SECRET")}))
        sys.exit(int(os.environ.get("CODE", "0")))
    if sys.argv[1:2] == ["health"]:
        sys.exit(int(os.environ.get("HEALTH", "0")))
    server = http.server.ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler)
    server.daemon_threads = True
    if os.environ.get("CERTIFICATE"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.environ["CERTIFICATE"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()

main()
"""


@dataclass
class Cluster:
    """A cluster `things` with a network, a role, a log group, and the image that its containers have."""

    deployment: Deployment
    groups: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        aws = self.deployment.aws
        ec2 = aws.client("ec2")
        self.vpc: str = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        zones = enumerate(("a", "b"))
        self.subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{aws.region}{zone}")["Subnet"]["SubnetId"]
            for number, zone in zones
        ]
        self.group: str = ec2.create_security_group(GroupName="things", Description="things", VpcId=self.vpc)["GroupId"]
        aws.client("ecs").create_cluster(clusterName="things")
        self.role: str = aws.client("iam").create_role(RoleName="task", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        aws.client("logs").create_log_group(logGroupName="/ecs/things")

    def image(self, _: str = "") -> Image:
        """What the image holds, for this machine."""
        folder = self.deployment.folder / "image"
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(PROGRAM)
        return Image(folder=folder, entry_point=("python", "-m", "app"), command=("web",), environment={"PYTHONUNBUFFERED": "1", "OF": "image"})

    def definition(self, family: str = "web", **container: Any) -> str:
        """Registers a task definition with one container; its ARN."""
        given: dict[str, Any] = {
            "name": family,
            "image": "registry.example.com/things:1",
            "essential": True,
            "portMappings": [{"containerPort": 8080}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/things", "awslogs-stream-prefix": "p", "awslogs-region": "r"}},
            **container,
        }
        others: list[Mapping[str, Any]] = given.pop("others", [])
        made = self.deployment.aws.client("ecs").register_task_definition(
            family=family,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            taskRoleArn=self.role,
            executionRoleArn=self.role,
            containerDefinitions=[given, *others],
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def service(self, definition: str, *, name: str = "web", desired: int = 1, behind: str = "") -> None:
        """A service of a task definition; behind: the target group's ARN."""
        balanced = [{"targetGroupArn": behind, "containerName": name, "containerPort": 8080}] if behind else []
        self.deployment.aws.client("ecs").create_service(
            cluster="things",
            serviceName=name,
            taskDefinition=definition,
            desiredCount=desired,
            launchType="FARGATE",
            loadBalancers=balanced,
            networkConfiguration={"awsvpcConfiguration": {"subnets": self.subnets, "securityGroups": [self.group]}},
        )

    def target_group(self, name: str = "web", **settings: Any) -> str:
        """A target group that asks `/ready` often; its ARN."""
        often = {"HealthCheckPath": "/ready", "HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2, "UnhealthyThresholdCount": 2}
        given = {"Protocol": "HTTP", "Port": 8080, **often, **settings}
        made = self.deployment.aws.client("elbv2").create_target_group(Name=name, VpcId=self.vpc, TargetType="ip", **given)
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def balancer(self, **attributes: str) -> str:
        """A load balancer; its ARN."""
        client = self.deployment.aws.client("elbv2")
        arn: str = client.create_load_balancer(Name="front", Subnets=self.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        if attributes:
            pairs = [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]
            client.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=pairs)
        return arn

    def listener(self, balancer: str, *actions: Mapping[str, Any], port: int = 80, names: Sequence[str] = ()) -> str:
        """A listener with default actions, for HTTPS where its certificate has names; its ARN."""
        aws = self.deployment.aws
        secure: dict[str, Any] = {"Protocol": "HTTP"}
        if names:
            certificate = aws.client("acm").request_certificate(DomainName=names[0], SubjectAlternativeNames=list(names))["CertificateArn"]
            secure = {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": certificate}], "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"}
        made = aws.client("elbv2").create_listener(LoadBalancerArn=balancer, Port=port, DefaultActions=list(actions), **secure)
        return str(made["Listeners"][0]["ListenerArn"])

    def rule(self, listener: str, priority: int, conditions: Sequence[Mapping[str, Any]], *actions: Mapping[str, Any]) -> None:
        """A rule of a listener."""
        self.deployment.aws.client("elbv2").create_rule(ListenerArn=listener, Priority=priority, Conditions=list(conditions), Actions=list(actions))


def forward(group: str) -> Mapping[str, Any]:
    """The action that hands requests to a target group."""
    return {"Type": "forward", "TargetGroupArn": group}


def fixed(status: int, body: str = "{}", content_type: str = "application/json") -> Mapping[str, Any]:
    """The action that answers by itself."""
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": str(status), "MessageBody": body, "ContentType": content_type}}


def path(*patterns: str) -> Mapping[str, Any]:
    """A condition on the path."""
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}


def method(*verbs: str) -> Mapping[str, Any]:
    """A condition on the method."""
    return {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": list(verbs)}}
