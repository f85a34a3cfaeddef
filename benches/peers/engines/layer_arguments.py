"""What the programs that measure a layer are told and tell."""

import argparse


def parse():
    parser = argparse.ArgumentParser()
    for name in ["size", "channels", "batch", "threads", "samples"]:
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--groups", type=lambda text: [int(groups) for groups in text.split(",")], required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--variant")
    return parser.parse_args()


def by_groups(times):
    """Times by (groups, step) as a table in a table."""
    table = {}
    for (groups, step), found in times.items():
        table.setdefault(groups, {})[step] = found
    return table
