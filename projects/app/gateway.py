"""The REST API itself."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from projects.app.domain_settings import DomainSettings
from shared.component import Component
from shared.environment import Environment

# Without one a Regional API takes TLS 1.0, and its policy decides behind a domain of its own as well ("Supported security policies" and "How to change a
# security policy" in API Gateway's developer guide). This one is TLS 1.3 and 1.2 with forward secrecy and AEAD ciphers only, and key exchange that quantum
# computers do not break for clients that have it (PCI DSS 4.2.1); the policies of this kind want an access mode. STRICT, which AWS recommends, refuses
# requests whose Host header is not the name in the TLS handshake, and those that come by another type of endpoint.
_TLS = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
_ACCESS = "STRICT"


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
            security_policy=_TLS,
            endpoint_access_mode=_ACCESS,
            # With a domain of its own that name is the only way in.
            disable_execute_api_endpoint=domain is not None,
            # It was the Api's once; an API that is replaced has another address, and other keys.
            opts=self.child(aliases=[pulumi.Alias(parent=pulumi.create_urn(name, "payments:app:Api"))]),
        )
        own = self.api.id.apply(lambda id_: f"https://{id_}.execute-api.{environment.region}.amazonaws.com/{environment.platform.stage}")
        self.url = pulumi.Output.from_input(f"https://{domain.name}") if domain else own
        self.register_outputs({"url": self.url})
