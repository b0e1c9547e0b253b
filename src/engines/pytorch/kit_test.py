"""The Python kit without a runtime: frames, the clock, charges, errors, the worker."""

import contextlib
import gc
import io
import json
import os
import resource
import socket
import sys
import unittest
from typing import Any

from .charges import Reading, between, read_charges, read_memory
from .engine import PyTorchEngine
from .protocol import MAX_FRAME_BYTES, EngineError, job_of, read_frame, write_frame
from .sample import clock_floor_ns, rotation, time_sample
from .serve import Worker, error_of, serve

RECIPE = {
    "capture": "none",
    "compiler": "eager",
    "precision": "fp32",
    "freezing": False,
    "graph_optimization": "all",
}
JOB = {
    "conversion": "EAGER",
    "recipe": RECIPE,
    "onnx": "/m/model.onnx",
    "program": "/m/program.json",
    "module": "",
    "artifact": "",
    "inputs": "/m/inputs.safetensors",
    "input_sets": 3,
    "threads": 1,
    "options": {},
}


class FakeEngine:
    """Writes down what it is asked."""

    def __init__(self) -> None:
        self.inferred: list[int] = []
        self.collector_was_on: list[bool] = []
        self.guarded = False
        self.failure: Exception | None = None

    def describe(self) -> dict[str, Any]:
        return {"engine": "fake"}

    def prepare(self, job: Any) -> list[str]:
        return [f"prepared {job.conversion}"]

    def load(self, _: Any) -> dict[str, Any]:
        return {"threads": 1, "precision": "fp32", "device": "cpu", "notes": []}

    @contextlib.contextmanager
    def guard(self) -> Any:
        self.guarded = True
        yield
        self.guarded = False

    def infer(self, chosen: int) -> None:
        if self.failure is not None:
            raise self.failure
        assert self.guarded
        self.inferred.append(chosen)
        self.collector_was_on.append(gc.isenabled())

    def write_outputs(self, path: str, sets: int) -> None:
        self.written = (path, sets)


