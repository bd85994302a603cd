"""AE, the hourglass.

python -m experiments.main --config=experiments/ae.py[:quick]
"""

from experiments import common


def get_config(tokens=''):
  config = common.get_config(tokens)
  config.model.decoder = 'hourglass'
  config.model.num_variables = config.model.num_latents
  return config
