"""What processes use, as benchmarks see it."""

import os
import subprocess
import sys

from stack.benchmarks.usage import cpu_of, memory_of

BUSY = """
import sys, time
while time.process_time() < 0.5: pass
sys.stdout.write('.'); sys.stdout.flush(); input()
"""
HUNGRY = "import sys; kept = b'x' * (48 << 20); sys.stdout.write('.'); sys.stdout.flush(); input()"


def test_the_memory_of_a_process_counts_that_of_its_children():
    before = memory_of([os.getpid()])
    with subprocess.Popen(
        [sys.executable, "-c", HUNGRY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.read(1)
        while_it_lives = memory_of([os.getpid()])
        child.communicate(b"\n")

    assert before > 1
    assert while_it_lives > before + 48


def test_the_time_of_a_process_counts_that_of_its_children():
    before = cpu_of(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.read(1)
        while_it_lives = cpu_of(os.getpid())
        child.communicate(b"\n")

    assert 0.48 <= while_it_lives - before < 5


def test_a_process_that_is_gone_uses_nothing():
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()

    assert memory_of([done.pid]) == 0
    assert cpu_of(done.pid) == 0
