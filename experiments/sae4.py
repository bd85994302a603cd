"""SAE-4. python -m experiments.main --config=experiments/sae4.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_config(tokens)
  config.model.decoder = 'structural'
  config.model.num_variables = 4
  return config
