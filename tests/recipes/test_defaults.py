"""Every default of every recipe, and where it comes from. A changed default, or one without a row, fails."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from zerosum import recipes

ADAM = "Radford et al. 2016, section 4"
EMA = "ours, because single iterates of a game vary; the decay of Karras et al. 2018, appendix A.1"

# Recipe: setting -> (value, source). A source is a section of a paper, the authors' code, or "ours, because ...".
DEFAULTS: dict[str, dict[str, tuple[Any, str]]] = {
    "dvdgan": {
        "preset": ("auto", "ours, because small networks suit a CPU and large ones a GPU"),
        "rounds": (4_000, "ours, because it is sized for a CPU"),
        "batch": (8, "ours, because it is sized for a CPU (512 in section 4.1)"),
        "latent_dim": (32, "ours, because it is sized for a CPU (120 in section 3)"),
        "embedding": (32, "ours, because it is sized for a CPU (120 in section 3)"),
        "width": (4, "ours, because it is sized for a CPU (not fully stated in the paper)"),
        "spatial_frames": (4, "ours, because clips are of 16 frames (8 in section 3.1)"),
        "n_discriminator": (2, "Clark et al. 2019, section 4.1"),
        "generator_lr": (5e-4, "ours, because small batches and few rounds (1e-4 in section 4.1)"),
        "discriminator_lr": (5e-4, "Clark et al. 2019, section 4.1"),
        "betas": ((0.0, 0.999), "Clark et al. 2019, section 4.1"),
        "ema_decay": (0.999, "ours, because runs are short"),
    },
    "gan": {
        "enlarge": (1.0, "ours, because data come at their size"),
        "mirror": (0.0, "ours, because left and right are not always alike"),
        "rounds": (20_000, "ours, because about 43 epochs of MNIST suffice for legible digits"),
        "batch": (128, "ours, because it suits Adam (the authors' code has 100)"),
        "latent_dim": (100, "Goodfellow et al. 2014, authors' code, mnist.yaml"),
        "architecture": ("mlp", "ours, because a widely used introduction has these; pacgan is Lin et al. 2018's"),
        "simultaneous": (False, "Goodfellow et al. 2014, algorithm 1: one after the other"),
        "generator_hidden": ((500, 500), "ours, because a widely used introduction has these"),
        "discriminator_hidden": ((500, 500), "ours, because a widely used introduction has these"),
        "activation": ("relu", "Goodfellow et al. 2014, section 5 (generator)"),
        "dropout": (0.3, "ours, because the discriminator soon wins without (a widely used introduction)"),
        "n_discriminator": (1, "Goodfellow et al. 2014, algorithm 1: k = 1"),
        "generator_lr": (2e-4, f"ours, because Adam replaces SGD: {ADAM}"),
        "discriminator_lr": (2e-4, f"ours, because Adam replaces SGD: {ADAM}"),
        "betas": ((0.5, 0.999), f"ours, because Adam replaces SGD: {ADAM}"),
        "ema_decay": (0.999, EMA),
    },
    "dcgan": {
        "enlarge": (1.0, "ours, because data come at their size"),
        "mirror": (0.0, "ours, because left and right are not always alike"),
        "rounds": (10_000, "ours, because no paper's number of epochs fits all data sets"),
        "batch": (128, "Radford et al. 2016, section 4"),
        "latent_dim": (100, "Radford et al. 2016, figure 1"),
        "upsampling": ("transposed", "Radford et al. 2016, section 3"),
        "width": (64, "Radford et al. 2016, authors' code: ngf = ndf = 64"),
        "generator_norm": ("batch", "Radford et al. 2016, section 3"),
        "discriminator_norm": ("batch", "Radford et al. 2016, section 3"),
        "dropout": (0.0, "Radford et al. 2016, section 3: none"),
        "real_label": ((0.9, 0.9), "ours, because of Salimans et al. 2016, section 3.4: one-sided smoothing"),
        "fake_label": ((0.0, 0.0), "Goodfellow et al. 2014, eq. 1"),
        "generator_lr": (2e-4, ADAM),
        "discriminator_lr": (2e-4, ADAM),
        "betas": ((0.5, 0.999), ADAM),
        "ema_decay": (0.999, EMA),
    },
    "acgan": {
        "preset": ("auto", "ours, because the device decides what can be waited for"),
        "rounds": (5_000, "ours, because it is sized for a CPU (50,000 in appendix A)"),
        "batch": (64, "ours, because it is sized for a CPU (100 in appendix A)"),
        "latent_dim": (64, "ours, because it is sized for a CPU (100 in appendix A)"),
        "architecture": ("dcgan", "ours, because it is sized for a CPU"),
        "width": (32, "ours, because it is sized for a CPU"),
        "generator_norm": ("batch", "Odena et al. 2017, appendix A"),
        "discriminator_norm": ("batch", "Odena et al. 2017, appendix A"),
        "dropout": (0.3, "ours, because the network is smaller than the paper's (0.5 in appendix A)"),
        "class_real": (1.0, "Odena et al. 2017, section 3: L_S + L_C"),
        "class_fake": (1.0, "Odena et al. 2017, section 3: L_S + L_C"),
        "class_generator": (1.0, "Odena et al. 2017, section 3: L_C - L_S"),
        "lr": (2e-4, "Odena et al. 2017, appendix A"),
        "betas": ((0.5, 0.999), "Odena et al. 2017, appendix A: beta1 = 0.5, beta2 = 0.999"),
        "ema_decay": (0.999, EMA),
    },
    "cgan": {
        "preset": ("auto", "ours, because the device decides what can be waited for"),
        "rounds": (5_000, "ours, because it is sized for a CPU"),
        "batch": (64, "ours, because it is sized for a CPU (128 in Radford et al. 2016, section 4)"),
        "latent_dim": (64, "ours, because it is sized for a CPU (100 in Radford et al. 2016, figure 1)"),
        "architecture": ("dcgan", "Radford et al. 2016, section 3"),
        "width": (32, "ours, because it is sized for a CPU (64 in Radford et al. 2016, authors' code)"),
        "generator_norm": ("batch", "Radford et al. 2016, section 3"),
        "discriminator_norm": ("auto", "ours, because a gradient penalty has none: Gulrajani et al. 2017, section 4"),
        "dropout": (0.0, "Radford et al. 2016, section 3: none"),
        "loss": ("logistic", "ours, because eq. 2 of the paper is, here with the non-saturating generator"),
        "penalty": (10.0, "Gulrajani et al. 2017, algorithm 1: lambda = 10"),
        "n_discriminator": (1, "Goodfellow et al. 2014, algorithm 1: k = 1"),
        "lr": (2e-4, ADAM),
        "betas": ((0.5, 0.999), ADAM),
        "ema_decay": (0.999, EMA),
    },
    "lsgan": {
        "preset": ("auto", "ours, because the device decides what can be waited for"),
        "rounds": (5_000, "ours, because it is sized for a CPU"),
        "batch": (64, "Mao et al. 2017, authors' code"),
        "latent_dim": (64, "ours, because it is sized for a CPU (1024 in figure 5)"),
        "upsampling": ("transposed", "Mao et al. 2017, figure 5"),
        "width": (32, "ours, because it is sized for a CPU (64 in Radford et al. 2016, authors' code)"),
        "generator_norm": ("batch", "Mao et al. 2017, figure 5"),
        "discriminator_norm": ("batch", "Mao et al. 2017, figure 5"),
        "dropout": (0.25, "ours, because small data sets are soon memorised"),
        "targets": ((0.0, 1.0, 1.0), "Mao et al. 2017, section 3.2.3, eq. 9"),
        "generator_lr": (2e-4, ADAM),
        "discriminator_lr": (2e-4, ADAM),
        "betas": ((0.5, 0.999), f"Mao et al. 2017, section 4: beta1 = 0.5, as {ADAM}"),
        "ema_decay": (0.999, EMA),
    },
    "wgan": {
        "preset": ("auto", "ours, because the device decides what can be waited for"),
        "rounds": (5_000, "ours, because it is sized for a CPU"),
        "batch": (64, "Arjovsky et al. 2017, algorithm 1: m = 64"),
        "latent_dim": (64, "ours, because it is sized for a CPU (100 in the authors' code)"),
        "upsampling": ("transposed", "Arjovsky et al. 2017, authors' code: DCGAN's"),
        "width": (32, "ours, because it is sized for a CPU (64 in the authors' code)"),
        "generator_norm": ("batch", "Arjovsky et al. 2017, authors' code: DCGAN's"),
        "critic_norm": ("batch", "Arjovsky et al. 2017, authors' code: DCGAN's"),
        "clip": (0.01, "Arjovsky et al. 2017, algorithm 1: c = 0.01"),
        "n_critic": (5, "Arjovsky et al. 2017, algorithm 1: n_critic = 5"),
        "long_n_critic": (100, "Arjovsky et al. 2017, authors' code, main.py"),
        "long_rounds": (25, "Arjovsky et al. 2017, authors' code, main.py"),
        "long_every": (500, "Arjovsky et al. 2017, authors' code, main.py"),
        "lr": (5e-5, "Arjovsky et al. 2017, algorithm 1: alpha = 0.00005"),
        "ema_decay": (0.999, EMA),
    },
    "wgan_gp": {
        "enlarge": (1.0, "ours, because data come at their size"),
        "mirror": (0.0, "ours, because left and right are not always alike"),
        "rounds": (10_000, "ours, because no paper's number of iterations fits all data sets"),
        "batch": (64, "Gulrajani et al. 2017, authors' code, gan_cifar_resnet.py"),
        "latent_dim": (128, "Gulrajani et al. 2017, authors' code, gan_mnist.py and gan_cifar_resnet.py"),
        "upsampling": ("transposed", "Gulrajani et al. 2017, authors' code: DCGAN's"),
        "width": (64, "Gulrajani et al. 2017, authors' code, gan_mnist.py"),
        "generator_norm": ("batch", "Gulrajani et al. 2017, section 4"),
        "critic_norm": ("none", "Gulrajani et al. 2017, section 4"),
        "points_hidden": ((512, 512, 512), "Gulrajani et al. 2017, authors' code, gan_toy.py"),
        "n_critic": (5, "Gulrajani et al. 2017, algorithm 1: n_critic = 5"),
        "penalty": (10.0, "Gulrajani et al. 2017, algorithm 1: lambda = 10"),
        "lr": (1e-4, "Gulrajani et al. 2017, algorithm 1: alpha = 0.0001"),
        "betas": ((0.0, 0.9), "Gulrajani et al. 2017, algorithm 1: beta1 = 0, beta2 = 0.9"),
        "ema_decay": (0.999, EMA),
    },
    "unrolled": {
        "rounds": (10_000, "ours, because no paper's number of iterations fits all data sets"),
        "batch": (128, "Lin et al. 2018, authors' code of section 4.2, in the setting of Metz et al. 2017"),
        "latent_dim": (256, "Metz et al. 2017, appendix A and authors' demo"),
        "steps": (1, "ours, because each costs a move: the fewest of Metz et al. 2017, section 3.3"),
        "generator_hidden": ((128, 128), "Metz et al. 2017, appendix A and authors' demo"),
        "discriminator_hidden": ((128, 128), "Metz et al. 2017, authors' demo"),
        "activation": ("tanh", "Metz et al. 2017, authors' demo"),
        "width": (64, "Radford et al. 2016, authors' code: ngf = ndf = 64"),
        "generator_lr": (1e-4, "Lin et al. 2018, authors' code of section 4.2, in the setting of Metz et al. 2017"),
        "discriminator_lr": (2e-4, "Lin et al. 2018, authors' code of section 4.2, in the setting of Metz et al. 2017"),
        "betas": ((0.5, 0.999), "Metz et al. 2017, appendix A and authors' demo: beta1 = 0.5"),
        "ema_decay": (0.999, EMA),
    },
    "infogan": {
        "enlarge": (1.0, "ours, because data come at their size"),
        "mirror": (0.0, "ours, because left and right are not always alike"),
        "rounds": (5_000, "Chen et al. 2016, authors' code, run_mnist_exp.py: 50 epochs of 100 updates"),
        "batch": (128, "Chen et al. 2016, authors' code, run_mnist_exp.py"),
        "noise": (62, "Chen et al. 2016, appendix C.1"),
        "categories": (10, "Chen et al. 2016, section 7.2"),
        "codes": (2, "Chen et al. 2016, section 7.2"),
        "information": (1.0, "Chen et al. 2016, section 6: lambda = 1"),
        "width": (64, "Chen et al. 2016, appendix C.1"),
        "generator_lr": (1e-3, "Chen et al. 2016, appendix C.1"),
        "discriminator_lr": (2e-4, "Chen et al. 2016, appendix C.1"),
        "betas": ((0.5, 0.999), "Chen et al. 2016, authors' code: beta1 = 0.5"),
        "ema_decay": (0.999, EMA),
    },
    "pix2pix": {
        "rounds": (80_000, "Isola et al. 2017, appendix 6.2: 200 epochs of 400 facades, batch 1"),
        "batch": (1, "Isola et al. 2017, section 3.3"),
        "enlarge": (286 / 256, "Isola et al. 2017, appendix 6.2: 286x286, cropped to 256x256"),
        "mirror": (0.5, "Isola et al. 2017, appendix 6.2"),
        "width": (64, "Isola et al. 2017, appendix 6.1"),
        "layers": (3, "Isola et al. 2017, appendix 6.1.2: 70x70"),
        "l1": (100.0, "Isola et al. 2017, section 3.3 and table 1: lambda = 100"),
        "dropout": (0.5, "Isola et al. 2017, appendix 6.1"),
        "lr": (2e-4, "Isola et al. 2017, section 3.3"),
        "lr_hold": (1.0, "Isola et al. 2017, section 3.3: a constant learning rate"),
        "betas": ((0.5, 0.999), "Isola et al. 2017, section 3.3"),
        "ema_decay": (0.0, "Isola et al. 2017: none"),
    },
    "cyclegan": {
        "rounds": (200_000, "Zhu et al. 2017, appendix 7.1: 200 epochs of about 1,000 images, batch 1"),
        "batch": (1, "Zhu et al. 2017, section 4"),
        "enlarge": (286 / 256, "Zhu et al. 2017, authors' code: 286x286, cropped to 256x256"),
        "mirror": (0.5, "Zhu et al. 2017, authors' code"),
        "width": (64, "Zhu et al. 2017, appendix 7.2"),
        "blocks": (None, "Zhu et al. 2017, appendix 7.2: 9 from 256x256 on, 6 below"),
        "layers": (3, "Zhu et al. 2017, appendix 7.2: 70x70"),
        "cycle": (10.0, "Zhu et al. 2017, section 4: lambda = 10"),
        "identity": (0.5, "Zhu et al. 2017, section 5.2: 0.5 lambda (there for paintings alone)"),
        "pool": (50, "Zhu et al. 2017, section 4"),
        "lr": (2e-4, "Zhu et al. 2017, section 4"),
        "lr_hold": (0.5, "Zhu et al. 2017, section 4: 100 epochs of 200"),
        "betas": ((0.5, 0.999), "Zhu et al. 2017, authors' code: beta1 = 0.5"),
        "ema_decay": (0.0, "Zhu et al. 2017: none"),
    },
    "srgan": {
        "rounds": (1_200_000, "Ledig et al. 2017, section 3.2: 10^6, then 10^5 and 10^5"),
        "batch": (16, "Ledig et al. 2017, section 3.2"),
        "enlarge": (1.0, "ours, because data are cut into tiles in place of random crops"),
        "mirror": (0.0, "Ledig et al. 2017: none is named"),
        "pretrain": (5 / 6, "Ledig et al. 2017, section 3.2: 10^6 of 1.2 * 10^6"),
        "lr_hold": (0.5, "Ledig et al. 2017, section 3.2: 10^5 at 10^-4, 10^5 at 10^-5"),
        "width": (64, "Ledig et al. 2017, figure 4"),
        "blocks": (16, "Ledig et al. 2017, section 3.2"),
        "content": ("auto", "ours, because VGG19's weights are not part of zerosum"),
        "vgg": (None, "ours, because VGG19's weights are not part of zerosum"),
        "adversarial": (1e-3, "Ledig et al. 2017, eq. 3"),
        "lr": (1e-4, "Ledig et al. 2017, section 3.2"),
        "betas": ((0.9, 0.999), "Ledig et al. 2017, section 3.2: beta1 = 0.9"),
        "ema_decay": (0.0, "Ledig et al. 2017: none"),
    },
    "progan": {
        "enlarge": (1.0, "ours, because data come at their size"),
        "mirror": (0.0, "ours, because left and right are not always alike"),
        "rounds": (14_000, "ours, because it is sized for a CPU"),
        "batch": (16, "Karras et al. 2018, appendix A.1"),
        "latent_dim": (64, "ours, because it is sized for a CPU (512 in table 2)"),
        "batch_doublings": (2, "Karras et al. 2018, authors' code: minibatches of the later presets, at most here"),
        "stabilise_kimg": (40.0, "ours, because it is sized for a CPU (800 in appendix A.1)"),
        "fade_kimg": (40.0, "ours, because it is sized for a CPU (800 in appendix A.1)"),
        "base": (512, "ours, because it is sized for a CPU (8192 in the authors' code)"),
        "max_channels": (64, "ours, because it is sized for a CPU (512 in table 2)"),
        "minibatch_group": (4, "Karras et al. 2018, authors' code: later presets"),
        "penalty": (10.0, "Karras et al. 2018, appendix A.1: lambda = 10"),
        "slope": (1.0, "Karras et al. 2018, appendix A.1: gamma = 1"),
        "drift": (0.001, "Karras et al. 2018, appendix A.1: epsilon_drift = 0.001"),
        "lr": (0.001, "Karras et al. 2018, appendix A.1"),
        "betas": ((0.0, 0.99), "Karras et al. 2018, appendix A.1"),
        "ema_decay": (0.999, "Karras et al. 2018, appendix A.1"),
    },
    "sngan": {
        "preset": ("auto", "ours, because small networks suit a CPU and large ones a GPU"),
        "rounds": (4_000, "ours, because it is sized for a CPU (50,000 in the authors' code for CIFAR-10)"),
        "batch": (32, "ours, because it is sized for a CPU (64 in the authors' code)"),
        "latent_dim": (64, "ours, because it is sized for a CPU (128 in tables 3 and 4)"),
        "form": ("resnet", "Miyato et al. 2018, table 4"),
        "generator_width": (8, "ours, because it is sized for a CPU (256 channels in table 4)"),
        "discriminator_width": (8, "ours, because it is sized for a CPU (128 channels in table 4)"),
        "n_critic": (2, "ours, because it is sized for a CPU (n_dis = 5 in table 1)"),
        "lr": (2e-4, "Miyato et al. 2018, table 1: setting E"),
        "lr_hold": (0.0, "Miyato et al. 2018, authors' code: in a line to 0"),
        "betas": ((0.0, 0.9), "Miyato et al. 2018, table 1: setting E"),
        "ema_decay": (0.999, EMA),
    },
    "projection": {
        "preset": ("auto", "ours, because small networks suit a CPU and large ones a GPU"),
        "rounds": (4_000, "ours, because it is sized for a CPU (450,000 in section 5.1)"),
        "batch": (32, "ours, because it is sized for a CPU (64 in the authors' code)"),
        "latent_dim": (64, "ours, because it is sized for a CPU (128 in the authors' code)"),
        "generator_width": (8, "ours, because it is sized for a CPU (64 in the authors' code)"),
        "discriminator_width": (8, "ours, because it is sized for a CPU (64 in the authors' code)"),
        "n_critic": (2, "ours, because it is sized for a CPU (5 in section 5.1)"),
        "lr": (2e-4, "Miyato & Koyama 2018, section 5.1"),
        "lr_hold": (0.0, "Miyato & Koyama 2018, authors' code: in a line to 0"),
        "betas": ((0.0, 0.9), "Miyato & Koyama 2018, section 5.1"),
        "ema_decay": (0.999, EMA),
    },
    "biggan": {
        "preset": ("auto", "ours, because small networks suit a CPU and large ones a GPU"),
        "rounds": (6_000, "ours, because it is sized for a CPU (125,000 in the authors' code for CIFAR-10)"),
        "batch": (32, "ours, because it is sized for a CPU (2048 in section 3)"),
        "latent_dim": (64, "ours, because it is sized for a CPU (128 in the authors' code for CIFAR-10)"),
        "hierarchical": (False, "Brock et al. 2019, authors' code for CIFAR-10"),
        "shared": (0, "Brock et al. 2019, authors' code for CIFAR-10"),
        "width": (8, "ours, because it is sized for a CPU (64 in the authors' code for CIFAR-10)"),
        "attention": (True, "Brock et al. 2019, appendix B"),
        "init": ("normal", "Brock et al. 2019, authors' code for CIFAR-10: N(0, 0.02)"),
        "orthogonality": (0.0, "Brock et al. 2019, authors' code: none"),
        "n_discriminator": (1, "ours, because it is sized for a CPU (4 in the authors' code for CIFAR-10)"),
        "generator_lr": (2e-4, "Brock et al. 2019, authors' code for CIFAR-10"),
        "discriminator_lr": (2e-4, "Brock et al. 2019, appendix C"),
        "betas": ((0.0, 0.999), "Brock et al. 2019, appendix C"),
        "ema_decay": (0.999, "ours, because of fewer rounds (0.9999 in appendix C)"),
        "ema_start": (0, "ours, because the decay is ramped up (20,000 in appendix C)"),
    },
    "r3gan": {
        "rounds": (5_000, "ours, because it is sized for a CPU"),
        "batch": (32, "ours, because it is sized for a CPU (512 in table 8)"),
        "preset": ("auto", "ours, because the images and the machine decide"),
        "latent_dim": (64, "Huang et al. 2024, appendix D"),
        "embedding": (64, "Huang et al. 2024, appendix D"),
        "widths": ((64, 48, 32, 16), "ours, because it is sized for a CPU (768 and 1536 in table 9)"),
        "blocks": (1, "ours, because it is sized for a CPU (2 in section 3.4)"),
        "group": (16, "Huang et al. 2024, section 3.4: group width 16"),
        "points_hidden": ((128, 128, 128), "ours, because the paper has no points"),
        "gamma": ((0.1, 0.05), "ours, because runs are short (0.05 to 0.005 for CIFAR-10 in table 8)"),
        "lr": ((5e-4, 5e-4), "ours, because runs are short (2e-4 to 5e-5 in table 8)"),
        "beta2": ((0.99, 0.99), "ours, because runs are short (0.9 to 0.99 in table 8)"),
        "ema_half_life": ((0.0, 2_000.0), "ours, because runs are short (5 million for CIFAR-10 in table 8)"),
        "burn_in": (50_000, "ours, because runs are short (20 million in table 8)"),
    },
    "stylegan2": {
        "rounds": (5_000, "ours, because it is sized for a CPU"),
        "batch": (32, "Karras et al. 2020, appendix B"),
        "preset": ("auto", "ours, because the images and the machine decide"),
        "latent_dim": (64, "ours, because it is sized for a CPU (512 in appendix B)"),
        "base": (1024, "ours, because it is sized for a CPU (32768 in appendix B)"),
        "max_channels": (64, "ours, because it is sized for a CPU (512 in appendix B)"),
        "mapping_layers": (2, "Karras et al. 2020, StyleGAN2-ADA's code: 2 for small images (8 in appendix B)"),
        "minibatch_group": (4, "Karras et al. 2020, appendix B"),
        "residual": (True, "Karras et al. 2020, section 4.1"),
        "gamma": (0.1, "ours, because data are small (10 in appendix B)"),
        "r1_every": (16, "Karras et al. 2020, section 3.1 and appendix B"),
        "path_length": (0.0, "ours, because it costs time (2 in appendix B)"),
        "path_every": (4, "Karras et al. 2020, appendix B: in code every 4th"),
        "mixing": (0.5, "ours, because networks are small (0.9 in appendix B)"),
        "lr": (0.0025, "Karras et al. 2020, StyleGAN2-ADA's code: 0.002 from 1024 pixels on"),
        "beta2": (0.99, "Karras et al. 2020, appendix B"),
        "ema_half_life": (2_000.0, "ours, because runs are short (10,000 in appendix B)"),
        "ema_ramp": (0.05, "Karras et al. 2020, StyleGAN2-ADA's code"),
    },
    "inpaint": {
        "rounds": (20_000, "ours, because the paper's 100,000 are of ImageNet"),
        "batch": (64, "Pathak et al. 2016, authors' code: batchSize = 64"),
        "mask": ("mixed", "ours, because one network is to fill holes of any form (section 3.3 has one per form)"),
        "width": (64, "Pathak et al. 2016, figure 9"),
        "bottleneck": (4000, "Pathak et al. 2016, figure 9"),
        "reconstruction": (0.999, "Pathak et al. 2016, section 5.1: lambda_rec = 0.999"),
        "adversarial": (0.001, "Pathak et al. 2016, section 5.1: lambda_adv = 0.001"),
        "overlap": (7 / 128, "Pathak et al. 2016, section 5.1: 7 pixels of 128"),
        "overlap_weight": (10.0, "Pathak et al. 2016, section 5.1: 10 times"),
        "generator_lr": (2e-3, "Pathak et al. 2016, section 5.1: 10 times the discriminator's"),
        "discriminator_lr": (2e-4, f"{ADAM}, which the authors' code builds on"),
        "betas": ((0.5, 0.999), f"{ADAM}, which the authors' code builds on"),
        "ema_decay": (0.999, EMA),
        "enlarge": (1.0, "ours, because data come at their size"),
        "mirror": (0.5, "ours, because left and right are alike in most pictures"),
    },
}


EVERYWHERE: dict[str, tuple[Any, str]] = {
    "enlarge": (1.0, "ours, because data come at their size"),
    "mirror": (0.0, "ours, because left and right need not be alike"),
}
for _table in DEFAULTS.values():
    _table.update({setting: row for setting, row in EVERYWHERE.items() if setting not in _table})

ON_POINTS: dict[str, dict[str, tuple[Any, str]]] = {
    "acgan": {
        "rounds": (3_000, "ours, because it ends in a minute"),
        "batch": (256, "ours, because it is sized for a CPU"),
        "latent_dim": (2, "Gulrajani et al. 2017, authors' code, gan_toy.py"),
        "width": (128, "ours, because it is that of Metz et al. 2017, appendix A"),
        "lr": (1e-3, "Metz et al. 2017, authors' demo"),
        "ema_decay": (0.99, "ours, because 3,000 rounds of a toy move faster than pictures"),
    },
    "cgan": {
        "rounds": (3_000, "ours, because it ends in a minute"),
        "batch": (256, "ours, because it is sized for a CPU"),
        "latent_dim": (2, "Gulrajani et al. 2017, authors' code, gan_toy.py"),
        "width": (128, "ours, because it is that of Metz et al. 2017, appendix A"),
        "lr": (1e-3, "Metz et al. 2017, authors' demo"),
        "ema_decay": (0.99, "ours, because 3,000 rounds of a toy move faster than pictures"),
    },
    "lsgan": {
        "batch": (512, "ours, because 8 modes are found so in a minute"),
        "width": (128, "ours, because it is that of Metz et al. 2017, appendix A"),
        "dropout": (0.0, "Mao et al. 2017, section 4: none"),
        "generator_lr": (1e-3, "Metz et al. 2017, authors' demo"),
        "discriminator_lr": (1e-3, "ours, because it is the generator's"),
        "ema_decay": (0.99, "ours, because 5,000 rounds of a toy move faster than pictures"),
    },
    "gan": {
        "rounds": (5_000, "ours, because 8 modes and 80 % of high quality need no more, in half a minute"),
        "latent_dim": (256, "Metz et al. 2017, appendix A and authors' demo"),
        "generator_hidden": ((128, 128), "Metz et al. 2017, appendix A and authors' demo"),
        "discriminator_hidden": ((128, 128), "Metz et al. 2017, authors' demo"),
        "activation": ("tanh", "Metz et al. 2017, authors' demo"),
        "dropout": (0.0, "Metz et al. 2017, authors' demo: none"),
        "generator_lr": (1e-3, "Metz et al. 2017, authors' demo"),
        "discriminator_lr": (1e-3, "ours, because at the demo's 1e-4 25,000 rounds are needed"),
        "ema_decay": (0.99, "ours, because 5,000 rounds of a toy move faster than pictures"),
    },
    "dcgan": {
        "rounds": (5_000, "ours, because gan has these on points"),
        "latent_dim": (256, "Metz et al. 2017, appendix A and authors' demo"),
        "width": (128, "Metz et al. 2017, appendix A and authors' demo"),
        "generator_lr": (1e-3, "Metz et al. 2017, authors' demo"),
        "discriminator_lr": (1e-3, "ours, because of fewer rounds (1e-4 in the authors' demo)"),
        "ema_decay": (0.99, "ours, because 5,000 rounds of a toy move faster than pictures"),
    },
    "infogan": {
        "noise": (2, "ours, because the samples have two dimensions and the codes beside it say most"),
        "width": (128, "Metz et al. 2017, appendix A and authors' demo"),
        "discriminator_lr": (1e-3, "ours, because of the few rounds (2e-4 in appendix C.1)"),
        "ema_decay": (0.99, "ours, because 5,000 rounds of a toy move faster than pictures"),
    },
    "wgan": {
        "rounds": (3_000, "ours, because it ends in a minute or two"),
        "batch": (256, "Gulrajani et al. 2017, authors' code, gan_toy.py"),
        "latent_dim": (2, "Gulrajani et al. 2017, authors' code, gan_toy.py"),
        "width": (128, "ours, because it is sized for a CPU (512 in Gulrajani et al. 2017, gan_toy.py)"),
        "clip": (0.1, "ours, because four layers of weights within 0.01 hardly have a slope"),
        "long_rounds": (0, "ours, because a toy's critic follows its generator without"),
        "lr": (5e-4, "ours, because of fewer rounds"),
        "ema_decay": (0.99, "ours, because 3,000 rounds of a toy move faster than pictures"),
    },
    "wgan_gp": {
        "rounds": (2_500, "ours, because it ends in a minute or two (100,000 in the authors' code)"),
        "batch": (256, "Gulrajani et al. 2017, authors' code, gan_toy.py"),
        "latent_dim": (2, "Gulrajani et al. 2017, authors' code, gan_toy.py"),
        "points_hidden": ((128, 128, 128), "ours, because it is sized for a CPU (512 in gan_toy.py)"),
        "penalty": (0.1, "Gulrajani et al. 2017, authors' code, gan_toy.py: LAMBDA = .1"),
        "lr": (1e-3, "ours, because of fewer rounds (1e-4 in gan_toy.py)"),
        "betas": ((0.5, 0.9), "Gulrajani et al. 2017, authors' code, gan_toy.py"),
        "ema_decay": (0.99, "ours, because 2,500 rounds of a toy move faster than pictures"),
    },
    "r3gan": {
        "rounds": (6_000, "ours, because it ends in a minute or two"),
        "batch": (256, "ours, because points are cheap"),
        "latent_dim": (2, "ours, because points are of the plane"),
        "gamma": ((0.1, 0.02), "ours, because all modes are found with it"),
        "lr": ((1e-3, 1e-4), "ours, because all modes are found with it"),
        "ema_half_life": ((0.0, 25_000.0), "ours, because 6,000 rounds of a toy move faster than pictures"),
        "burn_in": (1_500_000, "ours, because it is all that 6,000 rounds draw"),
    },
    "unrolled": {
        "rounds": (3_000, "ours, because it ends in minutes (25,000 in the authors' demo)"),
        "batch": (256, "ours, because it is sized for a CPU (512 in the authors' demo)"),
        "steps": (5, "Metz et al. 2017, authors' demo (the paper's figure 1 has 10)"),
        "generator_lr": (1e-3, "Metz et al. 2017, authors' demo"),
        "discriminator_lr": (1e-3, "ours, because of fewer rounds (1e-4 in the authors' demo)"),
        "ema_decay": (0.99, "ours, because 3,000 rounds of a toy move faster than pictures"),
    },
}


def test_every_recipe_has_a_table() -> None:
    assert set(DEFAULTS) == set(recipes.names())


@pytest.mark.parametrize("name", recipes.names())
def test_defaults_are_those_of_their_sources(name: str) -> None:
    config = recipes.find(name).Config
    fields = {field.name: field.default for field in dataclasses.fields(config)}
    assert fields == {setting: value for setting, (value, _) in DEFAULTS[name].items()}
    made = dataclasses.asdict(config())
    assert {setting: type(value) for setting, value in made.items()} == {
        setting: type(value) for setting, (value, _) in DEFAULTS[name].items()
    }


@pytest.mark.parametrize("name", recipes.names())
def test_defaults_on_points_are_those_of_their_sources(name: str) -> None:
    config = recipes.find(name).Config
    expected = {setting: value for setting, (value, _) in ON_POINTS.get(name, {}).items()}
    assert dict(config.by_kind) == ({"points": expected} if expected else {})
    fields = dataclasses.asdict(config())
    assert all(value != fields[setting] for setting, value in expected.items())
    assert dataclasses.asdict(config.for_kind("points")) == fields | expected
    assert config.for_kind("images") == config()


@pytest.mark.parametrize("name", recipes.names())
def test_sources_name_a_paper_or_a_reason(name: str) -> None:
    for setting, (_, source) in [*DEFAULTS[name].items(), *ON_POINTS.get(name, {}).items()]:
        assert re.match(r"ours, because \w|[A-Z]\w+ (et al\.|& [A-Z]\w+) 20\d\d[,:] \w", source), f"{name}: {setting}"


@pytest.mark.parametrize("name", recipes.names())
def test_presets_are_as_they_were_written_down(name: str) -> None:
    kept = json.loads((Path(__file__).parent / "presets.json").read_text())
    presets = json.loads(json.dumps(dict(recipes.find(name).Config.presets)))
    assert presets == kept.get(name, {}), "tests/recipes/presets.json holds every preset: change both on purpose"
