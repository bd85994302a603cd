"""VLAE-4. python -m experiments.main --config=experiments/vlae4.py[:quick]"""

from structae import config

get_config = config.variant('vlae4')
