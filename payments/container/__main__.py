"""`python -m payments.container web|worker|migrate|health`; see Dockerfile."""

from __future__ import annotations

import sys

from payments.container.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
