"""Prepares torch.export + AOTInductor; the C++ torch engine runs what is left in the artifact."""

import os
import tempfile
import zipfile

from .artifact import empty_folder, write_facts
from .model import configure, load_model
from .protocol import Job


def prepare(job: Job) -> list[str]:
    """Leaves artifact/package (an unpacked .pt2) and artifact.json."""
    import torch
    from torch._inductor import aoti_compile_and_package

    configure(job.threads)
    model = load_model(job)
    with tempfile.TemporaryDirectory() as work, torch.no_grad():
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(work, "inductor")
        exported = torch.export.export(model.module, model.input_sets[0])
        package = aoti_compile_and_package(
            exported,
            package_path=os.path.join(work, "model.pt2"),
            inductor_configs={
                "freezing": job.recipe.freezing,
                "aot_inductor.precompile_headers": False,  # each would serve one file
            },
        )
        with zipfile.ZipFile(package) as archive:
            archive.extractall(empty_folder(job, "package"))
    write_facts(job, freezing=job.recipe.freezing)
    return []
