"""AdaAE-16.

python -m experiments.main --config=experiments/adaae16.py[:quick]
"""

from structae import config

get_config = config.variant('adaae16')
