"""The payment service as containers behind a load balancer."""

from __future__ import annotations

import pulumi

from projects.app.api_keys import ApiKeys
from projects.app.container_settings import copied
from projects.app.containers import Containers, ContainersArgs
from projects.app.grants import Reach
from projects.app.hosting import Hosted, none
from projects.app.image import Image
from projects.app.routes import endpoints
from projects.app.settings import AppSettings
from projects.app.variables import values
from projects.app.waf import Firewall, FirewallArgs
from projects.app.web import Web, WebArgs
from shared.contracts import NetworkingOutputs
from shared.environment import Environment
from shared.image import REPOSITORY


def on_fargate(environment: Environment, settings: AppSettings, network: NetworkingOutputs, reach: Reach) -> Hosted:
    """Makes the load balancer and its firewall, the callers' keys, the image's repository, and the services; the latter not before there is an image."""
    ours = settings.container()
    domain = copied(ours.domain, environment)
    web = Web("web", environment, WebArgs(network=network, domain=domain, logs_bucket=reach.data.access_logs_bucket_name))
    firewall = Firewall("web", environment, FirewallArgs(protects=web.balancer.arn, rate_limit=ours.rate_limit, log_key_arn=network.log_key_arn))
    image = Image(REPOSITORY, environment, given=ours.image, key_arn=reach.key_arn)
    url = pulumi.Output.from_input(f"https://{domain.name}")
    known = values(environment, reach, settings.queue, api_url=url)
    keys = ApiKeys("api-keys", environment, generation=ours.api_key_generation, key_arn=reach.key_arn)
    args = ContainersArgs(network=network, reach=reach, variables=known, image=image, web=web, api_keys=keys)
    hosted = Hosted(
        api_url=url,
        endpoint_urls=endpoints(url),
        api_key=keys.key,
        function_names=none(),
        function_arns=none(),
        service_names=none(),
        task_definition_arns=none(),
        load_balancer_arn=web.balancer.arn,
        load_balancer_arn_suffix=web.balancer.arn_suffix,
        target_group_arn_suffix=web.targets.arn_suffix,
        web_acl_name=firewall.name,
        repository_url=image.repository_url,
    )
    if image.awaited:
        return hosted
    containers = Containers("containers", environment, ours, args)
    return {
        **hosted,
        "cluster_name": containers.cluster_name,
        "service_names": containers.service_names,
        "task_definition_arns": containers.definition_arns,
    }
