"""Weights of the explicit reasoner, written by ``benchmarks/fit_explicit.py``; do not edit by hand.

fitted half: top1 0.805, fact1 0.680, gold pair among the candidates 0.937 (1511 questions)
other half: top1 0.800, fact1 0.671, gold pair among the candidates 0.930 (1508 questions)
"""

import numpy as np

#: one weight a feature of :data:`kgmm.reason.ranking.features.FEATURES`
WEIGHTS = np.array(
    [
        11.2023,  # similarity
        3.1821,  # given_similarity
        1.9565,  # answer_similarity
        -1.4173,  # given_said
        -0.7708,  # answer_said
        2.0681,  # question_said
        1.0510,  # only_answer_seen
        4.6351,  # only_given_seen
        3.2820,  # both_seen
        2.1429,  # relation_asked
        1.2024,  # unseen_asked
        2.4709,  # unseen_asked_given_seen
        0.8044,  # seen_asked
        -1.3575,  # answer_all_said
        0.6866,  # given_all_said
        2.5658,  # given_said_answer_seen
        1.6299,  # related
        -0.9114,  # is_a
        0.1738,  # answer_length
        0.3038,  # given_length
        3.2401,  # given_similarity_answer_seen
        3.4170,  # similarity_answer_seen
        0.6429,  # answer_is_subject
        -0.0003,  # no_cue
        -4.5427,  # inherited
    ]
)
#: confidence = 1 / (1 + exp(-(SLOPE * logit + BIAS)))
SLOPE, BIAS = 0.4356, -7.5235
#: confidence below which the reasoner abstains, whatever the picture
THRESHOLD = 0.2
