"""Programs in any language as implementations: files go in and come out, as exchange.md says.

check(Program("./my_rnn"))
check(Program(["node", "my_rnn.mjs"], claims=FEATURES - {"dropout", "reverse"}, time_limit=5))
"""

import os
import shlex
from collections.abc import Collection, Mapping, Sequence
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import MappingProxyType

from rnn_conformance.contract.call import BASIC, Answer, Call, claimed
from rnn_conformance.contract.refusal import Broken, CannotBeJudged, Violation, need, printable
from rnn_conformance.sources.conversation import Conversation, Silent
from rnn_conformance.sources.exchange import read_answer, write_call
from rnn_conformance.sources.seed_model import CONVENTIONS

SILENCES = 3  # of a program that never answered; then it is not asked any more
NUMBER_BYTES = 16  # twice those of float64: what is a little too large is read, and judged
NO_CONVENTIONS: Mapping[str, str] = MappingProxyType({})


class Refused(Violation):
    """The program will not compute this, as it says; the message says why."""


class Program:
    """A program, started at once, and anew after it broke.

    It is asked one call at a time, from whatever thread. It is ended by `close`, or when nothing
    refers to it any more, or with the interpreter. It needs POSIX.

    Args:
        command: the program and its arguments; one string is split as a shell does.
        name: the command, where it is None.
        claims: what it does, of `FEATURES`; `BASIC` where it is None, and what the smoke check
            leaves of that.
        conventions: as of an implementation; see contract/claims.md.
        time_limit: seconds for each answer.

    Raises CannotBeJudged where it cannot be started or the extra is missing, and ValueError for an
    argument that is none.
    """

    def __init__(
        self,
        command: Sequence[str] | str,
        *,
        name: str | None = None,
        claims: Collection[str] | None = None,
        conventions: Mapping[str, str] = NO_CONVENTIONS,
        time_limit: float = 60.0,
    ) -> None:
        self._command = _words(command)
        if not 0 < time_limit < float("inf"):
            raise ValueError(f"time_limit: expected seconds above 0, got {time_limit!r}")
        self.name = name or shlex.join(self._command)
        self.claims = BASIC if claims is None else claimed(claims)
        self.assumed = frozenset(("layouts", "parts") if claims is None else ())
        self.conventions = CONVENTIONS if claims is None else conventions
        self.time_limit = time_limit
        self._lock, self._answered, self._silences = Lock(), False, 0
        need("files", f"program {self.name!r}")
        if os.name != "posix":
            raise CannotBeJudged(f"program {self.name!r}: Windows lacks what it takes to end one")
        try:
            self._conversation: Conversation | None = Conversation(self._command)
        except OSError as error:
            raise CannotBeJudged(f"program {self.name!r}: cannot be started: {error}") from error

    def close(self) -> None:
        """End the program. One more call would start it again."""
        with self._lock:
            conversation, self._conversation = self._conversation, None
        if conversation is not None:
            conversation.end()

    def run(self, call: Call) -> Answer:
        """What the program answers.

        Raises Refused, and Broken where it ends, hangs, or gives what is no answer: then it was
        killed, with all that it started.
        """
        temporary = TemporaryDirectory(prefix="rnn-conformance-", ignore_cleanup_errors=True)
        with self._lock, temporary as folder:
            write_call(Path(folder), call)
            conversation, self._conversation = self._conversation or self._started_again(), None
            try:
                answer = self._answer(conversation, Path(folder), call)
            except Refused:
                self._answered, self._conversation = True, conversation
                raise
            except BaseException as error:
                conversation.kill()
                self._silences += isinstance(error, Silent)
                raise
            self._answered, self._conversation = True, conversation
            return answer

    def _answer(self, conversation: Conversation, folder: Path, call: Call) -> Answer:
        line = conversation.ask(str(folder), self.time_limit)
        if line.startswith("refused:"):
            raise Refused(printable(line))
        if line != "ok":
            said = printable(line)
            raise conversation.broken(f"expected the line ok, or refused: and why, got '{said}'")
        try:
            return read_answer(folder, _most_bytes(call))
        except ValueError as error:
            raise conversation.broken(printable(str(error))) from error

    def _started_again(self) -> Conversation:
        if self._silences >= SILENCES and not self._answered:
            raise Broken(f"gave no answer in {SILENCES} calls, none ever, and is not asked again")
        try:
            return Conversation(self._command)
        except OSError as error:
            raise Broken(f"cannot be started again: {error}") from error


def _words(command: Sequence[str] | str) -> list[str]:
    try:
        words = shlex.split(command) if isinstance(command, str) else [*command]
    except ValueError as error:
        raise ValueError(f"command: {command!r}: {error}") from error
    if not words or not all(isinstance(word, str) and "\0" not in word for word in words):
        raise ValueError(f"command: expected a program and its arguments, got {command!r}")
    return words


def _most_bytes(call: Call) -> int:
    """How many bytes an answer may have: more than a right one has, in whatever dtype."""
    rows: int = prod(call.inputs.shape[:-1]) + max(call.inputs.shape)
    o = call.options
    states = o.hidden_size * o.directions * (1 + o.num_layers * len(o.parts))
    numbers = rows * (states + o.output_size)
    if call.upstream is not None:
        given = (call.inputs, *call.state.values(), *call.weights.values())
        numbers += sum(array.size for array in given)
    return NUMBER_BYTES * numbers
