"""What XNNPACK really took: the partitions of LiteRT's own interpreter."""

from ai_edge_litert.interpreter import Interpreter


def partitions(content):
    """Places of the operators of the main subgraph, by partition; reads the interpreter's nodes.

    A delegated node stays in the list, and a DELEGATE node with the borders of its partition is
    added; so its nodes are found by walking from its outputs back to its inputs.
    """
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    nodes = interpreter._get_ops_details()
    own = [node for node in nodes if node["op_name"] != "DELEGATE"]
    makers = {int(tensor): node for node in own for tensor in node["outputs"]}
    found = []
    for delegate in (node for node in nodes if node["op_name"] == "DELEGATE"):
        border = {int(tensor) for tensor in delegate["inputs"]}
        todo, taken = [int(tensor) for tensor in delegate["outputs"]], set()
        while todo:
            tensor = todo.pop()
            maker = makers.get(tensor)
            if maker is None or tensor in border or maker["index"] in taken:
                continue
            taken.add(int(maker["index"]))
            todo += [int(source) for source in maker["inputs"]]
        found.append(frozenset(taken))
    return found
