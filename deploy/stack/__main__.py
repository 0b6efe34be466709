"""`python -m stack`: what ./oja runs once the virtual environment is there."""

import sys

from stack.cli import main

sys.exit(main())
