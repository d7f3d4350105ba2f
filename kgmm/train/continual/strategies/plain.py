"""Fine-tuning: nothing is done against forgetting; what the others are measured by."""

from kgmm.train.continual.base import Strategy

METHOD = Strategy
