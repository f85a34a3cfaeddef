"""The results as Markdown."""

import statistics

PEERS = ["PyTorch", "ONNX Runtime", "OpenVINO", "RTen", "OpenVINO bf16"]


def markdown(content):
    """The whole document."""
    entries = [entry for entry in content["rows"].values() if any(entry["rounds"])]
    return "\n\n".join(
        [
            "# Peers",
            introduction(content),
            "## Ratios of times, ours over theirs",
            "The median over rounds (the least to the most); below 1, ours is the faster.",
            grid(entries, lambda entry, peer: spread(ratios(entry, peer, "median"))),
            "## Milliseconds a step",
            "Medians over rounds of the median step of a round.",
            grid(entries, milliseconds, ["xception", *PEERS]),
            "## Peak memory, MB",
            "Of the whole process; in parentheses, what Python and the engine's libraries had taken before there was a "
            "network. Medians over rounds.",
            grid(entries, memory, ["xception", *PEERS]),
            "## Ours and the machine",
            ceiling(entries),
            "## Details",
            details(entries),
        ]
    ) + "\n"


def introduction(content):
    machine = content["machine"]
    versions = {}
    for entry in content["rows"].values():
        for turn in (turn for turns in entry["rounds"] for turn in turns):
            versions[turn["engine"].removesuffix(" bf16")] = turn["engine_version"]
    return "\n".join(
        [
            f"- Machine: {machine['processor']}, {machine['cores']} cores ({', '.join(machine['simd'])}), "
            f"{machine['memory_gb']} GB, {machine['system']}, {machine['rustc']}",
            f"- Threads: {content['threads']}",
            "- Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()),
            "- Command: `benches/peers/run`, which says how it measures",
            "- float32, but for OpenVINO bf16, which stands here for information. PyTorch in the fastest of the variants "
            "under Details, without torch.compile; its optimizer is the fused one. A training step is a forward pass, "
            "cross-entropy, a backward pass and SGD with momentum.",
        ]
    )


def variants(entry, engine):
    """The turns of each variant of an engine, each with the number of its round."""
    found = {}
    for number, turns in enumerate(entry["rounds"]):
        for turn in turns:
            if turn["engine"] == engine:
                found.setdefault(turn["variant"], {})[number] = turn
    return found


def best(entry, engine):
    """The variant with the lowest median over rounds among those that were in all rounds of the engine."""
    found = variants(entry, engine)
    if not found:
        return None, {}
    most = max(len(turns) for turns in found.values())
    whole = {name: turns for name, turns in found.items() if len(turns) == most}
    return min(whole.items(), key=lambda item: statistics.median(turn["median"] for turn in item[1].values()))


def ratios(entry, peer, key):
    """Ours over theirs in every round that has both."""
    (_, ours), (_, theirs) = best(entry, "xception"), best(entry, peer)
    return [ours[number][key] / theirs[number][key] for number in ours if number in theirs]


def spread(values):
    if not values:
        return ""
    return f"**{statistics.median(values):.2f}** ({min(values):.2f} to {max(values):.2f})"


def milliseconds(entry, engine):
    _, turns = best(entry, engine)
    return f"{statistics.median(turn['median'] for turn in turns.values()):.1f}" if turns else ""


def memory(entry, engine):
    _, turns = best(entry, engine)

    def megabytes(key):
        found = [turn[key] for turn in turns.values() if turn.get(key)]
        return f"{statistics.median(found) / 1e6:.0f}" if found else ""

    libraries = megabytes("library_memory")
    return megabytes("peak_memory") + (f" ({libraries})" if libraries else "")


def grid(entries, cell, columns=PEERS):
    rows = [["", *columns]]
    for entry in entries:
        rows.append([entry["title"], *(cell(entry, column) for column in columns)])
    return pipes(rows)


def ceiling(entries):
    rows = [["", "GFLOP/s", "matrix product, GFLOP/s", "share"]]
    for entry in entries:
        _, turns = best(entry, "xception")
        if not turns:
            continue
        gflops = statistics.median(turn["gflops"] for turn in turns.values())
        limit = statistics.median(turn["ceiling_gflops"] for turn in turns.values())
        rows.append([entry["title"], f"{gflops:.0f}", f"{limit:.0f}", f"{100 * gflops / limit:.0f} %"])
    return pipes(rows)


def details(entries):
    rows = [["", "rounds", "PyTorch's best", "other variants, and what failed", "when", "commit"]]
    for entry in entries:
        best_variant, _ = best(entry, "PyTorch")
        others = dict(entry["left_out"])
        for variant, turns in variants(entry, "PyTorch").items():
            name = f"PyTorch ({variant})"
            if variant != best_variant and name not in others:
                others[name] = f"{statistics.median(turn['median'] for turn in turns.values()):.0f} ms"
        text = "; ".join(f"{name} {reason}" for name, reason in others.items()).replace("\n", " ").replace("|", "/")
        rows.append(
            [entry["title"], str(len(entry["rounds"])), best_variant or "", text, entry["date"], entry["commit"]]
        )
    return pipes(rows)


def pipes(rows):
    """A Markdown table; the first row is its heading."""
    heading, *rest = rows
    line = ["---"] + ["---:"] * (len(heading) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [heading, line, *rest])
