"""Research code around structae, run as `python -m experiments.NAME`."""

import sys

from structae import commands

# Ctrl-C is one line, also while a program imports what it needs.
sys.excepthook = commands.say
