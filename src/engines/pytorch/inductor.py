"""torch.compile, compiled once in prepare and taken from its cache in load.

The cache (Inductor's, below the artifact) finds its entries by content: the folder may be renamed.
"""

import os
from typing import TYPE_CHECKING, Any

from . import recipes
from .artifact import empty_folder, read_facts, write_facts
from .model import LoadedModel
from .protocol import Doubt, EngineError, Job
from .serve import error_of

if TYPE_CHECKING:
    import torch


_CACHE = "inductor"


def prepare(job: Job, model: LoadedModel) -> list[str]:
    empty_folder(job, _CACHE)
    _configure_cache(job)
    all_isa_work = _all_instruction_sets_work()
    _trust_instruction_sets(all_isa_work)
    _, notes = _compile(job, model)
    write_facts(job, all_isa_work=all_isa_work)
    return notes


def load(job: Job, model: LoadedModel) -> tuple[Any, list[str]]:
    """The compiled module after its first call, which compiles, with what should be known of it."""
    facts = read_facts(job)
    _configure_cache(job)
    _trust_instruction_sets(facts["all_isa_work"])
    compiled, notes = _compile(job, model)
    if _counter("inductor", "fxgraph_cache_miss") > 0:
        notes.append("compiled again in load: what prepare left did not fit")
    return compiled, notes


def _configure_cache(job: Job) -> None:
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(job.artifact, _CACHE)
    from torch._inductor import config

    # They would be made anew below TMPDIR in every process, although nothing is compiled there.
    config.cpp_cache_precompile_headers = False


def _all_instruction_sets_work() -> bool:
    """Whether Inductor's probe accepts each vector extension that the processor has."""
    from torch._inductor import cpu_vec_isa

    flags = cpu_vec_isa.x86_isa_checker()
    present = [
        isa for isa in cpu_vec_isa.supported_vec_isa_list if all(f in flags for f in str(isa).split())
    ]
    return bool(present) and all(bool(isa) for isa in present)


def _trust_instruction_sets(all_work: bool) -> None:
    """Spares a process for each vector extension, started by each load to probe it again."""
    from torch._inductor import config, cpu_vec_isa

    config.cpp.vec_isa_ok = True if all_work else None
    cpu_vec_isa.valid_vec_isa_list.cache_clear()


def _compile(job: Job, model: LoadedModel) -> tuple[Any, list[str]]:
    import torch
    import torch._dynamo

    recipe = job.recipe
    torch._dynamo.config.suppress_errors = recipe.eager_fallback
    compiled = torch.compile(model.module, mode=recipe.mode, fullgraph=recipe.fullgraph)
    try:
        with recipes.guard(recipe):
            compiled(*model.input_sets[0], **model.keyword_sets[0])
    except torch._dynamo.exc.Unsupported as e:  # a graph break, where the recipe allows none
        raise EngineError("unsupported", f"torch.compile: {error_of(e)['message']}") from e
    notes = _graph_break_notes()
    if recipe.mode == "reduce-overhead":
        notes.append("without CUDA graphs, as on a CPU, reduce-overhead is the default mode")
    return compiled, notes


def _counter(group: str, name: str) -> int:
    from torch._dynamo.utils import counters

    return counters[group][name]


def _graph_break_notes() -> list[str]:
    from torch._dynamo.utils import counters

    breaks = counters["graph_break"].items()
    notes = [f"graph break ({n}x): {reason.splitlines()[0]}" for reason, n in breaks]
    places = len(counters["resumes"])
    if places > 0 and not notes:  # a branch on a value is counted there only
        graphs = _counter("stats", "unique_graphs")
        notes.append(f"graph break ({places}x): {graphs} graphs with Python between them")
    left_eager = _counter("frames", "total") - _counter("frames", "ok")
    if _counter("stats", "unique_graphs") == 0:  # whatever switched it off
        notes.append(Doubt("Inductor compiled nothing: all of it runs in eager PyTorch"))
    elif left_eager > 0:
        notes.append(f"{left_eager} frames were left to eager PyTorch")
    return notes
