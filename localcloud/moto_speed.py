"""What moto and botocore work out again for each call, worked out once: a third of a rehearsal."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import botocore.hooks
import moto.core.responses
from moto.core.base_backend import BaseBackend


def worked_out_once() -> None:
    """Makes the moto and the botocore of this process remember; once is enough."""
    _addresses()
    _actions()
    _names_of_events()


def _addresses() -> None:
    """Each call went through all addresses of its service, written anew; S3 even read the module with them from its file again."""
    backends: Any = BaseBackend
    s3: Any = importlib.import_module("moto.s3.models").S3Backend
    if not isinstance(backends.urls, property) or hasattr(backends.urls.fget, "__wrapped__"):
        return
    s3._url_module = property(lambda _: importlib.import_module("moto.s3.urls"))  # noqa: SLF001 - what is reloaded depends on variables that nobody sets here
    write: Any = backends.urls.fget

    @cache
    def of_service(kind: Any) -> dict[str, Any]:
        return write(kind.__new__(kind))

    def urls(backend: Any) -> dict[str, Any]:
        return of_service(type(backend))

    urls.__wrapped__ = write  # type: ignore[attr-defined]
    backends.urls = property(urls)


def _actions() -> None:
    """Each call looked through a class for its methods, as the name of an action may be none."""
    responses: Any = moto.core.responses
    if not hasattr(responses.method_names_from_class, "cache_info"):
        responses.method_names_from_class = cache(responses.method_names_from_class)


def _names_of_events() -> None:
    """Each client had to find out by itself what botocore's events were called in earlier versions."""
    aliaser: Any = botocore.hooks.EventAliaser
    standard = aliaser(None)
    if standard._alias_name_cache is not aliaser(None)._alias_name_cache:  # noqa: SLF001 - botocore keeps it nowhere else
        make, kept = aliaser.__init__, standard._alias_name_cache  # noqa: SLF001

        def init(self: Any, event_emitter: Any, event_aliases: Any = None) -> None:
            make(self, event_emitter, event_aliases)
            self._alias_name_cache = kept  # the aliases are always botocore's

        aliaser.__init__ = init
