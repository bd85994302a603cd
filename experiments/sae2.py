"""SAE-2. python -m experiments.main --config=experiments/sae2.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_config(tokens)
  config.model.decoder = 'structural'
  config.model.num_variables = 2
  return config
