"""A copy of an fx graph that calls the same by other names, for tools that do not know ATen's."""

from collections.abc import Callable
from typing import Any

from torch import fx


def retargeted(module: fx.GraphModule, target_of: Callable[[fx.Node], Any]) -> fx.GraphModule:
    """target_of  what a node of the copy is to call; node.target leaves it as it is"""
    graph = fx.Graph()
    graph.output(graph.graph_copy(module.graph, {}))
    for node in graph.nodes:
        node.target = target_of(node)
    return fx.GraphModule(module, graph)
