"""SAE-12. python -m experiments.main --config=experiments/sae12.py[:quick]"""

from structae.config import scales as common


def get_config(tokens=''):
  config = common.get_config(tokens)
  config.model.decoder = 'structural'
  config.model.num_variables = 12
  return config
