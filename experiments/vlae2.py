"""VLAE-2. python -m experiments.main --config=experiments/vlae2.py[:quick]"""

from structae import config

get_config = config.variant('vlae2')
