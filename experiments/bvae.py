"""beta-VAE. python -m experiments.main --config=experiments/bvae.py[:quick]"""

from structae import config

get_config = config.variant('bvae')
