"""VAE. python -m experiments.main --config=experiments/vae.py[:quick]"""

from experiments import common


def get_config(tokens=''):
  config = common.get_config(tokens)
  config.model.decoder = 'hourglass'
  config.model.num_variables = config.model.num_latents
  config.objective.name = 'beta_vae'
  config.objective.beta = 1.0
  return config
