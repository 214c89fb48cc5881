"""`python -m bench`: what the platform costs beside what one would do without it."""

import argparse

from bench import deploy, rehearsal

parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios of commands measured side by side, in one run each.")
parser.add_argument("what", nargs="*", choices=["rehearsal", "deploy", []], help="which benchmark (both)")
parser.add_argument("--rounds", type=int, default=3, help="how many times each is measured (3)")
options = parser.parse_args()
for name, bench in {"rehearsal": rehearsal, "deploy": deploy}.items():
    if not options.what or name in options.what:
        bench.run(options.rounds)
