"""What every test stands on: moto as the local cloud sets it up, and property tests that a busy machine does not fail."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings
from xdist.remote import Producer

from localcloud.moto_settings import as_a_control_plane
from shared.variables import TARGET
from tests.scheduling import Scheduling

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# Before anything starts moto: it reads its own settings when it is imported.
as_a_control_plane()

# Programs that tests run are deployed nowhere else.
os.environ[TARGET] = "local"


def pytest_configure(config: pytest.Config) -> None:
    """Warnings that are about no code of ours, and Ctrl-C."""
    # A service's module of the SDK imports its deprecated resources with the others; we use none of them.
    config.addinivalue_line("filterwarnings", "ignore:.*has been deprecated in favor of:DeprecationWarning:pulumi_aws.*")
    # A shell that starts the tests in its background has them and their children deaf to Ctrl-C, which some send.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # moto's codes of a few errors are not those of botocore's model.
    config.addinivalue_line("filterwarnings", "ignore:Exception.* does not match an error shape:UserWarning:moto.*")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """The order in which workers get tests."""
    return Scheduling(config, log)
