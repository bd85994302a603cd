"""VLAE-4. python -m experiments.main --config=experiments/vlae4.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_config(tokens)
  config.model.encoder = 'ladder'
  config.model.decoder = 'ladder'
  config.model.num_variables = 4
  config.objective.name = 'beta_vae'
  config.objective.beta = 1.0
  return config
