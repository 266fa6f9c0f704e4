import ast
from pathlib import Path

from rnn_conformance.loading import BUILT_IN

NOXFILE = Path(__file__).parents[1] / "noxfile.py"


def test_every_adapter_that_needs_no_gpu_has_a_session() -> None:
    tree = ast.parse(NOXFILE.read_text("utf-8"))
    targets = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    on_cpu = {name for name in BUILT_IN if "cuda" not in name}
    assert ast.literal_eval(targets["ADAPTERS"]).keys() == on_cpu
