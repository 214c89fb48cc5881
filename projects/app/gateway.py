"""The REST API itself."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.app.domain_settings import DomainSettings
from shared.component import Component
from shared.environment import Environment


class Gateway(Component):
    """Produces the REST API, without a route: it is there before the functions, which are told its address, and routes lead to the functions.

    domain: of its own, where it has one.
    Outputs: `api`, `url` (where clients will call it).
    """

    api: aws.apigateway.RestApi
    url: pulumi.Output[str]

    def __init__(self, name: str, environment: Environment, *, domain: DomainSettings | None, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, environment, opts)
        self.api = aws.apigateway.RestApi(
            name,
            name=environment.names(name),
            description="Payments",
            endpoint_configuration={"types": "REGIONAL"},
            api_key_source="HEADER",
            # With a domain of its own there is no second way in, past that domain's TLS policy.
            disable_execute_api_endpoint=domain is not None,
            # It was the Api's once; an API that is replaced has another address, and other keys.
            opts=self.child(aliases=[pulumi.Alias(parent=pulumi.create_urn(name, "payments:app:Api"))]),
        )
        own = self.api.id.apply(lambda id_: f"https://{id_}.execute-api.{environment.region}.amazonaws.com/{environment.platform.stage}")
        self.url = pulumi.Output.from_input(f"https://{domain.name}") if domain else own
        self.register_outputs({"url": self.url})
