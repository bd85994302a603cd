"""beta-TCVAE.

python -m experiments.main --config=experiments/tcvae.py[:quick]
"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_hourglass_config(tokens)
  config.objective.name = 'beta_tcvae'
  return config
