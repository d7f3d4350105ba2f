"""Answers by ranking (fact, answering end) pairs: readable features, a linear score, a trained committee."""
