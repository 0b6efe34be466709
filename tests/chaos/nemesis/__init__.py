"""The nemesis: faults drawn at random fall upon a shop full of customers, for as long as one likes.

`./oja nemesis` is the way in. What comes next is plan.py, a pure function of the seed; how it is
done is faults.py, links.py cuts connections; customers.py is the load, healing.py the judge of when
it is over, verdict.py the judge of all in the end, report.py what people read.
"""
