"""VAE. python -m experiments.main --config=experiments/vae.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_hourglass_config(tokens)
  config.objective.name = 'beta_vae'
  config.objective.beta = 1.0
  return config
