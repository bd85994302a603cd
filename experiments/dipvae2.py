"""DIP-VAE-II.

python -m experiments.main --config=experiments/dipvae2.py[:quick]
"""

from structae import config

get_config = config.variant('dipvae2')
