"""Writes tests/fixtures/tensorflow.json: what TensorFlow's own optimizers and averages give.

    pip install tensorflow-cpu
    python tests/scripts/tensorflow_values.py
"""

import json
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf

FOLDER = Path(__file__).parent.parent / "fixtures"
STEPS = 8
SIZE = 6

# Of very different sizes, with a gradient that is 0 throughout. The rate changes on the way, as it does in training.
index = np.arange(SIZE)
start = np.float32((index - 2.5) * 0.3)
gradients = [
    np.float32(np.cos(1.3 * step + 0.7 * index) * 10.0 ** (2 - index)) * (index != 3) for step in range(STEPS)
]
gradients = [np.float32(gradient) for gradient in gradients]
rates = [0.01 * 0.5 ** (step // 3) for step in range(STEPS)]


def numbers(array):
    return [float(value) for value in np.asarray(array).ravel()]


def with_penalty(variable, gradient, weight_decay):
    """Returns the gradient of a loss with tf.slim's l2_regularizer(weight_decay), half the sum of squares times it."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(variable * gradient) + weight_decay * tf.nn.l2_loss(variable)
    return tape.gradient(loss, variable)


def rms_prop(version, decay, momentum, epsilon, weight_decay):
    variable = tf.Variable(start)
    if version == 1:
        rate = tf.Variable(0.0)
        make = tf.compat.v1.train.RMSPropOptimizer
        optimizer = make(rate, decay=decay, momentum=momentum, epsilon=epsilon)
    else:
        optimizer = keras.optimizers.RMSprop(0.0, rho=decay, momentum=momentum, epsilon=epsilon)
        rate = optimizer._learning_rate
    parameters = []
    for gradient, value in zip(gradients, rates):
        rate.assign(value)
        optimizer.apply_gradients([(with_penalty(variable, gradient, weight_decay), variable)])
        parameters.append(numbers(variable))
    return {
        "version": version,
        "decay": decay,
        "momentum": momentum,
        "epsilon": epsilon,
        "weight_decay": weight_decay,
        "parameters": parameters,
    }


def moving_average(decay, warm_up):
    """The average of a variable that starts as `start` and has the gradients subtracted, one each step."""
    variable = tf.Variable(start)
    updates = tf.Variable(0, dtype=tf.int64)
    average = tf.train.ExponentialMovingAverage(decay, num_updates=updates if warm_up else None)
    average.apply([variable])  # makes the average, with the variable's value
    averages = []
    for gradient in gradients:
        variable.assign_sub(gradient)
        updates.assign_add(1)
        average.apply([variable])
        averages.append(numbers(average.average(variable)))
    return {"decay": decay, "warm_up": warm_up, "averages": averages}


def clipped(norm):
    parts = [tf.constant(gradients[0]), tf.constant(gradients[1])]
    parts, global_norm = tf.clip_by_global_norm(parts, norm)
    return {"most": norm, "norm": float(global_norm), "gradients": [numbers(part) for part in parts]}


values = {
    "made_with": {"tensorflow": tf.__version__, "keras": keras.__version__},
    "start": numbers(start),
    "gradients": [numbers(gradient) for gradient in gradients],
    "rates": rates,
    "rms_prop": [
        rms_prop(1, 0.9, 0.9, 1e-10, 0.0),
        rms_prop(1, 0.9, 0.9, 1.0, 4e-3),
        rms_prop(1, 0.95, 0.0, 1e-3, 0.0),
        rms_prop(3, 0.9, 0.9, 1e-7, 0.0),
        rms_prop(3, 0.9, 0.0, 1e-7, 1e-2),
    ],
    "moving_average": [moving_average(0.6, False), moving_average(0.6, True)],
    "clipping": [clipped(1.0), clipped(1000.0)],
}
(FOLDER / "tensorflow.json").write_text(json.dumps(values, indent=1) + "\n")
