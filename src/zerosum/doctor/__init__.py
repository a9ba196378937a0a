"""Diagnosis of adversarial training: signs of failure, found in what was measured, explained and remedied."""

from __future__ import annotations

from zerosum.doctor.evidence import Evidence, Facts
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import diagnose

__all__ = ["Evidence", "Facts", "Finding", "Remedy", "diagnose"]
