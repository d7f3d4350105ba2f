"""Training of every model: one loop (:mod:`kgmm.train.fit`) and the problems it is given, one file per model."""
