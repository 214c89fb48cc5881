"""The payment service as functions behind API Gateway."""

from __future__ import annotations

from projects.app.api import Api, ApiArgs
from projects.app.domain import Domain
from projects.app.functions import Functions, FunctionsArgs
from projects.app.gateway import Gateway
from projects.app.grants import Reach
from projects.app.hosting import Hosted, none
from projects.app.routes import endpoints
from projects.app.schedules import Schedules
from projects.app.settings import AppSettings, domain_of
from projects.app.variables import values
from projects.app.waf import Firewall, FirewallArgs
from shared.contracts import NetworkingOutputs
from shared.environment import Environment


def on_lambda(environment: Environment, settings: AppSettings, network: NetworkingOutputs, reach: Reach) -> Hosted:
    """Makes the functions, what calls them, the API, and its firewall where the page asks for one."""
    of_functions, of_api = settings.serverless()
    domain = domain_of(settings, environment)
    gateway = Gateway("payments", environment, domain=domain)
    known = values(environment, reach, settings.queue, api_url=gateway.url)
    args = FunctionsArgs(network=network, reach=reach, variables=known, batch_size=settings.queue.batch_size)
    functions = Functions("functions", environment, of_functions, args)
    Schedules("schedules", environment, functions=functions.by_name)
    parts = ApiArgs(gateway=gateway, functions=functions.by_name, key_arn=reach.key_arn, log_key_arn=network.log_key_arn)
    api = Api("payments", environment, of_api, parts)
    url = Domain("domain", environment, domain, api=api).url if domain else api.url
    hosted = Hosted(
        api_url=url,
        endpoint_urls=endpoints(url),
        api_name=api.api.name,
        api_stage=api.stage.stage_name,
        api_key=api.key,
        api_key_secret_arn=api.key_secret_arn,
        function_names=functions.names,
        function_arns=functions.arns,
        service_names=none(),
        task_definition_arns=none(),
    )
    if of_api.firewall is None:
        return hosted
    before = FirewallArgs(protects=api.stage.arn, of_stage=True, rate_limit=of_api.firewall.rate_limit, log_key_arn=network.log_key_arn)
    return {**hosted, "web_acl_name": Firewall("payments", environment, before).name}
