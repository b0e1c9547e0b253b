"""Operator by operator: what stands before is all that there is to prepare."""

from typing import Any

from .artifact import write_facts
from .model import LoadedModel
from .protocol import Job


def prepare(job: Job, _: LoadedModel) -> list[str]:
    write_facts(job)
    return []


def load(_: Job, model: LoadedModel) -> tuple[Any, list[str]]:
    return model.module, []
