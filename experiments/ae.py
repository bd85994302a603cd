"""AE, the hourglass.

python -m experiments.main --config=experiments/ae.py[:quick]
"""

from structae.config import scales as common


def get_config(tokens=''):
  return common.get_hourglass_config(tokens)
