"""AnnealedVAE.

python -m experiments.main --config=experiments/avae.py[:quick]
"""

from structae import config

get_config = config.variant('avae')
