"""`python -m bench`: what the platform costs beside what one would do without it."""

import argparse

from bench import deploy, environments, load, packages, payments, rehearsal

_BENCHES = {"rehearsal": rehearsal, "deploy": deploy, "environments": environments, "payments": payments, "load": load, "packages": packages}

parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios of what is measured side by side, in one run each.")
parser.add_argument("what", nargs="*", choices=[*_BENCHES, []], help="which benchmark (all)")
parser.add_argument("--rounds", type=int, default=3, help="how many times each is measured (3)")
options = parser.parse_args()
for name, bench in _BENCHES.items():
    if not options.what or name in options.what:
        bench.run(options.rounds)
