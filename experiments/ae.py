"""AE, the hourglass.

python -m experiments.main --config=experiments/ae.py[:quick]
"""

from structae import config

get_config = config.variant('ae')
