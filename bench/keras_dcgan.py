"""The Keras tutorial's DCGAN in TensorFlow, float32, as a contestant of bench.race. Needs tensorflow, not torch.

The recipe: dropout 0.3 after every activation of the discriminator, labels noisy by 0.1 outwards, both gradients from
one forward pass, both networks moved at once, Adam 2e-4 with beta1 0.5; default threads, no XLA (it is slower here).
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import json
import sys
import time

import numpy as np
import tensorflow as tf
from keras import Model, layers, losses, metrics, optimizers  # pyright: ignore[reportMissingImports]

BATCH, LATENT, IMAGES = 128, 100, 2048


def generator() -> Model:
    """(N, 1, 1, 100) -> (N, 64, 64, 1)."""
    x = inputs = layers.Input((1, 1, LATENT))
    for index, channels in enumerate((512, 256, 128, 64)):
        stride, padding = (1, "valid") if index == 0 else (2, "same")
        x = layers.Conv2DTranspose(channels, 4, strides=stride, padding=padding, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return Model(inputs, layers.Conv2DTranspose(1, 4, 2, "same", use_bias=False, activation="tanh")(x))


def discriminator() -> Model:
    """(N, 64, 64, 1) -> (N, 1), a probability."""
    x = inputs = layers.Input((64, 64, 1))
    for index, channels in enumerate((64, 128, 256, 512)):
        x = layers.Conv2D(channels, 4, strides=2, padding="same", use_bias=False)(x)
        if index:
            x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        x = layers.Dropout(0.3)(x)
    x = layers.Conv2D(1, 4, padding="valid", use_bias=False, activation="sigmoid")(x)
    return Model(inputs, layers.Flatten()(x))


class DCGAN(Model):
    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = generator(), discriminator()
        self.entropy = losses.BinaryCrossentropy()
        self.optimizer_g, self.optimizer_d = (optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.999) for _ in range(2))
        self.means = [metrics.Mean(name=name) for name in ("d_loss", "g_loss")]

    @tf.function
    def train_step(self, real: tf.Tensor) -> None:
        latent = tf.random.normal((BATCH, 1, 1, LATENT))
        with tf.GradientTape() as tape_g, tf.GradientTape() as tape_d:
            fake = self.generator(latent, training=True)
            p_real = self.discriminator(real, training=True)
            p_fake = self.discriminator(fake, training=True)
            label_real = 1 + 0.1 * tf.random.uniform(tf.shape(p_real))
            label_fake = -0.1 * tf.random.uniform(tf.shape(p_fake))
            d_loss = (self.entropy(label_real, p_real) + self.entropy(label_fake, p_fake)) / 2
            g_loss = self.entropy(tf.ones_like(p_fake), p_fake)
        weights_d, weights_g = self.discriminator.trainable_variables, self.generator.trainable_variables
        gradients_d, gradients_g = tape_d.gradient(d_loss, weights_d), tape_g.gradient(g_loss, weights_g)
        self.optimizer_d.apply_gradients(zip(gradients_d, weights_d, strict=True))
        self.optimizer_g.apply_gradients(zip(gradients_g, weights_g, strict=True))
        self.means[0].update_state(d_loss)
        self.means[1].update_state(g_loss)


def main() -> None:
    model = DCGAN()
    images = np.random.default_rng(0).uniform(-1, 1, (IMAGES, 64, 64, 1)).astype("float32")
    batches = iter(tf.data.Dataset.from_tensor_slices(images).repeat().batch(BATCH).prefetch(tf.data.AUTOTUNE))
    for _ in range(6):
        model.train_step(next(batches))
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        count = int(line)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            model.train_step(next(batches))
        _ = model.means[0].result().numpy()
        taken = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps(taken | {"work": count * BATCH}), flush=True)


if __name__ == "__main__":
    main()
