"""A moto server in a process of its own (`python -m tests.payments.faults.moto_server`): other tests of a process reset all that moto holds there."""

from __future__ import annotations

import sys

from moto.server import ThreadedMotoServer

from localcloud.moto_settings import as_a_control_plane


def main() -> None:
    """Prints the address, and serves until standard input ends."""
    as_a_control_plane()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
