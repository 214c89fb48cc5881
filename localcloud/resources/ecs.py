"""Amazon ECS on Fargate: clusters, task definitions and services, in the modules beside this one."""

from __future__ import annotations

from localcloud.resources._ecs_cluster import CAPACITY_PROVIDERS, CLUSTER
from localcloud.resources._ecs_service import SERVICE
from localcloud.resources._ecs_task import TASK_DEFINITION

KINDS = (CLUSTER, CAPACITY_PROVIDERS, TASK_DEFINITION, SERVICE)
