"""What XNNPACK takes of a file on this computer: partitions, and operators left outside of them."""

from __future__ import annotations

from dataclasses import dataclass

from ai_edge_litert.interpreter import Interpreter

from mobilekit.core.errors import ConversionError
from mobilekit.core.quiet import quiet_stderr

DELEGATE = "DELEGATE"


@dataclass(frozen=True, kw_only=True)
class Partitions:
    """How a file is divided between XNNPACK and the builtin kernels.

    Attributes:
        count: Partitions; 1 where data are copied to the delegate and back once.
        outside: Operators on builtin kernels, in the file's order, by schema name.
    """

    count: int
    outside: tuple[str, ...]


def partitions_of(content: bytes) -> Partitions:
    """Loads a file with XNNPACK and asks the runtime for its nodes.

    A delegated node stays in the list; a node DELEGATE with the borders of its partition is added.
    So the nodes of a partition are found by walking from its outputs back to its inputs.

    Raises:
        ConversionError: If LiteRT cannot load the file.
    """
    try:
        with quiet_stderr():
            interpreter = Interpreter(model_content=content, num_threads=1)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ConversionError(f"LiteRT cannot load the file: {error}") from error
    nodes = interpreter._get_ops_details()
    own = [node for node in nodes if node["op_name"] != DELEGATE]
    delegates = [node for node in nodes if node["op_name"] == DELEGATE]
    makers = {int(tensor): node for node in own for tensor in node["outputs"]}
    taken: set[int] = set()
    for delegate in delegates:
        border = {int(tensor) for tensor in delegate["inputs"]}
        todo = [int(tensor) for tensor in delegate["outputs"]]
        while todo:
            tensor = todo.pop()
            maker = makers.get(tensor)
            if maker is None or tensor in border or maker["index"] in taken:
                continue
            taken.add(maker["index"])
            todo += [int(source) for source in maker["inputs"]]
    outside = tuple(str(node["op_name"]) for node in own if node["index"] not in taken)
    return Partitions(count=len(delegates), outside=outside)
