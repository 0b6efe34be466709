"""The test build: Oja with a protection taken away, or with a process that kills itself.

`OJA_MUTANT` names what is taken away (mutants.py), `OJA_CRASHES` the folder that says where to die
(crash_points.py). Nothing of this is in the product: it is patched in from outside, in the process
of the tests and in every Python process that they start.
"""
