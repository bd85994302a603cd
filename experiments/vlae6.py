"""VLAE-6. python -m experiments.main --config=experiments/vlae6.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_config(tokens)
  config.model.encoder = 'ladder'
  config.model.decoder = 'ladder'
  config.model.num_variables = 6
  config.objective.name = 'beta_vae'
  config.objective.beta = 1.0
  return config
