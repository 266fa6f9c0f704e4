"""Every deliberately wrong and every right implementation, by profile."""

from collections.abc import Mapping
from typing import Any

from rnn_conformance.healthy import HEALTHY
from rnn_conformance.layer.healthy import LAYER_HEALTHY
from rnn_conformance.layer.mutants import MUTANTS as LAYER_MUTANTS
from rnn_conformance.mutants import MUTANTS

# A name may stand in both profiles, for a bug of the seed model and one of a layer.
MUTANTS_OF: Mapping[str, Mapping[str, Any]] = {"core": MUTANTS, "layer": LAYER_MUTANTS}
HEALTHY_OF: Mapping[str, Mapping[str, Any]] = {"core": HEALTHY, "layer": LAYER_HEALTHY}
