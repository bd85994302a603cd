"""VLAE-3. python -m experiments.main --config=experiments/vlae3.py[:quick]"""

from structae import config

get_config = config.variant('vlae3')
