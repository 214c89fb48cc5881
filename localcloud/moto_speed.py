"""What moto and botocore work out again for each call, worked out once: a third of a rehearsal."""

from __future__ import annotations

import importlib
import string
from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Any

import botocore.hooks
import moto.core.responses
from moto.core import serialize
from moto.core.base_backend import BaseBackend
from moto.core.serialize import XFormedAttributePicker
from moto.moto_api._internal.moto_random import MotoRandom

_POOL = string.ascii_letters + string.digits


def worked_out_once() -> None:
    """Makes the moto and the botocore of this process remember; once is enough."""
    _addresses()
    _actions()
    _names_of_events()
    _names_of_elements()
    _attributes()
    _request_ids()


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
    """Each call looked through a class for its methods, as the name of an action may be none, and wrote that name as Python does."""
    responses: Any = moto.core.responses
    _remember(responses, "method_names_from_class")
    _remember(responses, "camelcase_to_underscores")


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


def _names_of_elements() -> None:
    """Each XML element was looked at letter by letter, whether it may be called so."""
    writer: Any = serialize
    _remember(writer.xmltodict, "_validate_name")


def _attributes() -> None:
    """What an attribute of an answer may be called in moto was found out for each object again; it depends on what is asked and the object's class."""
    pickers: Any = XFormedAttributePicker
    find: Callable[[Any, Any], Iterable[str]] = pickers.get_possible_keys
    if hasattr(find, "__wrapped__"):
        return

    @wraps(find)
    def get_possible_keys(picker: Any, context: Any) -> Iterable[str]:
        kept = vars(context.shape).setdefault("_possible_keys", {})
        key = (*picker.alias_providers, type(context.obj), context.key)
        if key not in kept:
            kept[key] = tuple(find(picker, context))
        return kept[key]

    pickers.get_possible_keys = get_possible_keys


def _request_ids() -> None:
    """Each answer has an id of 52 letters, for each of which moto went for a random number of its own."""
    generator: Any = MotoRandom

    def get_random_string(random: Any, length: int = 20, include_digits: bool = True, lower_case: bool = False) -> str:
        drawn = "".join(random.choices(_POOL if include_digits else string.ascii_letters, k=length))
        return drawn.lower() if lower_case else drawn

    generator.get_random_string = get_random_string


def _remember(module: Any, name: str) -> None:
    function = getattr(module, name)
    if not hasattr(function, "cache_info"):
        setattr(module, name, cache(function))
