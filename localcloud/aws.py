"""One AWS account and region, as boto3 clients that talk to moto: to its server, or in process."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from localcloud.models import LOADER

# moto answers at once or not at all; a retry would only hide which.
# And botocore's own words about itself, put together for each call, are read by nobody.
_CONFIG = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=120, user_agent="localcloud")

# The role that moto is asked to assume: moto tells accounts apart by the credentials that this call hands out.
_ROLE = "localcloud"


@dataclass
class Aws:
    """Clients for one account in one region.

    endpoint: URL of moto's server, or None where `moto.mock_aws` is active in this process.
    """

    account: str
    region: str
    endpoint: str | None = None
    partition: str = "aws"
    _clients: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    _session: Any = field(default=None, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def client(self, service: str) -> Any:
        """The boto3 client of a service; made once, as making one costs tens of milliseconds."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._made(service) if self.endpoint else _in_process(self.account, self.region, service)
            return self._clients[service]

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """An ARN in this account and region; pass `region=""` or `account=""` for services that leave it out."""
        region = self.region if region is None else region
        account = self.account if account is None else account
        return f"arn:{self.partition}:{service}:{region}:{account}:{resource}"

    def _made(self, service: str) -> Any:
        if self._session is None:
            keys = credentials(self.account, self.region, self.endpoint)
            self._session = boto3.Session(*keys.values(), region_name=self.region, botocore_session=_botocore_session())
        return self._session.client(service, region_name=self.region, endpoint_url=self.endpoint, config=_CONFIG)


@cache
def _in_process(account: str, region: str, service: str) -> Any:
    from localcloud.in_process import client  # which imports moto; nobody who only lists the tasks should wait for it

    return client(_botocore_session(), _CONFIG, account, region, service)


def _botocore_session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", LOADER)
    return session


def credentials(account: str, region: str, endpoint: str | None) -> dict[str, str]:
    """Credentials that moto takes for those of `account`, as the environment variables in which every AWS tool looks for them."""
    first = boto3.Session("testing", "testing", region_name=region, botocore_session=_botocore_session())
    sts = first.client("sts", region_name=region, endpoint_url=endpoint, config=_CONFIG)
    keys = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{_ROLE}", RoleSessionName=_ROLE)["Credentials"]
    return {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"], "AWS_SESSION_TOKEN": keys["SessionToken"]}


class Clouds:
    """The accounts and regions of one moto, each made at first use."""

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint
        self._clouds: dict[tuple[str, str], Aws] = {}
        self._lock = threading.Lock()

    def get(self, account: str, region: str) -> Aws:
        """The clients for `account` in `region`."""
        with self._lock:
            return self._clouds.setdefault((account, region), Aws(account, region, self._endpoint))


def is_missing(error: ClientError) -> bool:
    """Whether AWS says that the thing does not exist; each service has its own word for it."""
    code: str = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status == 404 or "NotFound" in code or "NoSuch" in code or "nonexistent" in code.lower() or "DoesNotExist" in code
