"""AdaAE-16.

python -m experiments.main --config=experiments/adaae16.py[:quick]
"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_config(tokens, '128px')
  config.model.decoder = 'adaptive'
  config.model.num_variables = config.model.num_latents
  config.model.num_stages = 16
  return config