class FrameTest(unittest.TestCase):
    def setUp(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.addCleanup(self.ours.close)
        self.addCleanup(self.theirs.close)

    def test_a_message_comes_out_as_it_went_in(self) -> None:
        message = {"verb": "load", "threads": 2, "name": "ä"}
        write_frame(self.ours.fileno(), message)
        self.assertEqual(read_frame(self.theirs.fileno()), message)

    def test_end_of_file_is_none_even_inside_a_frame(self) -> None:
        self.ours.send((100).to_bytes(4, "little") + b'{"verb"')
        self.ours.shutdown(socket.SHUT_WR)
        self.assertIsNone(read_frame(self.theirs.fileno()))

    def test_refuses_what_is_too_long_or_no_object(self) -> None:
        self.ours.send((MAX_FRAME_BYTES + 1).to_bytes(4, "little"))
        with self.assertRaisesRegex(ValueError, "16777217 bytes"):
            read_frame(self.theirs.fileno())
        self.ours.send((2).to_bytes(4, "little") + b"[]")
        with self.assertRaisesRegex(ValueError, "no JSON object"):
            read_frame(self.theirs.fileno())


class SampleTest(unittest.TestCase):
    def test_a_sample_is_the_time_between_two_readings_divided_by_its_batch(self) -> None:
        inferred: list[int] = []
        sets = rotation(2)
        readings = iter([1000, 1300, 5000, 5900])
        clock = readings.__next__
        self.assertEqual(time_sample(clock, inferred.append, sets, 1), 300)
        self.assertEqual(time_sample(clock, inferred.append, sets, 3), 300)
        self.assertEqual(inferred, [0, 1, 0, 1])

    def test_the_floor_is_the_median_of_readings_around_nothing(self) -> None:
        steps = iter([0, 9] + [0, 40] * 100)
        self.assertEqual(clock_floor_ns(lambda: next(steps)), 40)


class ChargesTest(unittest.TestCase):
    def test_a_thread_is_active_with_a_hundredth_of_the_busiest(self) -> None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        before = Reading(usage, 0, {1: 50, 2: 0, 3: 7})
        after = Reading(usage, 2000, {1: 1050, 2: 10, 3: 7, 4: 9})
        charges = between(before, after)
        self.assertEqual(charges["threads_active"], 2)
        self.assertEqual(charges["cpu_ns"], 2000)

    def test_reads_what_this_process_uses(self) -> None:
        before = read_charges()
        sum(range(1_000_000))
        charges = between(before, read_charges())
        self.assertGreater(charges["cpu_ns"], 0)
        self.assertGreaterEqual(charges["threads_active"], 1)
        memory = read_memory(reset=False)
        self.assertGreater(memory["peak_rss_bytes"], memory["file_bytes"])


class WorkerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.engine = FakeEngine()
        self.worker = Worker(self.engine)
        self.addCleanup(gc.enable)
        self.addCleanup(gc.unfreeze)

    def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        with contextlib.redirect_stderr(io.StringIO()):
            return self.worker.answer({"verb": verb} | fields)

    def load(self) -> None:
        self.assertTrue(self.ask("load", **JOB)["ok"])

    def test_a_slice_rotates_the_inputs_with_the_collector_off(self) -> None:
        self.load()
        reply = self.ask("infer", discard=1, count=4, batch=2)
        self.assertEqual(len(reply["samples_ns"]), 4)
        self.assertEqual(self.engine.inferred, [0, 1, 2, 0, 1, 2, 0, 1, 2])
        self.assertFalse(any(self.engine.collector_was_on))
        self.ask("infer", discard=0, count=1, batch=1)
        self.assertEqual(self.engine.inferred[-1], 0)

    def test_refuses_to_infer_before_load(self) -> None:
        reply = self.ask("infer", discard=0, count=1, batch=1)
        self.assertIn("before 'load'", reply["error"]["message"])

    def test_survives_what_a_runtime_raises(self) -> None:
        self.load()
        self.engine.failure = RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")
        reply = self.ask("infer", discard=0, count=1, batch=1)
        self.assertEqual(reply["error"]["kind"], "out_of_memory")
        self.engine.failure = None
        self.assertTrue(self.ask("infer", discard=0, count=1, batch=1)["ok"])

    def test_names_an_unknown_verb_and_a_missing_field(self) -> None:
        self.assertIn("no verb 'dance'", self.ask("dance")["error"]["message"])
        fields = {name: value for name, value in JOB.items() if name != "threads"}
        self.assertIn("'threads'", self.ask("load", **fields)["error"]["message"])

    def test_writes_outputs_of_every_set_and_closes(self) -> None:
        self.load()
        self.assertTrue(self.ask("outputs", path="/o")["ok"])
        self.assertEqual(self.engine.written, ("/o", 3))
        self.assertTrue(self.ask("close")["ok"])
        self.assertTrue(self.worker.closed)


class ErrorTest(unittest.TestCase):
    def test_kinds(self) -> None:
        self.assertEqual(error_of(NotImplementedError("no bf16"))["kind"], "unsupported")
        self.assertEqual(error_of(MemoryError())["kind"], "out_of_memory")
        self.assertEqual(error_of(ValueError("x"))["kind"], "failed")
        self.assertEqual(error_of(EngineError("unsupported", "m", "h"))["hint"], "h")

    def test_a_heading_takes_the_line_below_it(self) -> None:
        error = error_of(RuntimeError("backend='inductor' raised:\nValueError: bad\n\ntrace"))
        self.assertEqual(
            error["message"], "RuntimeError: backend='inductor' raised: ValueError: bad"
        )


class ServeTest(unittest.TestCase):
    def test_describes_without_importing_torch(self) -> None:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(serve(PyTorchEngine(), ["engine", "--describe"]), 0)
        self.assertIn('"engine": "pytorch"', out.getvalue())
        self.assertEqual(len(json.loads(out.getvalue())["code"]), 64)
        self.assertNotIn("torch", sys.modules)

    def test_serves_a_descriptor_until_it_ends_and_closes_it_on_exec(self) -> None:
        ours, theirs = socket.socketpair()
        os.set_inheritable(theirs.fileno(), True)
        write_frame(ours.fileno(), {"verb": "describe"})
        ours.shutdown(socket.SHUT_WR)
        self.assertEqual(serve(FakeEngine(), ["e", "--protocol-fd", str(theirs.fileno())]), 0)
        self.assertEqual(read_frame(ours.fileno()), {"ok": True, "engine": "fake"})
        self.assertFalse(os.get_inheritable(theirs.fileno()))
        ours.close()
        theirs.close()

    def test_refuses_other_arguments(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(serve(FakeEngine(), ["e"]), 2)
            self.assertEqual(serve(FakeEngine(), ["e", "--protocol-fd", "999"]), 2)

    def test_a_job_needs_a_thread(self) -> None:
        with self.assertRaisesRegex(EngineError, "1 thread at least"):
            job_of(JOB | {"threads": 0})


if __name__ == "__main__":
    unittest.main()
