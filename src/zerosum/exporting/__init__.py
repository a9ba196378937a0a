"""Trained generators as files that need no zerosum: ONNX, torch.export, and a page that generates in a browser."""

from __future__ import annotations

from zerosum.exporting.export import Form, export
from zerosum.exporting.files import Exported

__all__ = ["Exported", "Form", "export"]
