"""A conversation with a program over its standard streams: a line goes in, a line comes out.

Whatever the program does, this ends in time and in bounded memory. It needs what POSIX has and
Windows lacks: process groups, signals, and pipes that can be waited for.
"""

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from subprocess import PIPE, Popen, TimeoutExpired
from time import monotonic, sleep
from weakref import finalize

from rnn_conformance.contract.refusal import Broken, printable

LINE_BYTES = 4096  # of an answer's line
KEPT_BYTES = 2048  # of standard error
SHOWN = 200  # characters of it in a message
GRACE = 1.0  # seconds in which to end, or to say the last
NAP = 0.005  # seconds
POLL = 0.05  # seconds: a child that lives on holds the pipes, so that no end is seen in them


class Silent(Broken):
    """There was no answer in time."""


class Conversation:
    """One running program, in a process group of its own.

    Args:
        line_bytes: the most that an answer may have.
        environment: of the program; that of this process where it is None.

    Raises OSError where it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        line_bytes: int = LINE_BYTES,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._line_bytes = line_bytes
        self._process = Popen(
            command,
            bufsize=0,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
            env=environment,
        )
        self._said, self._complaint = b"", b""
        self._selector = DefaultSelector()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            if stream.readable():
                self._selector.register(stream, EVENT_READ)
        self.end = finalize(self, _end, self._process, self._selector)

    def ask(self, line: str, time_limit: float) -> str:
        """The line that the program answers with, and no other. Raises Broken."""
        self.say(line)
        answer = self.hear(time_limit)
        if self._said:
            raise self.broken(f"said more than one line: {self._quoted(answer)}")
        return answer

    def say(self, line: str) -> None:
        """Hand the program a line. Raises Broken, also where it has said what nobody asked."""
        self._drain()
        if self._said:
            raise self.broken(f"said more than one line: {self._quoted()}")
        assert self._process.stdin is not None
        try:
            os.write(self._process.stdin.fileno(), os.fsencode(line) + b"\n")
        except BlockingIOError:
            raise self.broken("does not read its standard input") from None
        except BrokenPipeError:
            raise self.broken(self._how_it_ended()) from None

    def hear(self, time_limit: float, *, more: bool = False) -> str:
        """The next line that the program says. Raises Broken.

        Where `more` follow, waiting for some takes less time than waking up for each.
        """
        deadline = monotonic() + time_limit
        if more and b"\n" not in self._said and not self._listen(0):
            sleep(NAP)
        while b"\n" not in self._said and len(self._said) <= self._line_bytes:
            if (left := deadline - monotonic()) <= 0:
                raise Silent(
                    self._complained(f"gave, and flushed, no line within {time_limit:g} s")
                )
            ended = self._process.poll() is not None
            came = self._listen(0 if ended else min(left, POLL))
            if self._process.stdout not in self._selector.get_map() or (ended and not came):
                raise self.broken(self._how_it_ended())
        answer, _, self._said = self._said.partition(b"\n")
        if len(answer) > self._line_bytes:
            raise self.broken(f"said more than {self._line_bytes} bytes that end no line")
        return answer.decode(errors="replace").strip()

    def broken(self, what: str) -> Broken:
        """An exception that says what happened, and what the program said on standard error."""
        self._drain()
        return Broken(self._complained(what))

    def kill(self) -> None:
        """End the program now, with all that it started in its process group."""
        _kill(self._process)
        self.end()

    def _listen(self, seconds: float) -> bool:
        """Read what there is, or comes first in so many seconds; whether there was anything."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            text = os.read(key.fd, 65536)
            if not text:
                self._selector.unregister(key.fileobj)
            elif key.fileobj is self._process.stdout:
                self._said += text
            else:
                self._complaint = (self._complaint + text)[-KEPT_BYTES:]
        return bool(ready)

    def _drain(self) -> None:
        """Read what is there already; not for ever, should more come all the time."""
        for _ in range(8):
            if not self._listen(0):
                return

    def _how_it_ended(self) -> str:
        try:
            status = self._process.wait(GRACE)
        except TimeoutExpired:
            return "closed its standard streams"
        if status >= 0:
            return f"ended with exit status {status} instead of an answer"
        names = {known.value: known.name for known in signal.Signals}
        return f"ended with signal {names.get(-status, -status)}"

    def _quoted(self, before: str = "") -> str:
        said = f"{before} {self._said.decode(errors='replace')}"
        return f"'{printable(said)}'"

    def _complained(self, what: str) -> str:
        text = self._complaint.decode(errors="replace")
        last = printable(text[-SHOWN:])
        return f"{what}; the last on standard error: {last}" if last else what


def _end(process: Popen[bytes], selector: DefaultSelector) -> None:
    """Let it end, as it must at the end of its input; make it, and all that it started."""
    assert process.stdin is not None
    with process:  # which closes the other streams, and waits
        process.stdin.close()
        with suppress(TimeoutExpired):
            process.wait(GRACE)
        _kill(process)
        selector.close()


def _kill(process: Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left; macOS says the latter
        os.killpg(process.pid, signal.SIGKILL)
