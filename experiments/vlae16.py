"""VLAE-16. python -m experiments.main --config=experiments/vlae16.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_config(tokens, '128px')
  config.model.encoder = 'ladder'
  config.model.decoder = 'ladder'
  config.model.num_variables = 16
  config.objective.name = 'beta_vae'
  config.objective.beta = 1.0
  return config
