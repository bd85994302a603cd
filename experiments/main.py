"""`structae train` under another name, from a checkout.

python -m experiments.main --config=experiments/sae12.py[:TOKEN,...]
    [--workdir=DIR] [--config.FIELD=VALUE ...]
"""

import sys

from structae import commands

if __name__ == '__main__':
  sys.exit(commands.start('train', name='python -m experiments.main'))
