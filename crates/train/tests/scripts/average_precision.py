"""Prints scikit-learn's average precision of logits and labels that a formula gives, for the tests of MAP@100."""

import numpy as np
from sklearn.metrics import average_precision_score, label_ranking_average_precision_score

for images, classes in [(6, 5), (20, 12), (50, 90)]:
    i, c = np.ogrid[:images, :classes]
    logits = ((i * 7 + c * c * 3 + i * c) % 11) - 5.0
    labels = ((i * 5 + c * 3 + c * c) % 4 == i % 3).astype(int)
    some = labels.any(axis=1)  # scikit-learn has a value for images without labels, which are left out here
    samples = average_precision_score(labels[some], logits[some], average="samples")
    ranking = label_ranking_average_precision_score(labels[some], logits[some])
    assert abs(samples - ranking) < 1e-12
    print(images, classes, int(some.sum()), repr(float(samples)))
