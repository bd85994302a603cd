"""beta-TCVAE.

python -m experiments.main --config=experiments/tcvae.py[:quick]
"""

from experiments import common


def get_config(tokens=''):
  config = common.get_config(tokens)
  config.model.decoder = 'hourglass'
  config.model.num_variables = config.model.num_latents
  config.objective.name = 'beta_tcvae'
  return config
