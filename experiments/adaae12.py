"""AdaAE-12.

python -m experiments.main --config=experiments/adaae12.py[:quick]
"""

from structae import config

get_config = config.variant('adaae12')
