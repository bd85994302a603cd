"""beta-VAE. python -m experiments.main --config=experiments/bvae.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_hourglass_config(tokens)
  config.objective.name = 'beta_vae'
  return config
