"""Frozen test vectors: cases with exact results as files, and the judge of what others computed."""

from rnn_conformance.vectors.export import digest, export
from rnn_conformance.vectors.manifest import Manifest, Vector
from rnn_conformance.vectors.verify import verify

__all__ = ["Manifest", "Vector", "digest", "export", "verify"]
