"""AdaAE-3. python -m experiments.main --config=experiments/adaae3.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_config(tokens)
  config.model.decoder = 'adaptive'
  config.model.num_variables = config.model.num_latents
  config.model.num_stages = 3
  return config
