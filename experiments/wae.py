"""WAE-MMD. python -m experiments.main --config=experiments/wae.py[:quick]"""

from experiments import common


def get_config(tokens=''):
  config = common.get_hourglass_config(tokens)
  config.objective.name = 'wae'
  return config
