"""VAE. python -m experiments.main --config=experiments/vae.py[:quick]"""

from structae import config

get_config = config.variant('vae')
