"""`python -m autograder` is the command `autograder`."""

import os
import sys

# With -m, Python looks for modules in the working directory first, and a student may have put a torch.py there.
if sys.path[0] == os.getcwd() != os.path.dirname(os.path.dirname(__file__)):  # noqa: PTH109, PTH120 (nothing imported)
    del sys.path[0]

from autograder.cli import main

main()
