"""FactorVAE. python -m experiments.main --config=experiments/fvae.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_hourglass_config(tokens)
  config.objective.name = 'factor_vae'
  return config
