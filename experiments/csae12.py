"""SAE-12 with hybrid consistency.

python -m experiments.main --config=experiments/csae12.py[:quick]
"""

from structae import config

get_config = config.variant('csae12')
