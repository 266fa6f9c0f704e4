import pytest
import torch
from rnn_benchmarks.machine import describe
from rnn_benchmarks.threads import thread_counts, thread_limit


@pytest.mark.parametrize("threads", [1, 2])
def test_every_library_keeps_to_the_count_which_is_restored_after(threads: int) -> None:
    before = torch.get_num_threads()
    with thread_limit(threads) as counts:
        assert "torch" in counts
        assert len(counts) > 1
        assert set(counts.values()) == {threads}
        assert thread_counts() == counts
    assert torch.get_num_threads() == before


def test_no_threads_are_refused() -> None:
    with pytest.raises(ValueError, match="threads: expected at least 1, got 0"), thread_limit(0):
        pass


def test_a_library_that_does_not_keep_to_the_count_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rnn_benchmarks.threads.thread_counts", lambda: {"torch": 1, "other": 7})
    with (
        pytest.raises(RuntimeError, match=r"1 threads each, but got .*7"),
        thread_limit(1),
    ):
        pass


def test_the_machine_is_described_without_a_gap() -> None:
    facts = describe()
    assert {"Processor", "Cores", "Python", "NumPy's BLAS", "torch's BLAS"} <= facts.keys()
    assert all(facts.values())
