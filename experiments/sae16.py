"""SAE-16. python -m experiments.main --config=experiments/sae16.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_config(tokens, '128px')
  config.model.decoder = 'structural'
  config.model.num_variables = 16
  return config
