"""`structae train` under another name, from a checkout.

python -m experiments.main --config=experiments/sae12.py[:TOKEN,...]
    [--workdir=DIR] [--config.FIELD=VALUE ...]
"""

import sys

from structae.commands import train

if __name__ == '__main__':
  sys.exit(train.main(name='python -m experiments.main'))
