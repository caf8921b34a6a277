"""How many values a file keeps at once, from its operators alone."""

from converters.graph import Subgraph


def peak_of(graph: Subgraph) -> int:
    """Most values alive at once; a tensor lives from its operator to its last reader.

    RESHAPE writes nothing: the runtime gives its output the memory of its input.
    """
    same: dict[int, int] = {}
    for operator in graph.operators:
        if operator.name == "RESHAPE":
            same[operator.outputs[0]] = same.get(operator.inputs[0], operator.inputs[0])
    last = {same.get(index, index): len(graph.operators) for index in graph.outputs}
    for place, operator in reversed(list(enumerate(graph.operators))):
        for index in operator.inputs:
            last.setdefault(same.get(index, index), place)
    alive = {index: graph.tensors[index].elements for index in graph.inputs}
    peak = sum(alive.values())
    for place, operator in enumerate(graph.operators):
        alive |= {i: graph.tensors[i].elements for i in operator.outputs if i not in same}
        peak = max(peak, sum(alive.values()))
        alive = {index: size for index, size in alive.items() if last.get(index, -1) > place}
    return peak
