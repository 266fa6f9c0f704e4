"""How an implementation is come by, in words that another process understands too."""

from dataclasses import dataclass, is_dataclass, replace

from rnn_conformance.contract.call import Implementation
from rnn_conformance.contract.declaration import Declaration, declared, read_declaration
from rnn_conformance.contract.refusal import CannotBeJudged
from rnn_conformance.sources.loading import as_implementation, load, named
from rnn_conformance.sources.program import Program

# What something can stand in for, and what makes an implementation of it: f(object, name).
ADAPTERS = {
    "torch.nn.RNN": "rnn_conformance.sources.adapters.torch_layer:TorchLayer",
    "torch.nn.LSTM": "rnn_conformance.sources.adapters.torch_layer:TorchLSTM",
    "torch.nn.GRU": "rnn_conformance.sources.adapters.torch_layer:TorchGRU",
    "onnx.backend": "rnn_conformance.sources.adapters.onnx_backend:like_backend",
    "onnx.runner": "rnn_conformance.sources.adapters.onnx_backend:like_runner",
}


@dataclass(frozen=True)
class Source:
    """What a user names.

    Attributes:
        name: as `load` takes it.
        like: what the object of this name stands in for, of `ADAPTERS`; empty where it is an
            implementation by itself.
        program: whether the name is the command of a program, as `Program` takes it.
        time_limit: seconds for each answer of a program.
        declaration: the path of a file as `read_declaration` reads it; empty where there is none.
    """

    name: str
    like: str = ""
    declaration: str = ""
    program: bool = False
    time_limit: float = 60.0

    def implementation(self) -> Implementation:
        """Raises CannotBeJudged, with one line that says what is wrong."""
        try:
            said = read_declaration(self.declaration) if self.declaration else Declaration()
            return declared(self._undeclared(said), said, self.code)
        except ValueError as error:
            raise CannotBeJudged(str(error)) from error

    @property
    def code(self) -> str:
        """The Python expression that gives the implementation."""
        usual = vars(Source(self.name))
        chosen = {name: v for name, v in vars(self).items() if name == "name" or v != usual[name]}
        if chosen.keys() == {"name"}:
            return f"load({self.name!r})"
        given = ", ".join(f"{name}={value!r}" for name, value in chosen.items())
        return f"Source({given}).implementation()"

    def _undeclared(self, said: Declaration) -> Implementation:
        if self.program:
            return Program(self.name, claims=said.claims, time_limit=self.time_limit)
        if not self.like:
            return load(self.name)
        if self.like not in ADAPTERS:
            raise CannotBeJudged(f"like: expected {', '.join(ADAPTERS)}, got {self.like!r}")
        adapter = named(ADAPTERS[self.like])
        found = adapter(named(self.name), self.name)
        if said.conventions is not None and is_dataclass(found):  # which writes models by them
            found = replace(found, conventions=said.conventions)  # type: ignore[type-var]
        return as_implementation(found, name=self.name)
