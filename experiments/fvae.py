"""FactorVAE. python -m experiments.main --config=experiments/fvae.py[:quick]"""

from structae import config

get_config = config.variant('fvae')
