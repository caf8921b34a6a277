"""`mobilekit info`: what a network costs."""

from __future__ import annotations

import argparse

from mobilekit.cli.options import add_architecture, add_json, named_values

EXAMPLES = """\
  mobilekit info mobilenet_v2
  mobilekit info mobilenet_v2 --alpha 0.5 --input-size 160 --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the architecture and its options."""
    add_architecture(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Builds the network with random weights and counts it."""
    from mobilekit.architectures import ARCHITECTURES
    from mobilekit.cli.output import print_json
    from mobilekit.extras import need
    from mobilekit.sources import make_spec

    row = ARCHITECTURES[args.architecture]
    spec = make_spec(
        args.architecture,
        alpha=args.alpha,
        size=args.input_size,
        classes=args.classes,
        options=named_values(args.option, "--option"),
        target=args.target,
    )
    need("tensorflow", "keras")
    from mobilekit.networks import count_network

    counts = count_network(spec)
    facts = {
        "trainable_params": counts.trainable_params,
        "total_params": counts.total_params,
        "macs": counts.macs,
        # Batch norm folds into the convolutions, so what is stored is about the trainable weights.
        "float32_bytes": 4 * counts.trainable_params,
        "int8_bytes": counts.trainable_params,
        "peak_activation_float32_bytes": 4 * counts.peak_activation_elements,
        "peak_activation_int8_bytes": counts.peak_activation_elements,
    }
    if args.json:
        print_json({"spec": spec, "published_at_alpha_1": row, **facts})
        return
    print(
        f"{row.title} ({row.paper}), alpha {args.alpha}, {spec.input_size[0]}x{spec.input_size[1]}"
    )
    for key, value in facts.items():
        print(f"  {value:>13,}  {LABELS[key]}")


LABELS = {
    "trainable_params": "trainable parameters",
    "total_params": "parameters with batch norm's moving statistics",
    "macs": "multiply-accumulates of convolution and dense layers, one image",
    "float32_bytes": "bytes of float32 weights, about: the file's graph is beside them",
    "int8_bytes": "bytes of int8 weights, about",
    "peak_activation_float32_bytes": "bytes of float32 activations at the peak, layers in order",
    "peak_activation_int8_bytes": "bytes of int8 activations at the peak",
}
