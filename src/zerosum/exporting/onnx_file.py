"""Graphs as ONNX files: one file each, weights inside, float16 storage where asked for, facts in the metadata."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from zerosum.errors import InputError
from zerosum.exporting.inputs import Graph
from zerosum.exporting.trace import refused, silence

if TYPE_CHECKING:
    import onnx

Precision = Literal["float32", "float16"]

SMALLEST = 64
"""Values from which on a weight is stored in float16; smaller ones save nothing."""

LARGEST = 2**31 - 2**20
"""Bytes that one ONNX file can hold."""


def require_onnx() -> None:
    """Check that the packages are there.

    Raises:
        InputError: one is not, and what to type.
    """
    for name in ("onnx", "onnxscript", "onnxruntime"):
        if find_spec(name) is None:
            raise InputError(f"Export needs {name}, which is not installed: pip install 'zerosum[export]'.")


def to_onnx(graph: Graph, program: torch.export.ExportedProgram, *, metadata: Mapping[str, str]) -> bytes:
    """Return the bytes of an ONNX file of a traced graph.

    Args:
        graph: what the program was traced from.
        program: with the free axes.
        metadata: what the file says of itself, by name.

    Raises:
        InputError: torch has no ONNX form of a step of the recipe, or the file would be too large.
    """
    import onnx

    try:
        with silence():
            made = torch.onnx.export(
                program,
                (),
                dynamo=True,
                external_data=False,
                input_names=[one.name for one in graph.inputs],
                output_names=[graph.output],
            )
    except Exception as error:
        raise refused(error) from error
    assert made is not None
    if sum(value.nbytes for value in program.state_dict.values()) > LARGEST:
        raise InputError("This model is too large for one ONNX file, which holds 2 GB: export it by --to pt2.")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.onnx"
        with silence():
            made.save(place, external_data=False)
        model = onnx.load(str(place))
    _require_free(model, graph)
    _strip(model)
    for name, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, value
    return model.SerializeToString()


def in_float16(content: bytes) -> bytes:
    """Store the large float32 weights of a file in float16, each with a cast back, so that all computes in float32."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model, casts = onnx.load_from_string(content), []
    for weight in model.graph.initializer:
        if weight.data_type != TensorProto.FLOAT or int(np.prod(weight.dims)) < SMALLEST:
            continue
        values = numpy_helper.to_array(weight)
        if np.abs(values).max(initial=0.0) > np.finfo(np.float16).max:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    return model.SerializeToString()


def _require_free(model: onnx.ModelProto, graph: Graph) -> None:
    """Check that every axis that is to be free has a name in place of a number.

    Raises:
        InputError: one has a number.
    """
    shapes = {value.name: value.type.tensor_type.shape.dim for value in model.graph.input}
    for one in graph.inputs:
        free = ([0] if one.batched else []) + ([1] if one.free_length else [])
        free += [2, 3] if one.multiple is not None else []
        if any(not shapes[one.name][axis].dim_param for axis in free):
            raise InputError(f"The exported graph takes {one.name} of one size alone: this recipe cannot be exported.")


def _strip(model: onnx.ModelProto) -> None:
    """Remove what the exporter notes of where each node comes from: paths of this machine, and half of a small file."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    model.graph.doc_string = model.doc_string = ""


def session(content: bytes, *, threads: int | None = None) -> Any:
    """Return an inference session of onnxruntime on the CPU for the bytes of a file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads or torch.get_num_threads()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
