"""DIP-VAE-I.

python -m experiments.main --config=experiments/dipvae1.py[:quick]
"""

from structae import config

get_config = config.variant('dipvae1')
