"""SAE-8. python -m experiments.main --config=experiments/sae8.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_config(tokens, '128px')
  config.model.decoder = 'structural'
  config.model.num_variables = 8
  return config
