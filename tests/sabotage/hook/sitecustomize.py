"""Python imports this by itself at the start, where this folder is in PYTHONPATH."""

import os

if os.environ.get("OJA_MUTANT"):
    from tests.sabotage.mutants import MUTANTS

    MUTANTS[os.environ["OJA_MUTANT"]].apply()

if os.environ.get("OJA_CRASHES"):
    from tests.sabotage.crash_points import arm

    arm()
